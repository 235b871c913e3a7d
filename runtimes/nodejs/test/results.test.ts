import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { major, since, withWorker } from "./worker.ts";

const json = "application/json; charset=utf-8";

describe("nodejs: the result of a handler", () => {
	const plain: [what: string, expression: string, body: string, type: string | undefined][] = [
		["text goes without a type", '"ciao"', "ciao", undefined],
		["text keeps its characters", '"čšž 日本 🎉"', "čšž 日本 🎉", undefined],
		["nothing is an empty answer", "undefined", "", undefined],
		["an empty text is an empty answer", '""', "", undefined],
		["a number is JSON without a type", "42", "42", undefined],
		["what is no number is null", "NaN", "null", undefined],
		["a truth is JSON without a type", "true", "true", undefined],
		["an object is JSON", '({ a: [1, "č"] })', '{"a":[1,"č"]}', json],
		["an array is JSON", "[1, 2]", "[1,2]", json],
		["null is JSON", "null", "null", json],
		["a date is JSON", "new Date(0)", '"1970-01-01T00:00:00.000Z"', json],
		["a Map is the JSON it always was", "new Map([[1, 2]])", "{}", json],
		[
			"an object with keys named as a stream's methods is JSON",
			"({ pipe: 1, next: 2, then: 3, status: 4 })",
			'{"pipe":1,"next":2,"then":3,"status":4}',
			json,
		],
		["a symbol is an empty answer", 'Symbol("x")', "", undefined],
		["a function is an empty answer", "() => 1", "", undefined],
		["a promise is awaited", 'Promise.resolve("later")', "later", undefined],
		["whatever has a then is awaited", '({ then: (f) => setTimeout(f, 1, "then") })', "then", undefined],
		["a Buffer is bytes", "Buffer.from([0, 255])", "\u0000\ufffd", "application/octet-stream"],
		["an ArrayBuffer is bytes", "new Uint8Array([65, 66]).buffer", "AB", "application/octet-stream"],
		["a view of a part is the part", "new Uint8Array([64, 65, 66]).subarray(1)", "AB", "application/octet-stream"],
	];
	test("every kind of value is answered as the README's table says", async (t) => {
		const source = plain.map(([, expression], i) => `exports[${i}] = () => (${expression});`).join("\n");
		await withWorker(t, `${source}\nexports.h = (e) => exports[e.data]();`, "h", async (worker) => {
			for (const [i, [what, , body, type]] of plain.entries()) {
				const answer = await worker.ask({ body: String(i) });
				assert.deepEqual(
					[what, answer.text, answer.headers["content-type"], answer.status, answer.form],
					[what, body, type, 200, ["result"]],
				);
			}
		});
	});

	test("a value that JSON cannot hold is RESULT_INVALID, with the reason", async (t) => {
		const source = `exports.h = (e) => { const a = {}; a.a = a; return { big: 2n, inner: { n: 2n }, circle: a, thrower: { toJSON() { throw new Error("no JSON"); } } }[e.data]; }`;
		const old = source.replaceAll("2n", "a");
		await withWorker(t, major < 11 ? old : source, "h", async (worker) => {
			const wanted: [string, RegExp][] = [
				["inner", major < 11 ? /circular/ : /BigInt/],
				["big", major < 11 ? /circular/ : /BigInt.*String\(value\)/],
				["circle", /circular/],
				["thrower", /no JSON/],
			];
			for (const [body, words] of wanted) {
				const { error } = await worker.ask({ body });
				assert.equal(error?.code, "RESULT_INVALID");
				assert.match(error?.message ?? "", words);
			}
		});
	});

	test("a Buffer that the function changes after its return is sent as it was", async (t) => {
		const source = "const b = Buffer.alloc(9000); exports.h = (e) => { b.fill(Number(e.data)); return b; }";
		await withWorker(t, source, "h", async (worker) => {
			const ids = Array.from({ length: 50 }, (_, i) => worker.begin({ body: String(i) }));
			for (const [i, id] of ids.entries()) assert.deepEqual((await worker.answer(id)).body, Buffer.alloc(9000, i));
		});
	});

	test("a large result is sent in chunks, and waits for a slow caller", async (t) => {
		await withWorker(t, 'exports.h = (e) => e.data === "small" ? "ok" : "č".repeat(500000)', "h", async (worker) => {
			const id = worker.begin();
			worker.send({ type: "pause", id });
			await worker.until(({ line }) => line.type === "head" && line.id === id);
			assert.equal((await worker.ask({ body: "small" })).text, "ok");
			const held = worker.frames.filter(({ line }) => line.type === "chunk").length;
			assert.ok(held < 16, `${held} chunks were sent to a caller who does not read`);
			worker.send({ type: "resume", id });
			const answer = await worker.answer(id);
			assert.equal(answer.headers["content-length"], "1000000");
			assert.equal(answer.text, "č".repeat(500000));
			assert.ok(worker.frames.every(({ body }) => body.length <= 65536));
		});
	});
});

describe("nodejs: a stream as a result", () => {
	const source = `
		const { Readable, PassThrough } = require("stream");
		exports.sync = function* () { yield "one "; yield Buffer.from("two "); yield "three"; };
		exports.lines = function* () { yield { n: 1 }; yield [2]; yield null; };
		exports.empty = function* () {};
		exports.promises = function* () { yield Promise.resolve("a"); yield "b"; };
		exports.readable = () => { const s = new PassThrough(); s.write("x"); setTimeout(() => s.end("y"), 20); return s; };
		exports.large = () => { let n = 0; return new Readable({ read() { this.push(n++ < 40 ? Buffer.alloc(50000, 97) : null); } }); };
		exports.objects = () => { const s = new Readable({ objectMode: true, read() {} }); s.push({ a: 1 }); s.push("text\\n"); s.push(null); return s; };
		exports.breaks = () => { const s = new PassThrough(); s.write("part"); setTimeout(() => s.emit("error", new Error("the source broke")), 20); return s; };
		exports.breaksFirst = () => { const s = new PassThrough(); setTimeout(() => s.emit("error", new Error("nothing came")), 5); return s; };
		exports.throws = function* () { yield "part"; throw new Error("in the middle"); };
		exports.invalid = function* () { yield "part"; const a = {}; a.a = a; try { yield a; } finally { console.log("closed"); } };
		exports.endless = function* () { try { for (;;) yield "x".repeat(1000); } finally { console.log("closed"); } };
		exports.forever = () => new Readable({ read() { this.push("x".repeat(1000)); }, destroy(e, f) { console.log("destroyed"); f(e); } });
		exports.many = function* () { for (let i = 0; i < 20000; i++) yield "0123456789"; };
		exports.h = (event) => exports[event.data]();
	`;

	test("each item is sent as it comes, under a type that fits the first one", async (t) => {
		await withWorker(t, source, "h", async (worker) => {
			const wanted: [string, string, string | undefined, string[]?][] = [
				["sync", "one two three", undefined, ["head", "chunk", "chunk", "chunk", "end"]],
				["lines", '{"n":1}\n[2]\nnull\n', "application/x-ndjson"],
				["empty", "", undefined, ["result"]],
				["promises", "ab", undefined],
				["readable", "xy", "application/octet-stream"],
				["large", "a".repeat(2_000_000), "application/octet-stream"],
				["objects", '{"a":1}\ntext\n', "application/x-ndjson"],
				["many", "0123456789".repeat(20000), undefined],
			];
			for (const [body, text, type, form] of wanted) {
				const answer = await worker.ask({ body });
				assert.equal(answer.text, text, body);
				assert.equal(answer.headers["content-type"], type, body);
				if (form) assert.deepEqual(answer.form, form, body);
			}
		});
	});

	test("a stream that breaks ends in an error, without a head if nothing was sent", async (t) => {
		await withWorker(t, source, "h", async (worker) => {
			const wanted: [string, RegExp, string[]][] = [
				["breaks", /the source broke/, ["head", "chunk", "error"]],
				["breaksFirst", /nothing came/, ["error"]],
				["throws", /in the middle/, ["head", "chunk", "error"]],
				["invalid", /circular/, ["head", "chunk", "error"]],
			];
			for (const [body, words, form] of wanted) {
				const answer = await worker.ask({ body });
				assert.match(answer.error?.message ?? "", words);
				assert.deepEqual(answer.form, form, body);
			}
			assert.match(worker.printed(), /closed/);
		});
	});

	test("a stream waits for a slow caller without delaying others, and is closed when the caller goes", async (t) => {
		await withWorker(t, source, "h", async (worker) => {
			for (const [body, trace] of [
				["endless", /closed/],
				["forever", /destroyed/],
			] as const) {
				const id = worker.begin({ body });
				worker.send({ type: "pause", id });
				assert.equal((await worker.ask({ body: "sync" })).text, "one two three");
				await new Promise((resolve) => setTimeout(resolve, 100));
				const count = () => worker.frames.filter(({ line }) => line.type === "chunk" && line.id === id).length;
				const before = count();
				await new Promise((resolve) => setTimeout(resolve, 100));
				assert.equal(count(), before, `${body} goes on`);
				worker.send({ type: "resume", id });
				await worker.until(({ line }) => line.type === "chunk" && line.id === id, worker.frames.length);
				worker.send({ type: "cancel", id });
				assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
				assert.match(worker.printed("stdout"), trace);
			}
		});
	});

	test("an async generator is streamed, and its finally runs when the caller goes", since(10), async (t) => {
		const async_ = `exports.h = async function* (event) { try { for (let i = 0; i < 3; i++) { await new Promise((r) => setTimeout(r, 5)); yield "n" + i; } if (event.data === "on") for (;;) { await null; yield "x"; } } finally { console.log("finally"); } }`;
		await withWorker(t, async_, "h", async (worker) => {
			assert.equal((await worker.ask()).text, "n0n1n2");
			const id = worker.begin({ body: "on" });
			await worker.until(({ line, body }) => line.id === id && body.toString() === "x");
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			assert.match(worker.printed("stdout", id), /finally/);
		});
	});

	test("a ReadableStream and a Response of fetch are streamed", since(18), async (t) => {
		const web = `
			exports.stream = () => new ReadableStream({ start(c) { c.enqueue("a"); c.enqueue(new Uint8Array([98])); c.close(); } });
			exports.response = () => new Response(JSON.stringify({ a: 1 }), { status: 418, headers: [["content-type", "application/json"], ["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "č".codePointAt() ? "y" : ""]] });
			exports.bare = () => new Response(null, { status: 204 });
			exports.short = () => new Response("12345", { headers: { "content-length": "9" } });
			exports.used = async () => { const r = new Response("x"); await r.text(); return r; };
			exports.under = (e) => { e.extensions.response.set("X-B", "z"); return new Response("x", { status: 201, headers: { "x-a": "y" } }); };
			exports.h = (event) => exports[event.data](event);
		`;
		await withWorker(t, web, "h", async (worker) => {
			assert.equal((await worker.ask({ body: "stream" })).text, "ab");
			const response = await worker.ask({ body: "response" });
			assert.equal(response.status, 418);
			assert.equal(response.text, '{"a":1}');
			assert.equal(response.headers["content-type"], "application/json");
			assert.equal(response.headers["x-a"], "y");
			assert.match(response.headers["set-cookie"] ?? "", /a=1.*b=2/);
			const bare = await worker.ask({ body: "bare" });
			assert.deepEqual([bare.status, bare.text], [204, ""]);
			assert.match((await worker.ask({ body: "short" })).error?.message ?? "", /less than the Content-Length/);
			assert.ok((await worker.ask({ body: "used" })).error);
			const under = await worker.ask({ body: "under" });
			assert.deepEqual([under.status, under.headers["x-a"], under.headers["x-b"], under.text], [201, "y", "z", "x"]);
		});
	});
});
