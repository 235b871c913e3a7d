import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import test, { type TestContext } from "node:test";
import { startFake } from "../support/fake.ts";
import type { Loader } from "../support/loader.ts";
import { poll } from "../support/poll.ts";
import { residentBytes, workersOf } from "../support/processes.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;
/**
 * The budget of all bodies: a quarter of FUNC_MEMORY_LIMIT, and at least one body of REQ_MB_LIMIT.
 */
const SMALL = { FUNC_MEMORY_LIMIT: "64Mi", REQ_MB_LIMIT: "16" };

/**
 * A connection that has sent the head of a POST with a declared length, and `sent` bytes of its
 * body.
 */
async function half(loader: Loader, t: TestContext, declared: number, sent: number): Promise<WireTap> {
	const tap = await WireTap.open(loader.port, t);
	return tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${declared}\r\n\r\n`).write(Buffer.alloc(sent));
}

test("a declared body costs nothing before its bytes come: idle senders do not close the door to others", async (t) => {
	const loader = await startFake(t, SMALL);
	for (let sender = 0; sender < 4; sender++) await half(loader, t, 16 * MB, 0);
	await loader.figuresWhen("the senders", ({ inFlight }) => inFlight === 4);
	const { status, body } = await loader.ask({ body: Buffer.alloc(8 * MB, 1) });
	assert.deepEqual([status, body.length], [200, 8 * MB]);
});

test("bytes of bodies that have come are held to the budget, and released when their senders go", async (t) => {
	const loader = await startFake(t, SMALL);
	const taps = [await half(loader, t, 16 * MB, 7 * MB), await half(loader, t, 16 * MB, 7 * MB), await half(loader, t, 16 * MB, 7 * MB)];
	const refused = await Promise.any(taps.map((tap) => tap.until(/\r\n\r\n/)));
	assert.match(refused, /^HTTP\/1\.1 503 [^]*Kubeless-Refused: MEMORY_FULL\r\nRetry-After: 1\r\n/);
	assert.equal((await loader.ask()).status, 200);
	for (const tap of taps) tap.socket.destroy();
	await loader.figuresWhen("all bodies released", ({ inFlight }) => inFlight === 0);
	assert.equal((await loader.ask({ body: Buffer.alloc(15 * MB) })).status, 200, "the budget is free again");
});

test("a body in tiny chunks takes no more than twice its bytes of the budget", async (t) => {
	const loader = await startFake(t, SMALL);
	const tap = await WireTap.open(loader.port, t);
	tap.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	const chunks = Buffer.from("4\r\nabcd\r\n".repeat(256 * 1024));
	tap.write(chunks).write("0\r\n\r\n");
	const text = await tap.until(/\r\n\r\n/);
	assert.match(text, /^HTTP\/1\.1 200 /);
	assert.match(text, new RegExp(`content-length: ${MB}`, "i"));
});

test("large results that their callers do not read are held to the budget, and arrive whole in the end", async (t) => {
	const loader = await startFake(t, SMALL);
	const before = residentBytes(loader.child.pid as number);
	const asked = [1, 2, 3].map(() => once(http.get({ port: loader.port, path: "/whole?60", agent: false }), "response"));
	await loader.figuresWhen("the calls", ({ inFlight }) => inFlight === 3);
	for (let turn = 0; turn < 50; turn++) await loader.figures();
	const grown = residentBytes(loader.child.pid as number) - before;
	assert.ok(grown < 100 * MB, `the loader grew by ${Math.round(grown / MB)} MiB`);
	const read = asked.map(async (one) => {
		const [response] = (await one) as [http.IncomingMessage];
		let bytes = 0;
		for await (const chunk of response) bytes += (chunk as Buffer).length;
		return bytes;
	});
	for (const bytes of await Promise.all(read)) assert.equal(bytes, 60 * MB);
	await loader.figuresWhen("no call", ({ inFlight }) => inFlight === 0);
	assert.equal((await loader.ask({ body: Buffer.alloc(15 * MB) })).status, 200, "the budget is free again");
});

test("bytes that a worker has not read stay in the budget when their calls are over", async (t) => {
	const loader = await startFake(t, SMALL);
	const [worker] = workersOf(loader) as [number];
	process.kill(worker, "SIGSTOP");
	const tap = await half(loader, t, 10 * MB, 9 * MB);
	await new Promise((resolve) => tap.socket.write(Buffer.alloc(MB), resolve));
	// The system holds the rest of the body at most: the loader reads it while it answers these.
	for (let turn = 0; turn < 50; turn++) await loader.figures();
	tap.socket.destroy();
	await loader.figuresWhen("no call", ({ inFlight }) => inFlight === 0);
	const refused = await loader.ask({ body: Buffer.alloc(10 * MB) });
	assert.deepEqual([refused.status, refused.headers["kubeless-refused"]], [503, "MEMORY_FULL"]);
	process.kill(worker, "SIGCONT");
	await poll(
		async () => ((await loader.ask({ body: Buffer.alloc(10 * MB) })).status === 200 ? true : undefined),
		() => "the budget is not released",
		20_000,
	);
});
