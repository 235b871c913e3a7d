import http, { type IncomingHttpHeaders } from "node:http";

/** An HTTP request. */
export interface Asked {
	readonly path?: string;
	readonly method?: string;
	readonly headers?: http.OutgoingHttpHeaders | readonly string[];
	readonly body?: string | Buffer;
	readonly agent?: http.Agent;
	readonly signal?: AbortSignal;
}

/** The limit of a wait for a response, in ms: only a hang reaches it. */
const PATIENCE_MS = 120_000;

/** A complete response. An incomplete one makes ask() reject. */
export interface Got {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
	readonly text: string;
	/** the time from the request to the last byte, in ms */
	readonly ms: number;
}

export function ask(port: number, { path = "/", method, headers, body, agent, signal }: Asked): Promise<Got> {
	const started = performance.now();
	return new Promise((resolve, reject) => {
		const request = http.request(
			{
				port,
				host: "127.0.0.1",
				path,
				method: method ?? (body === undefined ? "GET" : "POST"),
				headers: headers as http.OutgoingHttpHeaders,
				agent: agent ?? false,
				...(signal && { signal }),
			},
			(response) => {
				const chunks: Buffer[] = [];
				response.on("data", (chunk: Buffer) => chunks.push(chunk));
				response.on("error", reject);
				response.on("end", () => {
					const whole = Buffer.concat(chunks);
					const { statusCode: status = 0, headers } = response;
					resolve({ status, headers, body: whole, text: whole.toString(), ms: performance.now() - started });
				});
			},
		);
		request.on("error", reject);
		request.setTimeout(PATIENCE_MS, () => request.destroy(new Error(`no answer to ${request.method} ${path} within ${PATIENCE_MS} ms`)));
		request.end(body);
	});
}

export const JSON_TYPE = { "Content-Type": "application/json" };
