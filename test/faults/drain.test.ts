import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import test from "node:test";
import { startFake } from "../support/fake.ts";
import { load } from "../support/load.ts";
import { untilGone } from "../support/processes.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { WireTap } from "../support/wire-tap.ts";

everyRuntime("SIGTERM", ({ serve }) => {
	test("SIGTERM lets running calls finish, refuses new ones and exits with code 0, and no process is left", async (t) => {
		const loader = await serve(t, "sleeps");
		const running = [1, 2, 3].map(() => loader.ask({ body: "600" }));
		await loader.figuresWhen("three calls", ({ inFlight }) => inFlight === 3);
		loader.signal();
		await loader.said(({ signal }) => signal === "SIGTERM");
		await assert.rejects(loader.ask({ body: "1" }), { code: "ECONNREFUSED" });
		for (const call of running) {
			const { status, text, headers } = await call;
			assert.deepEqual([status, text, headers.connection], [200, "slept", "close"]);
		}
		assert.deepEqual(await loader.ended, { code: 0, signal: null });
		await untilGone(loader.marker);
	});

	test("SIGTERM ends the loader within SHUTDOWN_TIMEOUT, even if a call hangs", async (t) => {
		const loader = await serve(t, "sleeps", { SHUTDOWN_TIMEOUT: "1" });
		const hung = loader.ask({ body: "60000" }).then(
			({ status }) => status,
			() => "cut",
		);
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		const begun = performance.now();
		assert.equal((await loader.stop()).code, 0);
		const ms = performance.now() - begun;
		assert.ok(ms > 900 && ms < 3000, `it took ${ms} ms`);
		assert.notEqual(await hung, 200);
		await untilGone(loader.marker);
	});

	test("a second SIGTERM ends the loader at once, even if a call still runs", async (t) => {
		const loader = await serve(t, "sleeps");
		const hung = loader.ask({ body: "60000" });
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		const begun = performance.now();
		await loader.end();
		assert.ok(performance.now() - begun < 30_000, "it did not wait for the call, which takes 60 s");
		assert.equal(loader.child.signalCode, null, "the loader exited by itself");
		assert.equal((await hung).status, 502);
		await untilGone(loader.marker);
	});
});

test("calls that were sent before SIGTERM are answered, even if the loader has not accepted their connections yet", async (t) => {
	const loader = await startFake(t);
	// As on a busy CPU: the loader runs again when calls and the signal have come.
	loader.signal("SIGSTOP");
	const taps = await Promise.all([1, 2, 3, 4, 5].map(() => WireTap.open(loader.port, t)));
	for (const tap of taps) tap.write("GET /slow?50 HTTP/1.1\r\nHost: x\r\n\r\n");
	loader.signal();
	loader.signal("SIGCONT");
	for (const tap of taps) assert.match(await tap.untilEnd(), /^HTTP\/1\.1 200 OK\r\n[^]*slow$/);
	assert.deepEqual(await loader.ended, { code: 0, signal: null });
});

test("SIGTERM under load loses no accepted call: each gets a complete answer or was never begun", async (t) => {
	const loader = await startFake(t);
	const calls = load(loader, 400, 20, (number) => ({ path: "/slow?20", body: String(number) }));
	await loader.figuresWhen("some calls", (figures) => figures.sum("function_calls_total") > 60);
	loader.signal();
	const outcomes = await calls;
	assert.equal((await loader.ended).code, 0);
	for (const { got, error } of outcomes) {
		if (got) assert.ok(got.status === 200 || got.status === 503, String(got.status));
		// The loader closed an idle connection; an HTTP client retries such a request.
		else assert.ok(["ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(error?.code ?? ""), String(error));
	}
	const lines = loader.lines.filter((line) => line.includes('HTTP/1.1" 200')).length;
	assert.equal(outcomes.filter(({ got }) => got?.status === 200).length, lines, "an answer of the function did not arrive");
});

test("a keep-alive connection gets Connection: close while the loader drains", async (t) => {
	const loader = await startFake(t);
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	t.after(() => agent.destroy());
	assert.equal((await loader.ask({ path: "/", body: "x", agent })).headers.connection, "keep-alive");
	const last = loader.ask({ path: "/slow?300", agent });
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	loader.signal();
	assert.equal((await last).headers.connection, "close");
	assert.equal((await loader.ended).code, 0);
});

test("a large answer that the caller still reads when the loader drains arrives complete", async (t) => {
	const loader = await startFake(t);
	const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
		http.get({ port: loader.port, path: "/whole?20", agent: false }, resolve).on("error", reject);
	});
	let length = 0;
	loader.signal();
	await loader.said(({ signal }) => signal === "SIGTERM");
	for await (const chunk of response) {
		length += chunk.length;
		if (length < 5_000_000) await new Promise((resolve) => setTimeout(resolve, 5));
	}
	assert.equal(length, 20 * 1024 * 1024);
	assert.equal((await loader.ended).code, 0);
});

test("connections without a complete request do not delay the loader's exit", async (t) => {
	const loader = await startFake(t);
	const tap = await WireTap.open(loader.port, t);
	tap.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Le");
	const idle = await WireTap.open(loader.port, t);
	await loader.ask();
	const begun = performance.now();
	assert.equal((await loader.stop()).code, 0);
	assert.ok(performance.now() - begun < 5000);
	if (!idle.ended) await once(idle.socket, "close");
});

test("while connections drain, /readyz fails and new calls are refused with 503", async (t) => {
	const loader = await startFake(t);
	const tap = await WireTap.open(loader.port, t);
	// Both calls run when the signal arrives; /readyz follows on the second one's connection.
	const running = loader.ask("/slow?500");
	tap.write("GET /slow?400 HTTP/1.1\r\nHost: x\r\n\r\n");
	await loader.figuresWhen("the calls", ({ inFlight }) => inFlight === 2);
	loader.signal();
	await loader.said(({ signal }) => signal === "SIGTERM");
	tap.write("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
	const text = await tap.untilEnd();
	assert.match(text, /HTTP\/1\.1 200 OK[^]*slow/);
	assert.doesNotMatch(text.slice(text.indexOf("slow")), /200 OK/);
	assert.equal((await running).status, 200);
});

test("a connection ends with its last answer while the loader drains: every pipelined call has its answer", async (t) => {
	const loader = await startFake(t, { SHUTDOWN_TIMEOUT: "60" });
	const tap = await WireTap.open(loader.port, t);
	const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
	tap.write(`${get("/slow?1000")}${get("/slow?200")}${get("/slow?300")}`);
	await loader.figuresWhen("the calls", ({ inFlight }) => inFlight === 3);
	loader.signal();
	await loader.said(({ signal }) => signal === "SIGTERM");
	const text = await tap.untilEnd();
	assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 3);
	assert.equal(text.match(/Connection: close/g)?.length, 1, "only the last answer closes");
	assert.match(text.slice(text.lastIndexOf("HTTP/1.1")), /Connection: close/);
	assert.equal((await loader.ended).code, 0);
});

test("a refused call says that its connection closes, whether its body has come or not, and its caller can read that", async (t) => {
	const loader = await startFake(t, { SHUTDOWN_TIMEOUT: "60" });
	const running = loader.ask("/slow?3000");
	const taps = await Promise.all([1, 2, 3].map(() => WireTap.open(loader.port, t)));
	for (const tap of taps) await tap.write("GET /pid HTTP/1.1\r\nHost: x\r\n\r\n").until(/\d+$/);
	loader.signal();
	await loader.said(({ signal }) => signal === "SIGTERM");
	const [whole, late, expecting] = taps as [WireTap, WireTap, WireTap];
	whole.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nciao");
	late.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
	expecting.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
	await late.until(/503/);
	late.write("ciao");
	for (const tap of taps) {
		const text = await tap.untilEnd();
		assert.match(text, /HTTP\/1\.1 503 [^]*\r\nConnection: close\r\n[^]*shutting down$/);
		assert.doesNotMatch(text, /100 Continue/);
	}
	assert.equal((await running).status, 200);
	assert.equal((await loader.ended).code, 0);
});
