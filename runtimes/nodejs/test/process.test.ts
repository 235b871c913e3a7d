import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { since, start, withWorker } from "./worker.ts";

describe("nodejs: what a function does wrong", () => {
	test("ends its call alone, whatever it throws", async (t) => {
		const source = `
			const hostile = { get message() { throw new Error("no"); }, get stack() { throw new Error("no"); }, toString() { throw new Error("no"); } };
			const proxied = new Proxy({}, { get() { throw new Error("no"); } });
			const toString = new Error("fine"); toString.toString = () => { throw new Error("no"); };
			const caused = new Error("outer"); caused.cause = new TypeError("inner");
			const things = [new TypeError("plain"), "text", null, undefined, 7, { code: 3 }, hostile, proxied, toString, caused, new Error("x".repeat(100000)), Symbol("s")];
			exports.h = (event) => { const [how, i] = event.data.split(" "); if (how === "throw") throw things[i]; return how === "later" ? new Promise((_, no) => setTimeout(no, 1, things[i])) : Promise.reject(things[i]); };
		`;
		await withWorker(t, source, "h", async (worker) => {
			const messages = [
				/^plain$/,
				/^text$/,
				/^null was thrown/,
				/^undefined was thrown/,
				/^7 was thrown/,
				/code: 3/,
				/./,
				/./,
				/^fine$/,
				/^outer$/,
				/^x{16384}…$/,
				/Symbol\(s\)/,
			];
			for (const how of ["throw", "reject", "later"]) {
				for (const [i, words] of messages.entries()) {
					const { error } = await worker.ask({ body: `${how} ${i}` });
					assert.equal(error?.type, "error");
					assert.match(error?.message ?? "", words);
					assert.ok((error?.stack ?? "").length <= 16385);
				}
			}
			const { error } = await worker.ask({ body: "throw 9" });
			assert.match(error?.stack ?? "", /Error: outer.*h\.js:5.*caused by: TypeError: inner/s);
			assert.doesNotMatch(error?.stack ?? "", /worker\.js|node:internal/);
		});
	});

	test("is logged, and the worker lives on, where no call can be blamed", async (t) => {
		const source = `exports.h = (event) => {
			if (event.data === "timer") setTimeout(() => { throw new Error("in a timer"); }, 1);
			else if (event.data === "rejection") Promise.reject(new Error("unheard"));
			else if (event.data === "emitter") setImmediate(() => new (require("events"))().emit("error", new Error("no listener")));
			else if (event.data === "deep") { const f = () => f() + 1; f(); }
			return "ok";
		}`;
		await withWorker(t, source, "h", async (worker) => {
			for (const [body, words] of [
				["timer", /Uncaught exception: Error: in a timer/],
				["rejection", /Unhandled rejection: Error: unheard/],
				["emitter", /no listener/],
			] as const) {
				assert.equal((await worker.ask({ body })).text, "ok");
				await worker.until(({ line, body }) => line.type === "log" && line.stream === "stderr" && words.test(body.toString()));
			}
			assert.match((await worker.ask({ body: "deep" })).error?.message ?? "", /call stack/);
			assert.equal((await worker.ask()).text, "ok");
		});
	});

	test("can be to exit: what was answered before it arrives, and the exit code is the function's", async (t) => {
		const worker = await start(
			t,
			'exports.h = (e) => { if (e.data === "exit") { process.stdout.write("bye"); process.exit(5); } return "ok"; }',
		).ready();
		const first = worker.begin();
		worker.begin({ body: "exit" });
		assert.equal(await worker.exited, 5);
		assert.equal((await worker.answer(first)).text, "ok");
		assert.equal(worker.printed(), "bye\n");
	});

	test("does not reach the wire through its child processes", async (t) => {
		const source = `exports.h = () => require("child_process").execSync("ls -l /proc/self/fd").toString()`;
		await withWorker(t, source, "h", async (worker) => {
			const fds = (await worker.ask()).text;
			assert.doesNotMatch(fds, / 3 -> socket/);
		});
	});
});

describe("nodejs: what a function prints", () => {
	test("is sent line by line under the call that printed it", async (t) => {
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

	test("is told apart though calls print at the same time", since(14), async (t) => {
		const source = `exports.h = async (event) => { for (let i = 0; i < 5; i++) { process.stdout.write("<"); console.log(event.data); await new Promise((f) => setTimeout(f, Math.random() * 5)); } }`;
		await withWorker(t, source, "h", async (worker) => {
			const ids = Array.from({ length: 20 }, (_, i) => worker.begin({ body: String(i) }));
			for (const [i, id] of ids.entries()) {
				await worker.answer(id);
				assert.equal(worker.printed("stdout", id), `<${i}\n`.repeat(5));
			}
		});
	});

	test("arrives though an endless loop follows it", async (t) => {
		const worker = await start(t, 'exports.h = () => { console.log("last words"); for (;;); }').ready();
		worker.begin();
		await worker.until(({ body }) => body.toString() === "last words\n");
		worker.kill();
		await worker.exited;
	});

	test("may be a flood: nothing is lost, and memory is bounded", async (t) => {
		const source =
			'exports.h = () => { const before = process.memoryUsage().rss; for (let i = 0; i < 100000; i++) console.log("line " + i + "x".repeat(100)); return Math.round((process.memoryUsage().rss - before) / 1048576); }';
		await withWorker(t, source, "h", async (worker) => {
			const grown = Number((await worker.ask()).text);
			const lines = () => (worker.printed() + worker.stdout).split("\n").filter((text) => text.startsWith("line ")).length;
			for (let i = 0; i < 20 && lines() < 100_000; i++) await new Promise((resolve) => setTimeout(resolve, 100));
			assert.equal(lines(), 100_000);
			assert.ok(grown < 100, `it grew by ${grown} MB`);
		});
	});
});

describe("nodejs: how a worker ends", () => {
	test("after stop it answers what it holds, and leaves though something is still open", async (t) => {
		const source =
			'require("net").createServer().listen(0); setInterval(() => {}, 1000); exports.h = () => new Promise((f) => setTimeout(f, 100, "late"))';
		const worker = await start(t, source).ready();
		const id = worker.begin();
		assert.equal(await worker.stop(), 0);
		assert.equal((await worker.answer(id)).text, "late");
	});

	test("at the end of the wire it is gone, whatever the function listens to", async (t) => {
		const worker = await start(
			t,
			'process.on("exit", () => { for (;;); }); process.exit = () => {}; exports.h = () => new Promise(() => {})',
		).ready();
		worker.begin();
		worker.wire.end();
		await worker.exited;
	});

	test("a terminal's ^C is not its business", async (t) => {
		await withWorker(t, "exports.h = () => 'ok'", "h", async (worker) => {
			worker.child.kill("SIGINT");
			assert.equal((await worker.ask()).text, "ok");
		});
	});
});
