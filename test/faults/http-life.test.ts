import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Callers } from "../support/callers.ts";
import { folder, runLoader } from "../support/loader.ts";
import { poll } from "../support/poll.ts";
import { untilGone } from "../support/processes.ts";
import { server, startServer } from "../support/servers.ts";

const variable = (name: string) => `/env?name=${name}`;

test("a server gets its port in PORT, KUBELESS_WORKER_PORT and FUNC_PORT, and it differs from the loader's port", async (t) => {
	const loader = await startServer(t);
	const ports = await Promise.all(
		["PORT", "KUBELESS_WORKER_PORT", "FUNC_PORT"].map(async (name) => (await loader.ask(variable(name))).text),
	);
	assert.equal(new Set(ports).size, 1);
	assert.match(ports[0] ?? "", /^\d{5}$/);
	assert.notEqual(ports[0], String(loader.port));
});

test("a server that listens only on the IPv6 loopback address is found", async (t) => {
	const loader = await startServer(t, { env: { OWN_HOST: "::1" } });
	assert.equal((await loader.ask("/x")).text, "hello /x");
});

test("a manifest's command and env can use $(PORT)", async (t) => {
	const own = { env: { OWN_PORT: "$(PORT)", BIND: "127.0.0.1:$(PORT)" } };
	const loader = await startServer(t, { manifest: own });
	assert.equal((await loader.ask(variable("BIND"))).text, `127.0.0.1:${(await loader.ask(variable("PORT"))).text}`);
});

test("a server on a Unix socket has its own folder for the socket, and the folder is removed at the end", async (t) => {
	const tmp = folder(t);
	const loader = await startServer(t, { http: { listen: "socket" }, env: { TMPDIR: tmp } });
	const path = (await loader.ask(variable("KUBELESS_WORKER_SOCKET"))).text;
	assert.ok(path.startsWith(tmp) && existsSync(path), path);
	assert.equal((await loader.ask(variable("PORT"))).text, "");
	assert.deepEqual(await loader.stop(), { code: 0, signal: null });
	assert.deepEqual(
		readdirSync(tmp).filter((name) => name.startsWith("kubeless-")),
		[],
	);
});

test("a socket is created in another folder if TMPDIR is not writable", async (t) => {
	const loader = await startServer(t, { http: { listen: "socket" }, env: { TMPDIR: "/dev/null" } });
	assert.match((await loader.ask(variable("KUBELESS_WORKER_SOCKET"))).text, /^\/(tmp|dev\/shm)\//);
});

test("the servers of one pool have different ports and share the calls", async (t) => {
	const loader = await startServer(t, { env: { FUNC_WORKERS: "3", FUNC_CONCURRENCY: "1" } });
	await loader.figuresWhen("three servers", (figures) => figures.of("function_workers_ready") === 3);
	const slow = [1, 2, 3].map(() => loader.ask("/sleep?ms=700"));
	const ports = new Set<string>();
	for (const { text } of await Promise.all(slow)) assert.equal(text, "slept");
	for (let call = 0; call < 30 && ports.size < 3; call++) {
		for (const { text } of await Promise.all([1, 2, 3].map(() => loader.ask(variable("PORT"))))) ports.add(text);
	}
	assert.equal(ports.size, 3);
});

test("calls that arrive while a server starts wait until it is ready", async (t) => {
	const loader = await startServer(t, { env: { START_MS: "400" } });
	assert.equal((await loader.ask("/x")).text, "hello /x");
});

test("a server that answers its ready path with an error is not ready, and the message has the status", async (t) => {
	const { code, stderr } = await runLoader(t, server(t, { http: { ready: "/ready" }, env: { NEVER_READY: "1", FUNC_LOAD_TIMEOUT: "3" } }));
	assert.equal(code, 1);
	assert.match(stderr, /the server was not ready at port \d+ \(variable PORT\) after 3 s: GET \/ready was answered with 503/);
});

test("a server whose ready path answers is used", async (t) => {
	const loader = await startServer(t, { http: { ready: "/ready" } });
	assert.equal((await loader.ask("/x")).text, "hello /x");
});

test("the message for a server that listens on the wrong port names the right one", async (t) => {
	const { code, stderr } = await runLoader(t, server(t, { env: { OWN_PORT: "0", FUNC_LOAD_TIMEOUT: "2" } }));
	assert.equal(code, 1);
	assert.match(stderr, /not ready at port \d+ \(variable PORT\) after 2 s: it takes no connections; let it listen there/);
	assert.equal(stderr.trim().split("\n").length, 1);
});

test("a server that exits before it is ready ends the loader; the message has its exit code and output", async (t) => {
	const { code, stderr } = await runLoader(t, server(t, { manifest: { worker: ["sh", "-c", "echo no licence >&2; exit 4"] } }));
	assert.equal(code, 1);
	assert.match(stderr, /the worker was not ready when it ended with exit code 4\nno licence\n$/);
});

test("a server that watches file descriptor 3 ends when the loader is killed", async (t) => {
	const web = fileURLToPath(new URL("servers/web.mjs", import.meta.url));
	const watching = { worker: ["sh", "-c", `(read -r _ <&3 || kill -KILL $$) & exec node "${web}" 3<&-`] };
	const loader = await startServer(t, { manifest: watching });
	assert.equal((await loader.ask("/x")).text, "hello /x");
	loader.signal("SIGKILL");
	await untilGone(loader.marker);
});

test("the message for a server command that is not installed names the command", async (t) => {
	const { code, stderr } = await runLoader(t, server(t, { manifest: { worker: ["no-such-server"] } }));
	assert.equal(code, 1);
	assert.match(stderr, /"no-such-server" is not installed or not on PATH/);
});

test("a server with a fixed port runs as one process, and its replacement waits for the port", async (t) => {
	const probe = net.createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => probe.once("listening", resolve));
	const { port } = probe.address() as net.AddressInfo;
	await new Promise((resolve) => probe.close(resolve));
	const loader = await startServer(t, { http: { port }, env: { OWN_PORT: String(port), FUNC_WORKERS: "3", FUNC_TIMEOUT: "1" } });
	assert.equal((await loader.ask("/x")).text, "hello /x");
	assert.equal((await loader.figures()).sum("function_worker_starts_total"), 1);
	assert.equal((await loader.ask("/busy")).status, 408);
	await loader.figuresWhen("the stuck server's end", (figures) => figures.exits("timeout") === 1);
	assert.equal((await loader.ask("/x")).text, "hello /x");
	assert.equal((await loader.figures()).exits("load_failed"), 0);
});

test("a call past FUNC_TIMEOUT is answered 408, and a server that ends the request continues to serve", async (t) => {
	const loader = await startServer(t, { env: { FUNC_TIMEOUT: "0.5" } });
	const { status, ms } = await loader.ask("/hang");
	assert.equal(status, 408);
	assert.ok(ms > 480 && ms < 3000, `after ${ms} ms`);
	await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
	assert.equal((await loader.ask("/x")).status, 200);
	assert.equal((await loader.figures()).sum("function_worker_starts_total"), 1);
});

test("a server that cannot end a call past FUNC_TIMEOUT is replaced, and the next call is answered", async (t) => {
	const loader = await startServer(t, { env: { FUNC_TIMEOUT: "1" } });
	assert.equal((await loader.ask("/busy")).status, 408);
	assert.equal((await loader.ask("/x")).text, "hello /x");
	const figures = await loader.figuresWhen("the stuck server's end", (all) => all.exits("timeout") === 1);
	assert.equal(figures.sum("function_worker_starts_total"), 2);
});

test("a caller that disconnects ends the request to the server", async (t) => {
	const loader = await startServer(t);
	const left = async () => JSON.parse((await loader.ask("/counts")).text).left;
	const gone = new AbortController();
	const call = loader.ask({ path: "/hang", signal: gone.signal }).catch(() => "gone");
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	assert.equal(await left(), 0);
	gone.abort();
	assert.equal(await call, "gone");
	const seen = await poll(
		async () => (await left()) || undefined,
		() => "the server did not see a closed connection",
	);
	assert.equal(seen, 1);
	await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
});

test("SIGTERM lets running calls of a server finish and ends the server, and no process is left", async (t) => {
	const loader = await startServer(t);
	const running = [1, 2, 3].map(() => loader.ask("/sleep?ms=500"));
	await loader.figuresWhen("three calls", ({ inFlight }) => inFlight === 3);
	loader.signal();
	for (const { status, text } of await Promise.all(running)) assert.deepEqual([status, text], [200, "slept"]);
	assert.deepEqual(await loader.ended, { code: 0, signal: null });
	await untilGone(loader.marker);
});

test("a server that is killed under load costs only its own running calls", async (t) => {
	const loader = await startServer(t, { env: { FUNC_WORKERS: "2" } });
	const callers = new Callers(loader.port, 4);
	await callers.more(50);
	process.kill(JSON.parse((await loader.ask("/counts")).text).pid, "SIGKILL");
	await callers.more(200);
	const calls = await callers.stop();
	const bad = calls.filter(({ status }) => status !== 200);
	assert.ok(bad.length <= 4, `${bad.length} calls were lost`);
	for (const { status } of bad) assert.equal(status, 502);
});

test("a changed server file is reloaded without a lost call", async (t) => {
	const source = (version: string) =>
		`require("node:http").createServer((q, s) => setTimeout(() => s.end("${version}"), 20)).listen(process.env.PORT, "127.0.0.1");`;
	const { writeFileSync } = await import("node:fs");
	const volume = folder(t, { "app.cjs": source("one") });
	const place = folder(t, {
		"runtime.json": JSON.stringify({
			id: "app",
			suffixes: [".cjs"],
			concurrency: "async",
			speaks: "http",
			worker: ["node", "$(KUBELESS_HANDLER_FILE)"],
		}),
	});
	const { startLoader } = await import("../support/loader.ts");
	const loader = await startLoader(t, { volume, env: { KUBELESS_RUNTIME_MANIFEST: join(place, "runtime.json"), FUNC_WATCH: "true" } });
	const callers = new Callers(loader.port, 4);
	await callers.more(20);
	writeFileSync(join(volume, "app.cjs"), source("two"));
	await loader.said(({ msg }) => msg === "the function changed and was reloaded");
	await callers.more(20);
	const calls = await callers.stop();
	assert.deepEqual(new Set(calls.map(({ status }) => status)), new Set([200]));
	assert.equal(calls.at(-1)?.text, "two");
});
