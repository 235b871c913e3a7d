// Two replicas behind nginx, which keeps connections to them open, while they are restarted in
// turn.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { ask } from "../support/ask.ts";
import { fake } from "../support/fake.ts";
import { folder, Loader } from "../support/loader.ts";
import { describeWith, missing } from "../support/needs.ts";
import { poll } from "../support/poll.ts";

const RESTARTS = 20;
const CALLERS = 8;
/** Each restart happens under this many further calls. */
const CALLS_BETWEEN = 50;

async function freePort(): Promise<number> {
	const server = net.createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	return port;
}

/**
 * Starts nginx in front of `ports`. `max_fails=0`: as in Kubernetes, a replica gets calls again as
 * soon as it is ready.
 */
async function startNginx(t: TestContext, ports: readonly number[]): Promise<number> {
	const place = folder(t);
	const port = await freePort();
	const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${place}/${name};`);
	const config = `daemon off; worker_processes 1; pid ${place}/pid; error_log stderr;
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 256; }
http {
	${own.join(" ")}
	access_log off;
	upstream replicas { ${ports.map((one) => `server 127.0.0.1:${one} max_fails=0;`).join(" ")} keepalive 32; }
	server {
		listen 127.0.0.1:${port};
		keepalive_requests 1000000;
		location / { proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection ""; }
	}
}`;
	writeFileSync(`${place}/nginx.conf`, config);
	const nginx = spawn("nginx", ["-p", place, "-c", `${place}/nginx.conf`], { stdio: ["ignore", "ignore", "pipe"] });
	let errors = "";
	nginx.stderr.on("data", (text) => {
		errors += text;
	});
	t.after(async () => {
		nginx.kill("SIGTERM");
		if (nginx.exitCode === null) await once(nginx, "exit");
		t.diagnostic(`nginx: ${errors.slice(-2000)}`);
	});
	await poll(
		() =>
			ask(port, {}).then(
				({ status }) => status === 200 || undefined,
				() => undefined,
			),
		() => `nginx does not serve: ${errors}`,
	);
	return port;
}

describeWith("two replicas behind nginx", missing("nginx"), () => {
	test(`${RESTARTS} restarts in turn: each call of keep-alive callers is answered by the function or refused, and none gets 502`, async (t) => {
		const ports = [await freePort(), await freePort()];
		const start = (port: number) => new Loader(t, fake(t, { FUNC_PORT: String(port) })).serving();
		const replicas = await Promise.all(ports.map(start));
		const port = await startNginx(t, ports);

		let number = 0;
		let stopped = false;
		const counts: Record<string, number> = {};
		const caller = async () => {
			const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
			while (!stopped) {
				const id = String(++number);
				const request = number % 2 === 0 ? { path: "/", body: id } : { path: "/slow?5" };
				const how = await ask(port, { ...request, agent }).then(
					({ status, headers, text }) => {
						if (status === 200) return text === (request.body ?? "slow") ? "200" : "crossed";
						return `${status} ${headers["kubeless-refused"] ?? ""}`.trim();
					},
					(error) => `unanswered: ${error.code ?? error.message}`,
				);
				counts[how] = (counts[how] ?? 0) + 1;
			}
			agent.destroy();
		};
		const callers = Array.from({ length: CALLERS }, caller);
		const more = async (calls: number) => {
			const until = number + calls;
			await poll(
				() => number >= until || undefined,
				() => "the callers do not go on",
			);
		};
		for (let restart = 0; restart < RESTARTS; restart++) {
			await more(CALLS_BETWEEN);
			const which = restart % 2;
			assert.deepEqual(await (replicas[which] as Loader).stop(), { code: 0, signal: null });
			await more(CALLS_BETWEEN);
			replicas[which] = await start(ports[which] as number);
		}
		await more(CALLS_BETWEEN);
		stopped = true;
		await Promise.all(callers);

		t.diagnostic(JSON.stringify(counts));
		const { 200: answered = 0, "503 DRAINING": refused = 0, ...others } = counts;
		assert.deepEqual(others, {}, "calls without an answer of the function");
		assert.ok(answered > RESTARTS * 2 * CALLS_BETWEEN - refused, JSON.stringify(counts));
	});
});
