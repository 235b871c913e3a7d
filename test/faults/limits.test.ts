import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { assertCounted, load, statuses } from "../support/load.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;

describe("a body over REQ_MB_LIMIT", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner, { REQ_MB_LIMIT: "0.5" });
	});

	test("a body over REQ_MB_LIMIT with a Content-Length is refused with 413, and the function is not called", async () => {
		const { status, headers } = await loader.ask({ body: Buffer.alloc(MB) });
		assert.equal(status, 413);
		assert.equal(headers["access-control-allow-origin"], "*");
		const figures = await loader.figures();
		assert.equal(figures.rejections("body_too_large"), 1);
		assert.equal(figures.sum("function_calls_total"), 0);
	});

	test("a chunked body is refused with 413 as soon as it exceeds REQ_MB_LIMIT", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
		for (let chunk = 0; chunk < 9; chunk++)
			tap
				.write(`${(65536).toString(16)}\r\n`)
				.write(Buffer.alloc(65536))
				.write("\r\n");
		assert.match(await tap.until(/\r\n\r\n/), /^HTTP\/1\.1 413 /);
		assert.equal((await loader.figures()).sum("function_calls_total"), 0);
	});

	test("a caller with Connection: close gets the 413 even if it sends far more than REQ_MB_LIMIT", async () => {
		for (let call = 0; call < 5; call++) {
			for (const headers of [{ "Content-Length": String(30 * MB) }, { "Transfer-Encoding": "chunked" }]) {
				const got = await loader.ask({ body: Buffer.alloc(30 * MB), headers: { ...headers, Connection: "close" } });
				assert.equal(got.status, 413);
				assert.equal(got.headers.connection, "close");
			}
		}
	});

	test("Expect: 100-continue for a body over REQ_MB_LIMIT is answered 413 without 100 Continue", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${MB}\r\n\r\n`);
		const text = await tap.until(/\r\n\r\n/);
		assert.match(text, /^HTTP\/1\.1 413 /);
		assert.doesNotMatch(text, /100 Continue/);
		// It may send its body or not: where the next request begins cannot be known.
		assert.match(text, /\r\nConnection: close\r\n/);
	});

	test("Expect: 100-continue for a body within REQ_MB_LIMIT is answered 100 Continue", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
		await tap.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
		assert.match(await tap.write("ciao").until(/ciao$/), /HTTP\/1\.1 200 OK/);
	});

	test("a body of exactly REQ_MB_LIMIT is accepted", async () => {
		const { status, body } = await loader.ask({ body: Buffer.alloc(MB / 2, 1) });
		assert.deepEqual([status, body.length], [200, MB / 2]);
	});
});

describe("the queue", () => {
	test("a full queue refuses calls with 503 and Retry-After, and each of 200 calls is answered", async (t) => {
		const loader = await startFake(t, { FAKE_CONCURRENCY: "10", FUNC_QUEUE_LENGTH: "50" });
		const outcomes = await load(loader, 200, 200, () => ({ path: "/slow?150" }));
		const counts = statuses(outcomes);
		assert.equal((counts[200] ?? 0) + (counts[503] ?? 0), 200, JSON.stringify(counts));
		assert.ok((counts[200] as number) >= 60, JSON.stringify(counts));
		assert.ok((counts[503] as number) > 0, JSON.stringify(counts));
		for (const { got } of outcomes) if (got?.status === 503) assert.match(String(got.headers["retry-after"]), /^[1-9]\d*$/);
		await assertCounted(loader, outcomes);
		assert.equal((await loader.figures()).rejections("queue_full"), counts[503]);
	});

	test("with FUNC_QUEUE_LENGTH=0, a call that no worker can take at once is refused with 503", async (t) => {
		const loader = await startFake(t, { FUNC_CONCURRENCY: "2", FUNC_QUEUE_LENGTH: "0" });
		const held = [loader.ask("/slow?400"), loader.ask("/slow?400")];
		await loader.figuresWhen("two calls", ({ inFlight }) => inFlight === 2);
		assert.equal((await loader.ask()).status, 503);
		for (const call of held) assert.equal((await call).status, 200);
		assert.equal((await loader.ask()).status, 200);
	});

	test("the queue serves calls in the order of arrival", async (t) => {
		const loader = await startFake(t, { FUNC_CONCURRENCY: "1" });
		const order: number[] = [];
		const first = loader.ask("/slow?300");
		await loader.figuresWhen("the first", ({ inFlight }) => inFlight === 1);
		const waiting: Promise<unknown>[] = [];
		for (let number = 0; number < 5; number++) {
			waiting.push(loader.ask({ body: "x" }).then(() => order.push(number)));
			await loader.figuresWhen("one more", (one) => one.of("function_queue_length") === number + 1);
		}
		await Promise.all([first, ...waiting]);
		assert.deepEqual(order, [0, 1, 2, 3, 4]);
	});

	test("the queue drops the call of a caller that disconnects", async (t) => {
		const loader = await startFake(t, { FUNC_CONCURRENCY: "1" });
		const first = loader.ask("/slow?500");
		await loader.figuresWhen("the first", ({ inFlight }) => inFlight === 1);
		const gone = new AbortController();
		const second = loader.ask({ signal: gone.signal }).catch(() => "gone");
		await loader.figuresWhen("the second", (one) => one.of("function_queue_length") === 1);
		gone.abort();
		await loader.figuresWhen("an empty queue", (one) => one.of("function_queue_length") === 0);
		assert.deepEqual([await second, (await first).status], ["gone", 200]);
		assert.equal((await loader.figures()).of('function_calls_total{method="GET"}'), 1, "the function must not get the dropped call");
	});
});

describe("an invalid HTTP request", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner);
	});

	test("a request with headers over 64 KiB is answered 431", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(64 * 1024)}\r\n\r\n`);
		assert.match(await tap.untilEnd(), /^HTTP\/1\.1 431 /);
	});

	for (const [what, text] of [
		["text that is not HTTP", "ciao, how are you?\r\n\r\n"],
		["an invalid Content-Length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n"],
		["two Content-Length headers", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
		["a Content-Length and chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
		["a broken chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
		["a header without a name", "GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n"],
		["an invalid escape in its path", "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
		["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
	] as const) {
		test(`a request with ${what} is answered 400, and the connection is closed`, async (t) => {
			const tap = await WireTap.open(loader.port, t);
			assert.match(await tap.write(text).untilEnd(), /^HTTP\/1\.1 400 /);
			const figures = await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
			assert.equal(figures.sum("function_failures_total"), 0);
		});
	}
});
