import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { JSON_TYPE } from "../support/ask.ts";
import { startFake } from "../support/fake.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { startServer } from "../support/servers.ts";

const MB = 1024 * 1024;

describe("a compressed request body", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner, { REQ_MB_LIMIT: "1" });
	});
	const send = (body: Buffer, coding: string, path = "/") =>
		loader.ask({ path, body, headers: { ...JSON_TYPE, "Content-Encoding": coding } });
	const TEXT = Buffer.from(JSON.stringify({ a: "č".repeat(100_000) }));

	for (const [coding, body] of [
		["gzip", gzipSync(TEXT)],
		["X-GZip", gzipSync(TEXT)],
		["deflate", deflateSync(TEXT)],
		["deflate", deflateRawSync(TEXT)],
		["br", brotliCompressSync(TEXT)],
		["identity", TEXT],
	] as const) {
		test(`in ${coding} reaches the function inflated (${body.length} bytes on the wire)`, async () => {
			assert.deepEqual((await send(body, coding)).body, TEXT);
		});
	}

	test("has the headers of an inflated one in the call", async () => {
		const line = JSON.parse((await send(gzipSync("{}"), "gzip", "/line")).text);
		assert.equal(line.body, 2);
		assert.equal((await send(gzipSync("{}"), "gzip", "/head")).text.match(/content-(encoding|length).*/gi)?.join(), "Content-Length: 2");
	});

	test("that is a CloudEvent is inflated first", async () => {
		const event = { specversion: "1.0", id: "1", source: "s", type: "t", data: { a: 1 } };
		const headers = { "Content-Type": "application/cloudevents+json", "Content-Encoding": "gzip" };
		assert.equal((await loader.ask({ body: gzipSync(JSON.stringify(event)), headers })).text, '{"a":1}');
	});

	test("over REQ_MB_LIMIT after inflation is refused with 413: a bomb does not reach the function", async () => {
		for (const [coding, bomb] of [
			["gzip", gzipSync(Buffer.alloc(100 * MB))],
			["br", brotliCompressSync(Buffer.alloc(20 * MB))],
		] as const) {
			assert.equal((await send(bomb, coding)).status, 413, coding);
		}
		assert.equal((await send(gzipSync(Buffer.alloc(MB)), "gzip")).status, 200, "exactly the limit is taken");
	});

	test("in an unknown coding is refused with 415, a damaged one with 400, and the function is not called", async () => {
		const calls = (await loader.figures()).sum("function_calls_total");
		for (const coding of ["zstd", "compress", "gzip, br", "x"]) assert.equal((await send(TEXT, coding)).status, 415, coding);
		for (const body of [Buffer.from("no gzip"), gzipSync(TEXT).subarray(0, 60), Buffer.alloc(0)]) {
			assert.equal((await send(body, "gzip")).status, 400, `${body.length} bytes`);
		}
		assert.equal((await loader.figures()).sum("function_calls_total"), calls);
	});

	test("goes to a function that is an HTTP server as it was sent", async (t) => {
		const server = await startServer(t);
		const body = gzipSync(TEXT);
		assert.deepEqual((await server.ask({ path: "/echo", body, headers: { "Content-Encoding": "gzip" } })).body, body);
	});
});

everyRuntime("a compressed request body", ({ serve, speaks }) => {
	test("is the same to the function as one that was not compressed", {
		skip: speaks !== "wire" && "it gets the body as it was sent",
	}, async (t) => {
		const loader = await serve(t, "types");
		const body = JSON.stringify({ a: 1 });
		const plain = await loader.ask({ body, headers: JSON_TYPE });
		const compressed = await loader.ask({ body: gzipSync(body), headers: { ...JSON_TYPE, "Content-Encoding": "gzip" } });
		assert.deepEqual([compressed.status, compressed.text], [200, plain.text]);
	});
});
