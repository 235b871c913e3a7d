import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { needsRuby, startAny } from "./worker.ts";

const PLAIN = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json";
const BYTES = "application/octet-stream";

describe("Ruby: the result", needsRuby, () => {
	const RESULTS: [value: string, text: string, type: string | undefined, status?: number][] = [
		["'žluť'", "žluť", PLAIN],
		["''", "", PLAIN],
		["nil", "", undefined],
		[":symbol", "symbol", PLAIN],
		["'<h1>hello</h1>'", "<h1>hello</h1>", HTML],
		['"\\n <!DOCTYPE html><html></html>"', "\n <!DOCTYPE html><html></html>", HTML],
		["'<hello>'", "<hello>", PLAIN],
		["'bytes'.b", "bytes", BYTES],
		["'\u00e9'.encode('ISO-8859-1')", "é", PLAIN],
		["{ a: 1 }", '{"a":1}', JSON_TYPE],
		["{}", "{}", JSON_TYPE],
		["[]", "[]", JSON_TYPE],
		["['a', 'b']", '["a","b"]', JSON_TYPE],
		["[1, 2, 3]", "[1,2,3]", JSON_TYPE],
		["[1, 'a']", '[1,"a"]', JSON_TYPE],
		["[1, {}, 'a']", '[1,{},"a"]', JSON_TYPE],
		["[200, {}, 1]", "[200,{},1]", JSON_TYPE],
		["[200, [], 'a']", '[200,[],"a"]', JSON_TYPE],
		["1.5", "1.5", JSON_TYPE],
		["false", "false", JSON_TYPE],
		["404", "", undefined, 404],
		["[404, 'no such user']", "no such user", PLAIN, 404],
		["[201, {}, ['a', 'b']]", "ab", PLAIN, 201],
		["[201, {}, 'text']", "text", PLAIN, 201],
		["[201, {}, { a: 1 }]", '{"a":1}', JSON_TYPE, 201],
		["[204, {}, []]", "", PLAIN, 204],
		["[200, { 'content-type' => 'text/csv' }, ['a,b']]", "a,b", "text/csv"],
		["[200, { 'Content-Type' => 'text/csv' }, ['a,b'].each]", "a,b", "text/csv"],
		["[200, { 'Content-Type' => 'text/csv', 'Content-Length' => '99' }, ['a,b']]", "a,b", "text/csv"],
		["[200, {}, ->(out) { out << 'a'; out.write('b'); out.close }]", "ab", PLAIN],
		["require 'rack'; Rack::Response.new(['made'], 201, { 'Content-Type' => 'text/csv' })", "made", "text/csv", 201],
		["%w[a b].each", "ab", PLAIN],
		["%w[a b].lazy.map(&:upcase)", "AB", PLAIN],
		["['a'.b].each", "a", BYTES],
		["[].each", "", PLAIN],
		["require 'stringio'; StringIO.new('file')", "file", BYTES],
		["r, w = IO.pipe; w << 'piped'; w.close; r", "piped", BYTES],
		["'x' * 300_000", "x".repeat(300_000), PLAIN],
		["'é' * 300_000", "é".repeat(300_000), PLAIN],
	];
	test("every returned value is sent as the table in the README states", async (t) => {
		const worker = startAny(t);
		for (const [value, text, expected, status] of RESULTS) {
			const frame = await worker.ask({ body: value });
			assert.deepEqual([value, frame.text, frame.headers["content-type"], frame.status], [value, text, expected, status ?? 200]);
		}
	});

	test("a value that cannot be sent is an error that names it", async (t) => {
		const worker = startAny(t, {}, "class Order; end\nPair = Struct.new(:a, :b)");
		for (const [value, words] of [
			["Order.new", /^the handler returned an Order, which cannot be sent: return a String/],
			["Pair.new(1, 2)", /a Pair\b/],
			["42", /returned 42, and an Integer is an HTTP status/],
			["[100, {}, '']", /returned 100/],
			["Float::NAN", /a Float that has no JSON form/],
			['{ a: "\\xff" }', /a Hash that has no JSON form/],
			["a = []; a << a; a", /an Array that has no JSON form/],
			["[1].each", /streamed an Integer: a stream may give Strings only/],
			["[200, { 'X-Name' => \"a\\r\\nX-Evil: 1\" }, []]", /header that cannot be sent/],
			["[200, { 'X-Name' => \"a\\nb\" }, []]", /header that cannot be sent/],
			["[200, { \"X\\nY\" => '1' }, []]", /header that cannot be sent/],
		] as const) {
			const { error } = await worker.ask({ body: value });
			assert.deepEqual([value, error?.code], [value, "RESULT_INVALID"]);
			assert.match(error?.message ?? "", words);
		}
	});

	test("headers over 1 MiB end their own call and not the worker", async (t) => {
		const worker = startAny(t);
		const { error } = await worker.ask({ body: "[200, { 'X-A' => 'a' * (1 << 20) }, 'x']" });
		assert.equal(error?.code, "RESULT_INVALID");
		assert.match(error?.message ?? "", /bytes of headers: the limit is/);
		assert.equal((await worker.ask({ body: "'short'" })).text, "short");
	});

	test("a header may be repeated as in Rack 3 and Rack 2, and need not be ASCII", async (t) => {
		const worker = startAny(t);
		for (const value of ["['a=1', 'b=2']", '"a=1\\nb=2"']) {
			const head = (await worker.ask({ body: `[200, { 'Set-Cookie' => ${value} }, []]` })).frames[0]?.head ?? [];
			assert.deepEqual(
				head.filter(([name]) => name === "Set-Cookie"),
				[
					["Set-Cookie", "a=1"],
					["Set-Cookie", "b=2"],
				],
			);
		}
		const odd = await worker.ask({ body: "[200, { 'X-Name' => 'žluť', 'X-Two' => 'é' }, ['ž'.b, 'x']]" });
		assert.equal(Buffer.from(odd.headers["x-name"] ?? "", "latin1").toString(), "žluť");
		assert.equal(odd.headers["x-two"], "\u00e9");
		assert.equal(odd.text, "žx");
	});

	test("a stream is made while it is sent, rests while it is paused, and is closed when it is cancelled", async (t) => {
		const more =
			"@made = 0\n@closed = false\ndef endless\n  Enumerator.new do |out|\n    loop { @made += 1; out << 'x' * 1000; sleep 0.001 }\n  ensure\n    @closed = true\n  end\nend";
		const worker = startAny(t, {}, more);
		const id = worker.begin({ body: "endless" });
		await worker.until(({ line }) => line.id === id && line.type === "head");
		worker.send({ type: "pause", id });
		await wait(100);
		const before = (await worker.ask({ body: "@made.to_s" })).text;
		await wait(100);
		assert.equal((await worker.ask({ body: "@made.to_s" })).text, before);
		worker.send({ type: "resume", id });
		await wait(50);
		assert.notEqual((await worker.ask({ body: "@made.to_s" })).text, before);
		worker.send({ type: "cancel", id });
		assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
		assert.equal((await worker.ask({ body: "@closed.to_s" })).text, "true");
	});

	test("a Rack body is closed after it was sent", async (t) => {
		const more = "class Body\n  attr_reader :closed\n  def each; yield 'a'; end\n  def close; @closed = true; end\nend\nBODY = Body.new";
		const worker = startAny(t, {}, more);
		assert.equal((await worker.ask({ body: "[200, {}, BODY]" })).text, "a");
		assert.equal((await worker.ask({ body: "BODY.closed.to_s" })).text, "true");
	});
});
