import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { startServer } from "../support/servers.ts";
import { WireTap } from "../support/wire-tap.ts";

// Faults during an upload, a download or both: each affects its own call once, and no other call.

interface Counts {
	readonly calls: number;
	readonly left: number;
	readonly whole: number;
	readonly cut: number;
	readonly pid: number;
}
const counts = async (loader: Loader): Promise<Counts> => JSON.parse((await loader.ask("/counts")).text);

/** Resolves when the server has seen more cut answers than `before`. */
const serverLeft = (loader: Loader, before: number): Promise<true> =>
	poll(
		async () => (await counts(loader)).left > before || undefined,
		() => "the server did not see that its answer was cut",
	);

const begin = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;
const upgrade = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

describe("a call to a server that fails midway", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startServer(owner, { env: { FUNC_TIMEOUT: "1" } });
	});

	/** Asserts that no call is in flight and that the next call is answered. */
	async function afterwards(): Promise<void> {
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.equal((await loader.ask("/x")).text, "hello /x");
	}

	test("a server sees a cut upload, not a complete one, if the caller disconnects in its middle", async (t) => {
		const { whole, cut } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write(begin("/upload"));
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		tap.socket.resetAndDestroy();
		const now = await poll(
			async () => {
				const seen = await counts(loader);
				return seen.cut > cut ? seen : undefined;
			},
			() => "the server did not see that the upload was cut",
		);
		assert.equal(now.whole, whole);
		await afterwards();
	});

	test("an upload slower than FUNC_TIMEOUT is answered 408, and the server does not see a complete upload", async (t) => {
		const { whole } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write(begin("/upload"));
		await tap.until(/^HTTP\/1\.1 408 /);
		tap.write("5\r\nworld\r\n0\r\n\r\n");
		await afterwards();
		assert.equal((await counts(loader)).whole, whole);
	});

	test("an upload that the server does not read is answered 408, and the loader does not buffer all of it", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		const piece = Buffer.alloc(1024 * 1024);
		tap.write(`POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: ${60 * piece.length}\r\n\r\n`);
		for (let sent = 0; sent < 60; sent++) tap.write(piece);
		await new Promise((resolve) => setTimeout(resolve, 500));
		assert.ok(tap.socket.writableLength > 20 * piece.length, `${tap.socket.writableLength} bytes are left to send`);
		await tap.until(/^HTTP\/1\.1 408 /);
		tap.socket.destroy();
		await afterwards();
	});

	test("a call whose server is killed while it reads the body is answered 502 once", async () => {
		const { pid } = await counts(loader);
		const got = await loader.ask({ path: "/die-reading", body: Buffer.alloc(200_000) });
		assert.deepEqual([got.status, got.text], [502, "Bad Gateway: the function's process ended"]);
		await afterwards();
		assert.notEqual((await counts(loader)).pid, pid);
	});

	test("an answer slower than FUNC_TIMEOUT is cut, and the server sees the closed connection", async (t) => {
		const { left } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /drip HTTP/1.1\r\nHost: x\r\n\r\n");
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 200 OK[^]*first [^]*and more/);
		assert.doesNotMatch(text, /\r\n0\r\n\r\n$/, "the cut answer must not end like a complete one");
		await serverLeft(loader, left);
		await afterwards();
	});

	test("a caller that disconnects while it sends and receives ends both directions", async (t) => {
		const { left } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write(begin("/echo"));
		await tap.until(/hello/);
		tap.socket.resetAndDestroy();
		await serverLeft(loader, left);
		await afterwards();
	});

	for (const [path, status] of [
		["/hang", /^HTTP\/1\.1 408 /],
		["/cut", /^HTTP\/1\.1 502 /],
		["/die", /^HTTP\/1\.1 502 /],
	] as const) {
		test(`an upgrade request to ${path} of the server is answered ${status.source.slice(12).trim()} once`, async (t) => {
			const tap = await WireTap.open(loader.port, t);
			tap.write(upgrade(path));
			await tap.until(status);
			await afterwards();
			assert.equal(tap.text.match(/HTTP\/1\.1 /g)?.length, 1, tap.text);
		});
	}
});

test("an answer that arrives after its call timed out reaches no other call", async (t) => {
	const loader = await startServer(t, { server: "raw.mjs", env: { FUNC_TIMEOUT: "0.5", DEAF_TO_ENDS: "1" } });
	for (let round = 0; round < 3; round++) {
		assert.equal((await loader.ask("/late")).status, 408);
		for (let call = 0; call < 20; call++) {
			for (const { text } of await Promise.all([1, 2, 3].map(() => loader.ask("/fine")))) assert.equal(text, "ok");
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
});
