// A container with 512 MiB: whatever callers send and functions return, the kernel does not kill
// the loader.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, type TestContext, test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Got } from "../support/ask.ts";
import type { Loader } from "../support/loader.ts";
import { type LimitedLoader, noMemoryCgroup, startLimited } from "../support/memory-cgroup.ts";
import { poll } from "../support/poll.ts";
import { workersOf } from "../support/processes.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;
const CONTAINER_BYTES = 512 * MB;
const BYTES = { "Content-Type": "application/octet-stream" };
const EVENT = { "Content-Type": "application/cloudevents+json" };

/** /large/N and /stream/N return N MiB; other paths return the length of the data. */
const FUNCTION = `
const { Readable } = require("node:stream");
const piece = Buffer.alloc(64 * 1024, 97);
exports.handler = ({ data, extensions: { request } }) => {
	const [, kind, size] = request.path.split("/");
	if (kind === "large") return Buffer.alloc(Number(size) * 1024 * 1024, 97);
	if (kind === "stream") return Readable.from(new Array(Number(size) * 16).fill(piece));
	return String(data?.length ?? 0);
};`;

const limited = (t: TestContext) =>
	startLimited(t, CONTAINER_BYTES, {
		files: { "f.js": FUNCTION },
		env: { FUNC_RUNTIME: "nodejs", MOD_NAME: "f", FUNC_HANDLER: "handler" },
	});

/** Asserts that the loader still runs, and serves the function with a large body. */
async function assertServes({ loader, kills, peak }: LimitedLoader, t: TestContext): Promise<void> {
	t.diagnostic(`peak ${Math.round(peak() / MB)} MiB, ${kills()} workers killed by the kernel`);
	await loader.figuresWhen("no call", ({ inFlight }) => inFlight === 0);
	const served = async () =>
		(await loader.ask({ body: Buffer.alloc(50 * MB), headers: BYTES })).text === String(50 * MB) ? true : undefined;
	await poll(served, () => "the function is not served");
	assert.equal(loader.over, false);
}

/**
 * Asserts that each answer is 200, or a refusal for lack of memory or time, or 502 if the kernel
 * killed a worker.
 */
function assertAnswered({ kills }: LimitedLoader, all: readonly Pick<Got, "status" | "headers">[], served: number): void {
	const shown = JSON.stringify(all.map(({ status, headers }) => `${status} ${headers["kubeless-refused"] ?? ""}`));
	const refused = all.filter(({ status, headers }) => status === 503 && headers["kubeless-refused"] !== undefined);
	const answered = all.filter(({ status }) => status === 200);
	const lost = kills() > 0 ? all.filter(({ status }) => status === 502) : [];
	assert.equal(answered.length + refused.length + lost.length, all.length, shown);
	assert.ok(answered.length >= served, shown);
}

/** Begins a call whose answer is not read yet. */
async function unread({ port }: Loader, path: string): Promise<http.IncomingMessage> {
	const [response] = await once(http.get({ port, path, agent: false }), "response");
	return response as http.IncomingMessage;
}

async function lengthOf(response: http.IncomingMessage): Promise<number> {
	let length = 0;
	for await (const chunk of response) length += (chunk as Buffer).length;
	return length;
}

const missing = noMemoryCgroup();
if (missing) console.log(`SKIPPED: tests in a memory cgroup: ${missing}`);

describe("in a memory cgroup of 512 MiB", { skip: missing }, () => {
	test("bodies of cancelled calls, which the worker has not read, do not end the loader", async (t) => {
		const one = await limited(t);
		const [worker] = workersOf(one.loader) as [number];
		process.kill(worker, "SIGSTOP");
		for (let round = 0; round < 10; round++) {
			const tap = await WireTap.open(one.loader.port, t);
			tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${50 * MB}\r\n\r\n`);
			await new Promise((resolve) => tap.socket.write(Buffer.alloc(50 * MB - 1), resolve));
			tap.socket.destroy();
		}
		process.kill(worker, "SIGCONT");
		await assertServes(one, t);
	});

	test("structured CloudEvents with large data do not end the loader", async (t) => {
		const one = await limited(t);
		const of = (data: string) => `{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/plain","data":${data}}`;
		const events = [`[${"0,".repeat(10 * MB)}0]`, `"${"a".repeat(20 * MB)}"`, `"${"\\u0061".repeat(3 * MB)}"`].map(of);
		const all = await Promise.all([...events, ...events, ...events].map((body) => one.loader.ask({ body, headers: EVENT })));
		assertAnswered(one, all, 1);
		await assertServes(one, t);
	});

	test("large results do not end the loader, and arrive whole at callers that read late", async (t) => {
		const one = await limited(t);
		const responses = await Promise.all(["/large/120", "/large/60"].map((path) => unread(one.loader, path)));
		for (let turn = 0; turn < 50; turn++) await one.loader.figures();
		assert.deepEqual(await Promise.all(responses.map(lengthOf)), [120 * MB, 60 * MB]);
		await assertServes(one, t);
	});

	test("many slow readers do not end the loader", async (t) => {
		const one = await limited(t);
		const responses = await Promise.all(Array.from({ length: 40 }, () => unread(one.loader, "/stream/8")));
		for (let turn = 0; turn < 50; turn++) await one.loader.figures();
		assert.ok((await one.loader.ask({ body: "four", headers: BYTES })).text === "4", "another caller is served meanwhile");
		for (const length of await Promise.all(responses.map(lengthOf))) assert.equal(length, 8 * MB);
		await assertServes(one, t);
	});

	for (const [coding, compress] of [
		["gzip", gzipSync],
		["br", (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
	] as const) {
		test(`bombs in ${coding} do not end the loader`, async (t) => {
			const one = await limited(t);
			const headers = { ...BYTES, "Content-Encoding": coding };
			const small = compress(Buffer.alloc(95 * MB));
			const all = await Promise.all(Array.from({ length: 16 }, () => one.loader.ask({ body: small, headers })));
			assertAnswered(one, all, 1);
			const large = compress(Buffer.alloc(300 * MB));
			for (const { status } of await Promise.all(Array.from({ length: 4 }, () => one.loader.ask({ body: large, headers }))))
				assert.ok(status === 413 || status === 503, String(status));
			await assertServes(one, t);
		});
	}

	test("declared lengths without bytes cost nothing, and other callers are served", async (t) => {
		const one = await limited(t);
		for (let sender = 0; sender < 50; sender++) {
			const tap = await WireTap.open(one.loader.port, t);
			tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${100 * MB}\r\n\r\nx`);
		}
		await one.loader.figuresWhen("the senders", ({ inFlight }) => inFlight === 50);
		const { text } = await one.loader.ask({ body: Buffer.alloc(90 * MB), headers: BYTES });
		assert.equal(text, String(90 * MB));
		assert.deepEqual([one.loader.over, one.kills()], [false, 0]);
	});

	test("bodies from many callers at once are refused or served", async (t) => {
		const one = await limited(t);
		const body = Buffer.alloc(40 * MB);
		const all = await Promise.all(Array.from({ length: 16 }, () => one.loader.ask({ body, headers: BYTES })));
		assertAnswered(one, all, 1);
		await assertServes(one, t);
	});
});
