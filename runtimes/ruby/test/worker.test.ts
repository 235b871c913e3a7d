import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder } from "../../../test/support/loader.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// What is special to functions in Ruby; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../", import.meta.url));
const { missing, candidate } = readRuntimes().find(({ id }) => id === "ruby") ?? assert.fail("runtimes/ruby has no conformance functions");

/** A worker for the first of the files. */
const start = (t: TestContext, files: Files, handler?: string, env?: Env) => startIn(t, firstOf(t, files), handler, env);

const startIn = (t: TestContext, file: string, handler = "handler", env: Env = {}) =>
	new WireEnd(t, candidate(), file, handler, { FUNC_RUNTIME: "ruby3", ...env });

/** A worker whose function evaluates the code that a call sends it, and returns what comes of it. */
function startAny(t: TestContext, env: Env = {}, more = ""): WireEnd {
	return start(t, { "any.rb": `${more}\ndef handler(event, context)\n  eval(event[:data])\nend\n` }, "handler", env);
}

const PLAIN = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json";
const BYTES = "application/octet-stream";

describe("Ruby", { skip: missing ?? false }, () => {
	describe("what a handler returns", () => {
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
		test("is sent as the table in the README says", async (t) => {
			const worker = startAny(t);
			for (const [value, text, expected, status] of RESULTS) {
				const frame = await worker.ask({ body: value });
				assert.deepEqual([value, frame.text, frame.headers["content-type"], frame.status], [value, text, expected, status ?? 200]);
			}
		});

		test("and cannot be sent is named", async (t) => {
			const worker = startAny(t, {}, "class Order; end\nPair = Struct.new(:a, :b)");
			for (const [value, words] of [
				["Order.new", /^the handler returned an Order, which cannot be sent: return a String/],
				["Pair.new(1, 2)", /a Pair\b/],
				["42", /returned 42, and an Integer is an HTTP status/],
				["[100, {}, '']", /returned 100/],
				["Float::NAN", /a Float that has no JSON form/],
				['{ a: "\\xff" }', /a Hash that has no JSON form/],
				["a = []; a << a; a", /an Array that has no JSON form/],
				["[1].each", /streamed an Integer: what it streams must be Strings/],
				["[200, { 'X-Name' => \"a\\r\\nX-Evil: 1\" }, []]", /header that cannot be sent/],
				["[200, { 'X-Name' => \"a\\nb\" }, []]", /header that cannot be sent/],
				["[200, { \"X\\nY\" => '1' }, []]", /header that cannot be sent/],
			] as const) {
				const { error } = await worker.ask({ body: value });
				assert.deepEqual([value, error?.code], [value, "RESULT_INVALID"]);
				assert.match(error?.message ?? "", words);
			}
		});

		test("may have a header more than once, in the ways of Rack 3 and Rack 2, and headers that are not ASCII", async (t) => {
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
	});

	describe("the request", () => {
		test("is a Rack request, made when it is asked for", async (t) => {
			const worker = startAny(t);
			assert.equal((await worker.ask({ body: "$LOADED_FEATURES.any? { |file| file.end_with?('/rack.rb') }.to_s" })).text, "false");
			const code = `
				request = event[:extensions][:request]
				[request.request_method, request.path, request.query_string, request.params['x'], request.get_header('HTTP_X_NAME'), request.cookies['a'],
					request.host, request.port, request.media_type, request.body.read.bytesize == request.content_length.to_i].inspect`;
			const head = [
				"Host: example.com:8080",
				"X-Name: a",
				"x-name: b",
				"X_NAME: no",
				"Cookie: a=1",
				"Cookie: b=2",
				"Content-Type: text/plain; charset=utf-8",
			];
			const { text } = await worker.ask({ body: code, method: "PUT", path: "/a%20b", query: "x=1%202", head });
			assert.equal(text, '["PUT", "/a%20b", "x=1%202", "1 2", "a, b", "1", "example.com", 8080, "text/plain", true]');
		});

		test("reads a form", async (t) => {
			const worker = start(t, { "form.rb": "def handler(event, context)\n  event.dig(:extensions, :request).params['name']\nend" });
			const form = { body: "name=Ada&x=1", method: "POST", head: ["Content-Type: application/x-www-form-urlencoded"] };
			assert.equal((await worker.ask(form)).text, "Ada");
		});

		test("is there however the extensions are looked at, beside the attributes of a CloudEvent", async (t) => {
			const worker = startAny(t);
			for (const code of [
				"key?(:request)",
				"keys.include?(:request)",
				"fetch(:request) && true",
				"to_a.flatten.include?(:request)",
				"any? { |name, _| name == :request }",
				"inspect.include?('Rack::Request')",
			])
				assert.equal((await worker.ask({ body: `event[:extensions].${code}.to_s` })).text, "true", code);
			const { text } = await worker.ask({ body: "event[:extensions].keys.sort.inspect", extensions: { source: "/here", request: "no" } });
			assert.equal(text, "[:request, :source]");
			assert.equal((await worker.ask({ body: "event[:extensions][:nothing].inspect" })).text, "nil");
		});

		test("comes with the function's own rack, if it has one", async (t) => {
			const file = firstOf(t, {
				"own.rb": "def handler(event, context)\n  event[:extensions][:request].to_s + $LOADED_FEATURES.grep(/rack.rb$/).size.to_s\nend",
			});
			const place = join(
				dirname(file),
				execFileSync("ruby", ["-e", "print 'ruby/', RbConfig::CONFIG['ruby_version']"], { encoding: "utf8" }),
			);
			mkdirSync(join(place, "specifications"), { recursive: true });
			mkdirSync(join(place, "gems/rack-1.0/lib"), { recursive: true });
			writeFileSync(
				join(place, "specifications/rack-1.0.gemspec"),
				"Gem::Specification.new { |s| s.name = 'rack'; s.version = '1.0'; s.summary = 'own'; s.authors = ['me'] }",
			);
			writeFileSync(
				join(place, "gems/rack-1.0/lib/rack.rb"),
				"module Rack; class Request; def initialize(env); end; def to_s; 'own'; end; end; end",
			);
			assert.equal((await startIn(t, file).ask()).text, "own1");
		});
	});

	describe("event and context", () => {
		test("have symbols for names, and nil for what the caller did not say", async (t) => {
			const worker = startAny(t);
			const { text } = await worker.ask({
				body: "[event.keys, event.values_at(:'event-id', :'event-type', :'event-time', :'event-namespace'), context].inspect.gsub(/:?\"([a-z-]+)\"(?:=>|: )/, '\\1: ').gsub(/:([a-z]+)=>/, '\\1: ')",
			});
			assert.equal(
				text,
				'[[:data, :"event-id", :"event-type", :"event-time", :"event-namespace", :extensions], [nil, nil, nil, nil], {function-name: "handler", timeout: "30", runtime: "ruby3", memory-limit: "128Mi"}]',
			);
			assert.equal((await worker.ask({ body: "event[:'event-id']", "event-id": "id 1" })).text, "id 1");
		});

		test("data is text in UTF-8, bytes where it cannot be, JSON where it says so, and '' where there is nothing", async (t) => {
			const worker = start(t, {
				"data.rb":
					"def handler(event, context)\n  [event[:data].class, event[:data].respond_to?(:encoding) ? event[:data].encoding : nil, event[:data]].inspect.b\nend",
			});
			assert.equal((await worker.ask({ body: "é" })).text, '[String, #<Encoding:UTF-8>, "é"]');
			assert.match((await worker.ask({ body: Buffer.from([0xff]) })).text, /^\[String, #<Encoding:(BINARY \()?ASCII-8BIT\)?>, "\\xFF"\]$/);
			assert.equal((await worker.ask()).text, '[String, #<Encoding:UTF-8>, ""]');
			assert.equal((await worker.ask({ json: true })).text, '[String, #<Encoding:UTF-8>, ""]');
			assert.equal((await worker.ask({ json: true, body: "\ufeff[1]" })).text, "[Array, nil, [1]]");
			const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
			assert.ok((await worker.ask({ json: true, body: deep })).text.includes(deep));
		});

		test("each call has a context of its own", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "context[:runtime] = 'mine'; ''" });
			assert.equal((await worker.ask({ body: "context[:runtime]" })).text, "ruby3");
		});
	});

	describe("what a handler does wrong", () => {
		test("ends its call alone", async (t) => {
			const worker = startAny(t);
			for (const [code, words] of [
				["exit", /^SystemExit/],
				["exit(3)", /^SystemExit/],
				["abort('enough')", /^SystemExit: enough/],
				["throw :nobody", /^UncaughtThrowError/],
				["raise Exception, 'bare'", /^Exception: bare/],
				["raise NoMemoryError", /^NoMemoryError/],
				["raise Interrupt", /^Interrupt/],
				["raise SignalException, 'TERM'", /^SignalException: SIGTERM/],
				["def deep; deep + 1; end; deep", /^SystemStackError: stack level too deep/],
				["Thread.exit", /the handler ended the thread it ran on/],
				["Thread.current.kill", /the handler ended the thread it ran on/],
				["eval('1 +')", /^SyntaxError/],
				["raise Class.new(StandardError) { def message; raise 'no'; end }", /message raised RuntimeError/],
				["nosuch", /^NameError/],
			] as const) {
				const { error } = await worker.ask({ body: code });
				assert.deepEqual([code, error?.type, error?.code ?? "FUNCTION_THREW"], [code, "error", "FUNCTION_THREW"]);
				assert.match(error?.message ?? "", words);
			}
			assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
			assert.equal(await worker.stop(), 0);
		});

		test("is told with the function's own lines and with causes, at a bounded length", async (t) => {
			const worker = start(t, {
				"wrong.rb":
					"def handler(event, context)\n  inner\nrescue ArgumentError\n  raise 'outer'\nend\n\ndef inner\n  raise ArgumentError, 'inner'\nend\n",
			});
			const { message, stack = "" } = (await worker.ask()).error ?? {};
			assert.equal(message, "RuntimeError: outer");
			assert.match(
				stack,
				/wrong\.rb:4:in .*handler': outer \(RuntimeError\)\n(.*\n)*.*wrong\.rb:8:in .*inner': inner \(ArgumentError\)\n\tfrom .*wrong\.rb:2/,
			);
			assert.doesNotMatch(stack, /kubeless_worker/);
			const any = startAny(t);
			const deep = await any.ask({ body: "def deep; deep + 1; end; deep" });
			assert.ok((deep.error?.stack ?? "").length < 20_000);
		});

		test("exit! ends the process", async (t) => {
			const worker = startAny(t);
			worker.begin({ body: "exit!(4)" });
			assert.equal(await worker.exited, 4);
		});

		test("exit in a thread of the function's ends that thread", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "Thread.new { exit }; sleep 0.1; ''" });
			assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
		});

		test("a Timeout ends what it was put around, and harms neither what is printed nor the next call", async (t) => {
			const worker = startAny(t, {}, "require 'timeout'");
			for (let round = 0; round < 5; round++) {
				const { error } = await worker.ask({ body: "Timeout.timeout(0.05) { loop { puts 'x' * 50 } }" });
				assert.match(error?.message ?? "", /^Timeout::Error: execution expired/);
			}
			await worker.ask({ body: "me = Thread.current; Thread.new { sleep 0.02; me.raise('late') }; ''" });
			await wait(60);
			for (let round = 0; round < 12; round++) assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
			assert.equal(await worker.stop(), 0);
		});

		test("a thread that dies says so on stderr", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "Thread.new { raise 'in a thread' }.join rescue ''" });
			assert.match(worker.printed("stderr", null), /terminated with exception.*\n.*in a thread/s);
		});
	});

	describe("a child made by fork", () => {
		for (const [how, code] of [
			["fork", "pid = fork; pid ? (Process.wait(pid); \"#{$?.exitstatus}\") : (puts 'from the child'; raise 'it')"],
			["Process.fork with a block", "pid = Process.fork { puts 'from the child'; exit 1 }; Process.wait(pid); \"#{$?.exitstatus}\""],
			["Kernel.fork", "pid = Kernel.fork { $stdout.print('from the child'); exit 1 }; Process.wait(pid); \"#{$?.exitstatus}\""],
		] as const) {
			test(`by ${how} ends where it comes out, and its output is its own`, async (t) => {
				const worker = startAny(t);
				assert.equal((await worker.ask({ body: code })).text, "1");
				assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
				assert.equal(await worker.stop(), 0);
				assert.match(worker.stdout, /from the child/);
			});
		}

		test("by system and backticks works as ever", async (t) => {
			const worker = startAny(t);
			assert.equal((await worker.ask({ body: "`echo hello`.strip" })).text, "hello");
			assert.equal((await worker.ask({ body: "IO.popen(['cat'], 'r+') { |io| io << 'x'; io.close_write; io.read }" })).text, "x");
			assert.equal((await worker.ask({ body: "system('echo', 'to stdout', out: $stdout).to_s" })).text, "true");
			await worker.stop();
			assert.equal(worker.stdout, "to stdout\n");
		});
	});

	describe("what a function prints", () => {
		test("is told apart by call, line by line", async (t) => {
			const worker = startAny(t);
			const code =
				"puts 'one', 2; print 'half'; $stdout << ' line'; p :x; pp({}); printf('%d', 3); putc 'x'; warn 'careful'; $stderr.puts; 'x'";
			const id = worker.begin({ body: code });
			await worker.answer(id);
			assert.equal(worker.printed("stdout", id), "one\n2\nhalf line:x\n{}\n3x\n");
			assert.equal(worker.printed("stderr", id), "careful\n\n");
			const order = worker.frames.filter(({ line }) => line.id === id).map(({ line }) => line.type);
			assert.equal(order.at(-1), "result");
		});

		test("goes out from threads, traps, at_exit and Logger as well", async (t) => {
			const worker = startAny(t, {}, "require 'logger'\nLOG = Logger.new($stdout)\nat_exit { puts 'the end' }\nputs 'the beginning'");
			await worker.ask({ body: "LOG.info('logged'); Thread.new { puts 'threaded' }.join; ''" });
			await worker.ask({ body: "trap('USR1') { puts 'trapped' }; Process.kill('USR1', $$); sleep 0.1; ''" });
			assert.equal(await worker.stop(), 0);
			const all =
				worker.frames
					.filter(({ line }) => line.type === "log")
					.map(({ body }) => body.toString())
					.join("") + worker.stdout;
			for (const words of ["the beginning", "logged", "threaded", "trapped", "the end"])
				assert.equal(all.split(words).length, 2, `${words} once in ${all}`);
		});

		test("is UTF-8 whatever it was", async (t) => {
			const worker = startAny(t, { LANG: "C", LC_ALL: "C" });
			const id = worker.begin({ body: "puts 'é', \"\\xff\", 'é'.b; 'x'" });
			await worker.answer(id);
			assert.equal(worker.printed("stdout", id), "é\n\ufffd\né\n");
		});

		test("to a $stdout that it closes or sends elsewhere does no harm", async (t) => {
			const worker = startAny(t);
			const id = worker.begin({ body: "$stdout.close; puts 'open'; $stdin.read.inspect" });
			assert.equal((await worker.answer(id)).text, '""');
			assert.equal(worker.printed("stdout", id), "open\n");
		});
	});

	describe("a function's file", () => {
		test("keeps its names to itself, and what it sets at its top", async (t) => {
			const source = `# frozen_string_literal: true
Wire = 'mine'
Calls = 1
COUNT = [0]
@limit = 3

class Handler
  def self.load(*) 'own' end
end

Error = Class.new(StandardError)

def helper(text) "#{text} #{Wire} #{@limit}" end
def self.other() 'other' end
def send(*) raise 'not this' end
def hash() raise 'nor this' end
def call(*) raise 'nor that' end
def write(*) raise 'nor that' end

def handler(event, context)
  COUNT[0] += 1
  [helper('help'), other, Handler.load, COUNT[0], __FILE__[/\\w+\\.rb/], File.basename(__dir__ || '') != '', 'x'.frozen?, Wire.hash == 'mine'.hash].inspect
end
`;
			const worker = start(t, { "names.rb": source });
			await worker.ask();
			assert.equal((await worker.ask()).text, '["help mine 3", "other", "own", 2, "names.rb", true, true, true]');
			assert.match((await worker.ask({ body: "x" })).text, /, 3, /);
		});

		test("may require what is beside it, and use DATA's mark", async (t) => {
			const worker = start(t, {
				"main.rb":
					"require_relative 'lib/helper'\nrequire './other'\ndef handler(event, context)\n  Helper.help + other\nend\n__END__\nno Ruby )",
				"lib/helper.rb": "module Helper; def self.help; 'helped'; end; end",
				"other.rb": "def other; ' otherwise'; end",
			});
			assert.equal((await worker.ask()).text, "helped otherwise");
		});

		test("may name a method that another file defines, or that it defines by define_method", async (t) => {
			const files = {
				"main.rb": "require_relative 'other'\ndefine_method(:made) { |event, context| 'made' }",
				"other.rb": "def other(event, context) 'elsewhere' end",
			};
			assert.equal((await start(t, files, "other").ask()).text, "elsewhere");
			assert.equal((await start(t, files, "made").ask()).text, "made");
		});

		test("that cannot be loaded says what, where and what to do", async (t) => {
			for (const [source, words] of [
				[
					"\nrequire 'nosuchgem'\n",
					/^LoadError: cannot load such file -- nosuchgem \(f\.rb, line 2\); list what the function needs in a Gemfile beside it$/,
				],
				["exit 0", /^SystemExit: exit \(f\.rb, line 1\); a function's file is loaded once and must not end the process$/],
				["def handler(\n", /f\.rb:\d/],
				["raise 'at load'", /^RuntimeError: at load \(f\.rb, line 1\)$/],
				["def handle(event, context) end\ndef handler2() end", /^there is no method handler in f\.rb: did you mean handle\?$/],
				["", /: write one, `def handler\(event, context\)`$/],
			] as const) {
				const failed = await start(t, { "f.rb": source }).failed();
				assert.match(failed.message ?? "", words, source);
			}
			const empty = await start(t, { "f.rb": "puts 1" }, "").started();
			assert.match(empty.message ?? "", /no method of the form `def handler\(event, context\)`/);
			const many = await start(t, { "f.rb": "def a(e, c) end\ndef b(e, c) end\ndef c() end" }, "").started();
			assert.deepEqual(many.handlers, ["a", "b"]);
			for (const name of ["puts", "hash", "fork", "extend"])
				assert.equal((await start(t, { "f.rb": "" }, name).started()).code, "HANDLER_NOT_FOUND", name);
		});
	});

	describe("a stream", () => {
		test("is made as it is read, stops while it is paused, and is closed when nobody waits", async (t) => {
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

		test("of a Rack body is closed", async (t) => {
			const more = "class Body\n  attr_reader :closed\n  def each; yield 'a'; end\n  def close; @closed = true; end\nend\nBODY = Body.new";
			const worker = startAny(t, {}, more);
			assert.equal((await worker.ask({ body: "[200, {}, BODY]" })).text, "a");
			assert.equal((await worker.ask({ body: "BODY.closed.to_s" })).text, "true");
		});
	});

	describe("many calls", () => {
		test("run at once, as many as FUNC_CONCURRENCY says", async (t) => {
			const worker = startAny(t, { FUNC_CONCURRENCY: "20" });
			assert.equal((await worker.started()).concurrency, 20);
			const began = Date.now();
			const ids = Array.from({ length: 20 }, () => worker.begin({ body: "sleep 0.3; 'slept'" }));
			for (const id of ids) assert.equal((await worker.answer(id)).text, "slept");
			assert.ok(Date.now() - began < 2000);
		});

		test("are answered while one of them keeps the processor busy", async (t) => {
			const worker = startAny(t);
			await worker.started();
			const busy = worker.begin({ body: "limit = Process.clock_gettime(0) + 1.5; nil while Process.clock_gettime(0) < limit; 'busy'" });
			await wait(50);
			assert.equal((await worker.ask({ body: "'quick'" })).text, "quick");
			assert.ok(!worker.frames.some(({ line }) => line.id === busy), "the quick call waited for the busy one");
			assert.equal((await worker.answer(busy)).text, "busy");
		});

		test("that end their threads leave as many to run on", async (t) => {
			const worker = startAny(t, { FUNC_CONCURRENCY: "2" });
			for (let round = 0; round < 8; round++) await worker.ask({ body: "sleep 0.01; Thread.exit" });
			const ids = [0, 1].map(() => worker.begin({ body: "sleep 0.05; 'slept'" }));
			for (const id of ids) assert.equal((await worker.answer(id)).text, "slept");
			assert.equal(await worker.stop(), 0);
		});
	});

	describe("install.sh", () => {
		/** A place that serves gems as a gem server does: RubyGems and Bundler take a folder for one. */
		function gemServer(t: TestContext): string | undefined {
			const place = folder(t);
			for (const version of ["1.0.0", "1.1.0"]) {
				const gem = folder(t, {
					"lib/greeting.rb": `module Greeting; VERSION = '${version}'; end`,
					"greeting.gemspec": `Gem::Specification.new { |s| s.name = 'greeting'; s.version = '${version}'; s.summary = 'a greeting'; s.authors = ['me']; s.files = ['lib/greeting.rb'] }`,
				});
				mkdirSync(join(place, "gems"), { recursive: true });
				execFileSync("ruby", ["-S", "gem", "build", "--silent", "greeting.gemspec", "-o", join(place, `gems/greeting-${version}.gem`)], {
					cwd: gem,
					stdio: "ignore",
				});
			}
			spawnSync("ruby", ["-S", "gem", "generate_index", "--silent", "--directory", place], { stdio: "ignore" });
			return existsSync(join(place, "specs.4.8.gz")) ? place : undefined;
		}

		function install(file: string, volume: string, env: Env = {}) {
			return spawnSync("sh", [join(home, "install.sh")], {
				cwd: volume,
				encoding: "utf8",
				env: { ...process.env, HOME: "/nowhere", KUBELESS_INSTALL_VOLUME: volume, KUBELESS_DEPS_FILE: file, ...env },
			});
		}

		const GREETS = "require 'greeting'\ndef handler(event, context)\n  Greeting::VERSION + Gem.loaded_specs['greeting'].version.to_s\nend";

		test("has nothing to do for a Gemfile without gems", (t) => {
			for (const text of ["", "\n \n", "# nothing yet\n"]) {
				const place = folder(t, { Gemfile: text });
				const began = Date.now();
				const { status, stdout } = install(join(place, "Gemfile"), place);
				assert.deepEqual([status, stdout, readdirSync(place)], [0, "", ["Gemfile"]]);
				assert.ok(Date.now() - began < 1000);
			}
		});

		test("installs what is listed, where the worker finds it, and leaves the function's place as it was", async (t) => {
			const server = gemServer(t);
			if (!server) return t.skip("this RubyGems cannot make an index of gems");
			const place = folder(t, { "f.rb": GREETS, Gemfile: `source 'file://${server}'\ngem 'greeting', '~> 1.0.0'\n` });
			const volume = folder(t);
			const { status, stdout, stderr } = install(join(place, "Gemfile"), volume);
			assert.equal(status, 0, stdout + stderr);
			assert.deepEqual(readdirSync(place).sort(), ["Gemfile", "f.rb"]);
			const worker = startIn(t, join(place, "f.rb"), undefined, { KUBELESS_INSTALL_VOLUME: volume });
			assert.equal((await worker.ask()).text, "1.0.01.0.0");
			const bundled = start(t, { "f.rb": `require 'bundler/setup'\nBundler.require\n${GREETS}` }, undefined, {
				KUBELESS_INSTALL_VOLUME: volume,
			});
			assert.equal((await bundled.ask()).text, "1.0.01.0.0");
			const child = start(
				t,
				{ "f.rb": "def handler(event, context)\n  `ruby -e \"require 'greeting'; print Greeting::VERSION\"`\nend" },
				undefined,
				{ KUBELESS_INSTALL_VOLUME: volume },
			);
			assert.equal((await child.ask()).text, "1.0.0");
		});

		test("installs into the function's own place, as in a pod, and keeps to a lock", async (t) => {
			const server = gemServer(t);
			if (!server) return t.skip("this RubyGems cannot make an index of gems");
			const lock = `GEM\n  remote: file://${server}/\n  specs:\n    greeting (1.0.0)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n  aarch64-linux\n\nDEPENDENCIES\n  greeting\n`;
			const place = folder(t, { "f.rb": GREETS, Gemfile: `source 'file://${server}'\ngem 'greeting'\n`, "Gemfile.lock": lock });
			const { status, stdout, stderr } = install(join(place, "Gemfile"), place);
			assert.equal(status, 0, stdout + stderr);
			assert.equal(readFileSync(join(place, "Gemfile.lock"), "utf8"), lock);
			assert.equal((await startIn(t, join(place, "f.rb")).ask()).text, "1.0.01.0.0");

			writeFileSync(join(place, "Gemfile"), `source 'file://${server}'\ngem 'greeting', '1.1.0'\n`);
			const other = install(join(place, "Gemfile"), place);
			assert.notEqual(other.status, 0);
			assert.match(other.stdout + other.stderr, /frozen|deployment mode|lockfile/i);
		});

		test("takes a gem from a folder beside the Gemfile", async (t) => {
			const place = folder(t, {
				"f.rb": GREETS,
				Gemfile: "gem 'greeting', path: './own'\n",
				"own/lib/greeting.rb": "module Greeting; VERSION = '2.0.0'; end",
				"own/greeting.gemspec":
					"Gem::Specification.new { |s| s.name = 'greeting'; s.version = '2.0.0'; s.summary = 'a greeting'; s.authors = ['me'] }",
			});
			// Bundler 2.1, which Ruby 2.7 brings, mistakes a path that stands in a Gemfile elsewhere.
			const old = /^2\.[01]\./.test(execFileSync("ruby", ["-e", "require 'bundler'; print Bundler::VERSION"], { encoding: "utf8" }));
			for (const volume of old ? [place] : [folder(t), place]) {
				const { status, stdout, stderr } = install(join(place, "Gemfile"), volume);
				assert.equal(status, 0, stdout + stderr);
				const worker = startIn(t, join(place, "f.rb"), undefined, { KUBELESS_INSTALL_VOLUME: volume });
				assert.equal((await worker.ask()).text, "2.0.02.0.0");
			}
		});

		test("says which gem there is not", (t) => {
			const server = folder(t);
			const place = folder(t, { Gemfile: `source 'file://${server}'\ngem 'nosuchgem'\n` });
			const { status, stdout, stderr } = install(join(place, "Gemfile"), place, { BUNDLE_RETRY: "0" });
			assert.notEqual(status, 0);
			assert.match(stdout + stderr, /nosuchgem|could not find|index/i);
			assert.ok(!existsSync(join(place, "Gemfile.lock")));
		});
	});
});
