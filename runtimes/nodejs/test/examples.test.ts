import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { home, since, withWorker } from "./worker.ts";

const example = (name: string) => ({ [name]: readFileSync(join(home, "examples", name), "utf8") });

describe("nodejs: the examples", () => {
	test("hello.js and data.js answer as their comments say", async (t) => {
		await withWorker(t, example("hello.js"), "handler", async (worker) => {
			assert.equal((await worker.ask()).text, "Hello World");
		});
		await withWorker(t, example("data.js"), "handler", async (worker) => {
			assert.deepEqual(JSON.parse((await worker.ask({ body: '{"name":"Ada"}', json: true })).text), { hello: "Ada", from: "handler" });
			assert.deepEqual(JSON.parse((await worker.ask()).text), { hello: "World", from: "handler" });
		});
	});

	test("response.js answers with a status and a header", async (t) => {
		await withWorker(t, example("response.js"), "handler", async (worker) => {
			assert.equal((await worker.ask({ path: "/things" })).status, 400);
			const answer = await worker.ask({ path: "/things", query: "id=7" });
			assert.deepEqual([answer.status, answer.headers["location"], answer.text], [201, "/things/7", '{"id":"7"}']);
		});
	});

	test("stream.js ends when its caller goes", since(15), async (t) => {
		await withWorker(t, example("stream.js"), "handler", async (worker) => {
			const id = worker.begin();
			await worker.until(({ line, body }) => line.id === id && body.toString() === "1\n");
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
		});
	});

	test("typed.ts and module.mjs run as they are", since(18), async (t) => {
		await withWorker(t, example("typed.ts"), "handler", async (worker) => {
			assert.equal((await worker.ask({ body: '{"item":"tea","count":12}', json: true })).text, '{"item":"tea","size":"large"}');
		});
		await withWorker(t, example("module.mjs"), "handler", async (worker) => {
			assert.equal(JSON.parse((await worker.ask()).text).platform, process.platform);
		});
	});
});
