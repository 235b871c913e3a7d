import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { since, start, withWorker } from "./worker.ts";

describe("nodejs: a function's faults", () => {
	test("an exception of any kind ends its call alone", async (t) => {
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

	test("the stack of an error has its own properties, its causes and its inner errors", async (t) => {
		const source = `
			const inner = Object.assign(new Error("first reason"), { code: "ECONNREFUSED", port: 80, request: { password: "secret" } });
			const circle = new Error("circle"); circle.cause = circle; circle.errors = [circle];
			const many = new Error("many"); many.errors = Array.from({ length: 1000 }, (_, i) => new Error("error number " + i));
			const things = {
				aggregate: Object.assign(new Error(""), { name: "AggregateError", code: "ECONNREFUSED", errors: [inner, new TypeError("second reason"), "text"] }),
				circle, many,
			};
			exports.h = (event) => { throw things[event.data]; };
		`;
		await withWorker(t, source, "h", async (worker) => {
			const { message, stack = "" } = (await worker.ask({ body: "aggregate" })).error ?? {};
			assert.equal(message, "AggregateError [ECONNREFUSED]");
			assert.match(stack, /error 1 of 3: Error: first reason\n.*h\.js:2.*\n +\{ code: 'ECONNREFUSED', port: 80 \}/);
			assert.match(stack, /error 2 of 3: TypeError: second reason\n.*error 3 of 3: 'text'/s);
			assert.doesNotMatch(stack, /secret/);
			assert.equal((await worker.ask({ body: "circle" })).error?.stack?.match(/Error: circle/g)?.length, 1);
			assert.ok(((await worker.ask({ body: "many" })).error?.stack?.match(/error number/g)?.length ?? 0) < 10);
		});
	});

	test("an error outside of every call is logged, and the worker serves on", async (t) => {
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

	test("process.exit() sends the answers before it, and the exit code is the function's", async (t) => {
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

	test("child processes do not inherit the wire", async (t) => {
		const source = `exports.h = () => require("child_process").execSync("ls -l /proc/self/fd").toString()`;
		await withWorker(t, source, "h", async (worker) => {
			const fds = (await worker.ask()).text;
			assert.doesNotMatch(fds, / 3 -> socket/);
		});
	});
});

describe("nodejs: calls in one process", () => {
	const source = `
		const { AsyncLocalStorage } = require("async_hooks");
		const user = new AsyncLocalStorage();
		const seen = () => user.getStore() || "none";
		exports.h = async (event) => {
			const before = seen();
			if (typeof event.data === "string") user.enterWith(event.data);
			await new Promise((resolve) => setTimeout(resolve, 1));
			return before + " " + seen();
		};
		exports.g = function* (event) { user.enterWith(event.data); for (let i = 0; i < 100; i++) yield seen().replace("none", "-"); };
	`;
	// The second one is how Node.js 20 and 22 keep the context.
	for (const flags of ["", "--no-async-context-frame"]) {
		test(`AsyncLocalStorage.enterWith() of one call does not reach another ${flags}`, since(flags === "" ? 14 : 24), async (t) => {
			const env = { NODE_OPTIONS: flags };
			await withWorker(
				t,
				source,
				"h",
				async (worker) => {
					// Sent together, so that they arrive in one chunk.
					const ids = Array.from({ length: 20 }, (_, i) => worker.begin(i % 2 === 0 ? { body: `user ${i}` } : {}));
					for (const [i, id] of ids.entries()) {
						assert.equal((await worker.answer(id)).text, i % 2 === 0 ? `none user ${i}` : "none none");
					}
				},
				env,
			);
			await withWorker(
				t,
				source,
				"g",
				async (worker) => {
					const ids = ["a", "b"].map((body) => worker.begin({ body }));
					for (const [i, id] of ids.entries()) assert.ok(!(await worker.answer(id)).text.includes("ba".charAt(i)));
				},
				env,
			);
		});
	}
});

describe("nodejs: the end of a worker", () => {
	const endings: [what: string, source: string, printed: RegExp][] = [
		["a SIGTERM listener", 'process.on("SIGTERM", (...values) => console.log("closing", ...values));', /^closing SIGTERM 15\n$/],
		[
			"a SIGTERM listener that returns a promise, though something stays open",
			'setInterval(() => {}, 1000); process.on("SIGTERM", () => new Promise((f) => setTimeout(f, 20)).then(() => console.log("closed")));',
			/^closed\n$/,
		],
		[
			"a SIGTERM listener that calls process.exit() later, though something stays open",
			'setInterval(() => {}, 1000); process.once("SIGTERM", () => { setTimeout(() => { console.log("closed"); process.exit(0); }, 20); });',
			/^closed\n$/,
		],
		[
			"a SIGTERM listener that works on after it has returned",
			'process.on("SIGTERM", () => { setTimeout(() => console.log("closed"), 20); });',
			/^closed\n$/,
		],
		[
			"SIGTERM listeners of which some fail",
			'process.on("SIGTERM", () => { throw new Error("one"); }); process.on("SIGTERM", () => Promise.reject(new Error("two"))); process.on("SIGTERM", () => Promise.resolve().then(() => console.log("closed")));',
			/^closed\n$/,
		],
	];
	for (const [what, source, printed] of endings) {
		test(`stop runs ${what}, after the last answer`, async (t) => {
			const worker = await start(t, `${source} exports.h = () => new Promise((f) => setTimeout(f, 20, "late"))`).ready();
			const id = worker.begin();
			assert.equal(await worker.stop(), 0);
			const frames = worker.frames.map(({ line }) => line);
			const answered = frames.findIndex((line) => line.id === id && line.type === "result");
			assert.match(worker.printed("stdout"), printed);
			assert.ok(answered >= 0 && answered < frames.findIndex(({ type, stream }) => type === "log" && stream === "stdout"));
			if (what.includes("fail")) assert.match(worker.printed("stderr"), /one.*two/s);
		});
	}

	test("stop waits for open calls, and not for what else the function has open", async (t) => {
		const source =
			'require("net").createServer().listen(0); setInterval(() => {}, 1000); exports.h = () => new Promise((f) => setTimeout(f, 100, "late"))';
		const worker = await start(t, source).ready();
		const id = worker.begin();
		assert.equal(await worker.stop(), 0);
		assert.equal((await worker.answer(id)).text, "late");
	});

	test("the end of the wire ends the process, whatever exit hooks the function has", async (t) => {
		const worker = await start(
			t,
			'process.on("exit", () => { for (;;); }); process.exit = () => {}; exports.h = () => new Promise(() => {})',
		).ready();
		worker.begin();
		worker.wire.end();
		await worker.exited;
	});

	test("SIGINT does not end the worker", async (t) => {
		await withWorker(t, "exports.h = () => 'ok'", "h", async (worker) => {
			worker.child.kill("SIGINT");
			assert.equal((await worker.ask()).text, "ok");
		});
	});
});
