import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { Call } from "../../../test/support/wire-end.ts";
import { major, since, withWorker } from "./worker.ts";

describe("nodejs: what a handler is given", () => {
	const source = `exports.h = ({ data }) => [Buffer.isBuffer(data) ? "Buffer" : typeof data, data]`;
	const multipart = ["content-type: multipart/form-data; boundary=x"];

	test("is what the body means", async (t) => {
		await withWorker(t, source, "h", async (worker) => {
			const wanted: [Call, unknown][] = [
				[{}, ["object", {}]],
				[{ json: true }, ["object", {}]],
				[{ body: "" }, ["Buffer", { type: "Buffer", data: [] }]],
				[{ body: "", json: true }, ["Buffer", { type: "Buffer", data: [] }]],
				[{ body: '{"a":"č"}', json: true }, ["object", { a: "č" }]],
				[{ body: '{"a":1}' }, ["string", '{"a":1}']],
				[{ body: "a=1&b=2", head: ["Content-Type: application/x-www-form-urlencoded"] }, ["string", "a=1&b=2"]],
				[{ body: "--x\r\n", head: multipart }, ["object", {}]],
			];
			for (const [call, data] of wanted) assert.deepEqual(JSON.parse((await worker.ask(call)).text), data);
			const broken = await worker.ask({ body: "{", json: true });
			assert.equal(broken.error?.code, "BODY_MALFORMED");
		});
	});

	test("is inflated where it came compressed, and no larger than allowed", async (t) => {
		const read = "exports.h = (e) => [e.data, e.extensions.request.body.length]";
		await withWorker(
			t,
			read,
			"h",
			async (worker) => {
				const body = JSON.stringify({ a: "b".repeat(1000) });
				const codings: [string, Buffer][] = [
					["gzip", gzipSync(body)],
					["Deflate", deflateSync(body)],
					["x-gzip", gzipSync(body)],
					["identity", Buffer.from(body)],
				];
				if (major >= 12) codings.push(["br", brotliCompressSync(body)]);
				for (const [coding, bytes] of codings) {
					const answer = await worker.ask({ body: bytes, json: true, head: [`content-encoding: ${coding}`] });
					assert.deepEqual(JSON.parse(answer.text), [JSON.parse(body), body.length], coding);
				}
				const refused: [string, Buffer, RegExp][] = [
					["gzip", Buffer.from("no gzip"), /cannot be inflated/],
					["gzip", gzipSync(body).subarray(0, 20), /cannot be inflated/],
					["zip9", Buffer.from(body), /zip9/],
					["gzip", gzipSync(Buffer.alloc(3 << 20)), /REQ_MB_LIMIT/],
				];
				for (const [coding, bytes, words] of refused) {
					const { error } = await worker.ask({ body: bytes, head: [`Content-Encoding: ${coding}`] });
					assert.equal(error?.code, "BODY_MALFORMED");
					assert.match(error?.message ?? "", words);
				}
			},
			{ REQ_MB_LIMIT: "2" },
		);
	});

	test("is an event and a context of its own", async (t) => {
		const keys = `exports.h = (event, context) => {
			const seen = { keys: Object.keys(event), id: event["event-id"], absent: event["event-type"], extensions: event.extensions, context };
			const text = JSON.stringify(seen);
			context.timeout = 0; event.extensions.source = "spoilt";
			return text;
		}`;
		await withWorker(t, keys, "h", async (worker) => {
			const wanted = {
				keys: ["data", "event-id", "event-type", "event-time", "event-namespace", "extensions"],
				id: "1",
				extensions: { source: "/here" },
				context: { "function-name": "h", timeout: 30, runtime: "nodejs24", "memory-limit": "128Mi" },
			};
			// What a caller calls its attributes must not hide what the function relies on.
			const extensions = { source: "/here", request: "mine", response: "mine" };
			for (let i = 0; i < 2; i++) assert.deepEqual(JSON.parse((await worker.ask({ "event-id": "1", extensions })).text), wanted);
		});
	});

	test("prints without a wall of internals", async (t) => {
		await withWorker(t, "exports.h = (event, context) => { console.log(event, context); }", "h", async (worker) => {
			await worker.ask({ extensions: { source: "/here" } });
			assert.match(worker.printed(), /source: '\/here'.*request: '\[made when asked for\]'/s);
			assert.doesNotMatch(worker.printed(), /Symbol|_events|wire/);
		});
	});

	test("has a signal that tells when nobody waits any more", since(15), async (t) => {
		const wait = `exports.h = (event, context) => new Promise((resolve, reject) => {
			if (Object.keys(context).includes("signal")) reject(new Error("signal is enumerable"));
			context.signal.addEventListener("abort", () => { console.log("told"); reject(context.signal.reason || new Error("aborted")); });
		})`;
		await withWorker(t, wait, "h", async (worker) => {
			const id = worker.begin();
			const other = worker.begin();
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			assert.equal(worker.printed("stdout", id), "told\n");
			assert.equal(worker.printed("stdout", other), "");
			worker.send({ type: "cancel", id: other });
			await worker.answer(other);
		});
	});
});
