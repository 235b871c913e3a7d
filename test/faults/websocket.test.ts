import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";
import { startServer } from "../support/servers.ts";
import { WireTap } from "../support/wire-tap.ts";

const upgrade = (path = "/", more = "") =>
	`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;
const SWITCHED = /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\n/;

async function open(loader: Loader, owner: Parameters<typeof WireTap.open>[1], more?: string): Promise<WireTap> {
	const tap = await WireTap.open(loader.port, owner);
	tap.write(upgrade("/", more));
	await tap.until(SWITCHED);
	return tap;
}

describe("a WebSocket", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startServer(owner, { env: { FUNC_TIMEOUT: "1" } });
	});

	test("a WebSocket has the server's headers and carries bytes in both directions", async (t) => {
		const tap = await open(loader, t, "Sec-WebSocket-Protocol: chat\r\n");
		assert.match(tap.text, /\r\nUpgrade: websocket\r\n[^]*X-Protocol: chat\r\n/);
		for (const word of ["one", "two", "three"]) {
			tap.write(word);
			await tap.until(new RegExp(`${word}$`));
		}
	});

	test("a WebSocket carries bytes that arrive together with the request", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write(`${upgrade()}at once`);
		await tap.until(/at once$/);
	});

	test("FUNC_TIMEOUT limits the time until a WebSocket opens, not its duration", async (t) => {
		const tap = await open(loader, t);
		await new Promise((resolve) => setTimeout(resolve, 1300));
		tap.write("still here");
		await tap.until(/still here$/);
	});

	test("a WebSocket that the server refuses gets the server's answer", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write(upgrade("/refuse"));
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 401 Unauthorized\r\n[^]*\r\n\r\nno$/);
	});

	test("a WebSocket closes on both sides when either side closes it", async (t) => {
		const tap = await open(loader, t);
		tap.socket.end("final bytes");
		assert.match(await tap.untilEnd(), /final bytes$/);
		const cut = await open(loader, t);
		await loader.ask("/x");
		cut.socket.resetAndDestroy();
		assert.equal((await loader.ask("/x")).status, 200);
	});

	test("a WebSocket carries large data in both directions, byte for byte", async (t) => {
		const tap = await open(loader, t);
		const head = tap.text.length;
		const piece = "0123456789abcdef".repeat(4096);
		for (let sent = 0; sent < 64; sent++) tap.write(piece);
		tap.socket.end();
		assert.ok((await tap.untilEnd()).slice(head) === piece.repeat(64));
	});

	test("an Upgrade to another protocol is ignored, and the request is served", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
		await tap.until(/^HTTP\/1\.1 200 OK[^]*hello \/x$/);
	});

	test("an open WebSocket is no call in flight, and has a gauge of its own", async (t) => {
		const own = await startServer(t, { env: { FUNC_CONCURRENCY: "2", FUNC_TIMEOUT: "5" } });
		const open3 = [await open(own, t), await open(own, t), await open(own, t)];
		assert.equal((await own.ask("/x")).status, 200);
		const figures = await own.figures();
		assert.deepEqual([figures.inFlight, figures.of("function_websockets_open")], [0, 3]);
		for (const { socket } of open3) socket.destroy();
		await own.figuresWhen("no WebSocket", (one) => one.of("function_websockets_open") === 0);
	});

	test("a WebSocket past FUNC_WEBSOCKETS is refused with 503, and accepted when another has ended", async (t) => {
		const own = await startServer(t, { env: { FUNC_WEBSOCKETS: "1" } });
		const first = await open(own, t);
		const second = (await WireTap.open(own.port, t)).write(upgrade());
		assert.match(await second.untilEnd(), /^HTTP\/1\.1 503 [^]*\r\nConnection: close\r\n[^]*too many WebSockets/);
		assert.equal((await own.figures()).rejections("too_many_websockets"), 1);
		first.socket.destroy();
		await own.figuresWhen("no WebSocket", (one) => one.of("function_websockets_open") === 0);
		await open(own, t);
	});

	test("a WebSocket counts as a call when it opens", async (t) => {
		const before = (await loader.figures()).of('function_calls_total{method="GET"}');
		await open(loader, t);
		assert.equal((await loader.figures()).of('function_calls_total{method="GET"}'), before + 1);
		await loader.wrote(/"GET \/ HTTP\/1\.1" 101 0/);
	});
});

test("an open WebSocket delays the loader's exit by SHUTDOWN_TIMEOUT at most", async (t) => {
	const loader = await startServer(t, { env: { SHUTDOWN_TIMEOUT: "1" } });
	const tap = await open(loader, t);
	const begun = performance.now();
	const ended = loader.stop();
	tap.write("while draining");
	await tap.until(/while draining$/);
	assert.deepEqual(await ended, { code: 0, signal: null });
	const ms = performance.now() - begun;
	assert.ok(ms > 900 && ms < 5000, `the exit took ${ms} ms`);
	await tap.untilEnd();
	await untilGone(loader.marker);
});

test("the loader exits when its last WebSocket closes", async (t) => {
	const loader = await startServer(t, { env: { SHUTDOWN_TIMEOUT: "20" } });
	const tap = await open(loader, t);
	loader.signal();
	await loader.said(({ signal }) => signal === "SIGTERM");
	tap.socket.end();
	assert.deepEqual(await loader.ended, { code: 0, signal: null });
});

test("the exit of a server closes its WebSockets", async (t) => {
	const loader = await startServer(t);
	const tap = await open(loader, t);
	process.kill(JSON.parse((await loader.ask("/counts")).text).pid, "SIGKILL");
	await tap.untilEnd();
	// A call before the loader has seen the exit would fail with the server.
	await loader.figuresWhen("the server's end", (figures) => figures.exits("signal") === 1);
	assert.equal((await loader.ask("/x")).status, 200);
});

test("a function that is not an HTTP server answers a WebSocket request like any other", async (t) => {
	const loader = await startFake(t);
	const tap = await WireTap.open(loader.port, t);
	tap.write(upgrade("/"));
	assert.match(await tap.until(/^HTTP\/1\.1 [^]*\r\n\r\n/), /^HTTP\/1\.1 200 OK/);
});
