import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { startServer } from "../support/servers.ts";
import { WireTap } from "../support/wire-tap.ts";

// What goes wrong while bytes are on their way, up, down or both: once, and to nobody else.

interface Counts {
	readonly calls: number;
	readonly left: number;
	readonly whole: number;
	readonly cut: number;
	readonly pid: number;
}
const counts = async (loader: Loader): Promise<Counts> => JSON.parse((await loader.ask("/counts")).text);

/** The server sees one more of its answers cut off than there were. */
const serverLeft = (loader: Loader, before: number): Promise<true> =>
	poll(
		async () => (await counts(loader)).left > before || undefined,
		() => "the server does not see that its answer is cut off",
	);

const begin = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;
const upgrade = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

describe("a call of a server that goes wrong midway", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startServer(owner, { env: { FUNC_TIMEOUT: "1" } });
	});

	/** One call was made of it, the server lives or was replaced, and the next call is answered. */
	async function afterwards(): Promise<void> {
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.equal((await loader.ask("/x")).text, "hello /x");
	}

	test("whose caller leaves in the middle of an upload: the server sees half a request, and no end of it", async (t) => {
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
			() => "the server sees no upload cut off",
		);
		assert.equal(now.whole, whole);
		await afterwards();
	});

	test("whose upload is longer in coming than FUNC_TIMEOUT is answered 408, and the server sees no end of it", async (t) => {
		const { whole } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write(begin("/upload"));
		await tap.until(/^HTTP\/1\.1 408 /);
		tap.write("5\r\nworld\r\n0\r\n\r\n");
		await afterwards();
		assert.equal((await counts(loader)).whole, whole);
	});

	test("whose upload nobody reads is answered 408 in time, and the loader does not take all of it", async (t) => {
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

	test("whose server dies while it reads is answered 502, once", async () => {
		const { pid } = await counts(loader);
		const got = await loader.ask({ path: "/die-reading", body: Buffer.alloc(200_000) });
		assert.deepEqual([got.status, got.text], [502, "Bad Gateway: the function's process ended"]);
		await afterwards();
		assert.notEqual((await counts(loader)).pid, pid);
	});

	test("whose answer is longer in coming than FUNC_TIMEOUT is cut off, and the server lets go of it", async (t) => {
		const { left } = await counts(loader);
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /drip HTTP/1.1\r\nHost: x\r\n\r\n");
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 200 OK[^]*first [^]*and more/);
		assert.doesNotMatch(text, /\r\n0\r\n\r\n$/, "it does not end as a whole answer does");
		await serverLeft(loader, left);
		await afterwards();
	});

	test("that sends and receives at once and is cut off by its caller ends both", async (t) => {
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
		test(`whose upgrade the server answers with ${path.slice(1)} gets ${status.source.slice(12)}once`, async (t) => {
			const tap = await WireTap.open(loader.port, t);
			tap.write(upgrade(path));
			await tap.until(status);
			await afterwards();
			assert.equal(tap.text.match(/HTTP\/1\.1 /g)?.length, 1, tap.text);
		});
	}
});

test("an answer that comes after its call was out of time is nobody's", async (t) => {
	const loader = await startServer(t, { server: "raw.mjs", env: { FUNC_TIMEOUT: "0.5", DEAF_TO_ENDS: "1" } });
	for (let round = 0; round < 3; round++) {
		assert.equal((await loader.ask("/late")).status, 408);
		for (let call = 0; call < 20; call++) {
			for (const { text } of await Promise.all([1, 2, 3].map(() => loader.ask("/fine")))) assert.equal(text, "ok");
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
});
