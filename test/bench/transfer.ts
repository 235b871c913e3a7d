import http from "node:http";

export interface Transferred {
	/** the received bytes per second */
	readonly rate: number;
	/** the errors of failed transfers */
	readonly failures: readonly string[];
}

/** Sends a body repeatedly over several connections to an echo server, for `duration` s. */
export async function transfer(port: number, body: Buffer, connections: number, duration: number): Promise<Transferred> {
	const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
	const failures: string[] = [];
	const started = performance.now();
	const ends = started + duration * 1000;
	let received = 0;
	const caller = async () => {
		// Finishes transfers in progress and counts their time: an aborted transfer would not count.
		while (performance.now() < ends) {
			await echoed(port, body, agent).then(
				() => (received += body.length),
				(error) => failures.push(error.message),
			);
		}
	};
	await Promise.all(Array.from({ length: connections }, caller));
	agent.destroy();
	return { rate: received / ((performance.now() - started) / 1000), failures };
}

/** @throws if the response is not 200, or has another length than the body */
function echoed(port: number, body: Buffer, agent: http.Agent): Promise<void> {
	return new Promise((resolve, reject) => {
		const headers = { "Content-Type": "text/plain", "Content-Length": body.length };
		const request = http.request({ port, host: "127.0.0.1", method: "POST", headers, agent }, (response) => {
			let length = 0;
			response.on("data", (chunk: Buffer) => {
				length += chunk.length;
			});
			response.on("error", reject);
			response.on("end", () => {
				if (response.statusCode === 200 && length === body.length) resolve();
				else reject(new Error(`an echo of ${body.length} bytes was answered ${response.statusCode} with ${length}`));
			});
		});
		request.on("error", reject);
		request.end(body);
	});
}
