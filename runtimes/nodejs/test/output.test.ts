import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { since, start, withWorker } from "./worker.ts";

describe("nodejs: what a function prints", () => {
	test("each printed line is sent with the id of its call", async (t) => {
		const source = `
			console.log("loading");
			exports.h = async (event) => {
				console.log("start", event.data);
				process.stdout.write("a");
				process.stdout.write(Buffer.from("b"));
				await new Promise((f) => setTimeout(f, 5));
				console.error("failing %s", event.data);
				await null;
				process.stdout.write("no end of line");
				return "ok";
			}`;
		await withWorker(t, source, "h", async (worker) => {
			const one = worker.begin({ body: "one" });
			await worker.answer(one);
			assert.equal(worker.printed("stdout", one), "start one\nabno end of line\n");
			assert.equal(worker.printed("stderr", one), "failing one\n");
			assert.match(worker.printed(), /^loading\n/);
			assert.deepEqual([worker.stdout, worker.stderr], ["", ""]);
		});
	});

	test("lines that several calls print in parts at the same time stay whole", since(14), async (t) => {
		const source = `exports.h = async (event) => { for (const part of ["<", event.data, ">"]) { process.stdout.write(part); await new Promise((f) => setTimeout(f, Math.random() * 5)); } console.log("."); process.stdout.write("end"); }`;
		await withWorker(t, source, "h", async (worker) => {
			const ids = Array.from({ length: 20 }, (_, i) => worker.begin({ body: String(i) }));
			for (const [i, id] of ids.entries()) {
				await worker.answer(id);
				assert.equal(worker.printed("stdout", id), `<${i}>.\nend\n`);
			}
		});
	});

	test("lines of calls that print at the same time have the right ids", since(14), async (t) => {
		const source = `exports.h = async (event) => { for (let i = 0; i < 5; i++) { process.stdout.write("<"); console.log(event.data); await new Promise((f) => setTimeout(f, Math.random() * 5)); } }`;
		await withWorker(t, source, "h", async (worker) => {
			const ids = Array.from({ length: 20 }, (_, i) => worker.begin({ body: String(i) }));
			for (const [i, id] of ids.entries()) {
				await worker.answer(id);
				assert.equal(worker.printed("stdout", id), `<${i}\n`.repeat(5));
			}
		});
	});

	test("a line arrives before an endless loop that follows it", async (t) => {
		const worker = await start(t, 'exports.h = () => { console.log("before the loop"); for (;;); }').ready();
		worker.begin();
		await worker.until(({ body }) => body.toString() === "before the loop\n");
		worker.kill();
		await worker.exited;
	});

	test("100,000 lines arrive whole, and memory stays bounded", async (t) => {
		const source =
			'exports.h = () => { const before = process.memoryUsage().rss; for (let i = 0; i < 100000; i++) console.log("line " + i + "x".repeat(100)); return Math.round((process.memoryUsage().rss - before) / 1048576); }';
		await withWorker(t, source, "h", async (worker) => {
			const grown = Number((await worker.ask()).text);
			const lines = () => (worker.printed() + worker.stdout).split("\n").filter((text) => text.startsWith("line ")).length;
			for (let i = 0; i < 1200 && lines() < 100_000; i++) await new Promise((resolve) => setTimeout(resolve, 100));
			assert.equal(lines(), 100_000);
			assert.ok(grown < 100, `it grew by ${grown} MB`);
		});
	});
});
