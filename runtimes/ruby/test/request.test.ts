import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { firstOf } from "../../../test/support/wire-end.ts";
import { needsRuby, start, startAny, startIn } from "./worker.ts";

describe("Ruby: the request and the event", needsRuby, () => {
	test("the request is a Rack request that is made when the function reads it", async (t) => {
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

	test("the request parses a form", async (t) => {
		const worker = start(t, { "form.rb": "def handler(event, context)\n  event.dig(:extensions, :request).params['name']\nend" });
		const form = { body: "name=Ada&x=1", method: "POST", head: ["Content-Type: application/x-www-form-urlencoded"] };
		assert.equal((await worker.ask(form)).text, "Ada");
	});

	test("event[:extensions] has the request for every method of Hash, beside the attributes of a CloudEvent", async (t) => {
		const worker = startAny(t);
		for (const code of [
			"key?(:request)",
			"keys.include?(:request)",
			"fetch(:request) && true",
			"to_a.flatten.include?(:request)",
			"any? { |name, _| name == :request }",
			"inspect.include?('RackRequest')",
		])
			assert.equal((await worker.ask({ body: `event[:extensions].${code}.to_s` })).text, "true", code);
		const { text } = await worker.ask({ body: "event[:extensions].keys.sort.inspect", extensions: { source: "/here", request: "no" } });
		assert.equal(text, "[:request, :source]");
		assert.equal((await worker.ask({ body: "event[:extensions][:nothing].inspect" })).text, "nil");
	});

	test("the request is of the function's own rack, if it has one", async (t) => {
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

	test("event and context have Symbols as keys, and nil for what the caller did not send", async (t) => {
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

	test("data is text in UTF-8, else bytes; parsed JSON if the request says so; '' without a body", async (t) => {
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

	test("each call has its own context", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "context[:runtime] = 'mine'; ''" });
		assert.equal((await worker.ask({ body: "context[:runtime]" })).text, "ruby3");
	});

	test("the request has the caller's address", async (t) => {
		const worker = startAny(t);
		const code = "request = event[:extensions][:request]; [request.ip, request.env['REMOTE_ADDR']].inspect";
		assert.equal((await worker.ask({ body: code, address: "192.0.2.7" })).text, '["192.0.2.7", "192.0.2.7"]');
		assert.equal(
			(await worker.ask({ body: code, address: "2001:db8::7", extensions: { source: "/" } })).text,
			'["2001:db8::7", "2001:db8::7"]',
		);
	});

	test("the request has the methods that Sinatra adds", async (t) => {
		const worker = startAny(t);
		for (const [accept, code, expected] of [
			["application/json", "accept?('application/json')", "true"],
			["application/json", "accept?('text/html')", "false"],
			["text/*;q=0.5, application/json", "preferred_type('text/html', 'application/json')", '"application/json"'],
			["text/*;q=0.5, application/json;q=0.2", "preferred_type(['text/html', 'application/json'])", '"text/html"'],
			["text/html;q=0, */*", "preferred_type", '"*/*"'],
			["text/html;level=1, text/html;q=0.3", "accept", '["text/html;level=1", "text/html"]'],
			["image/png", "preferred_type('text/html')", "nil"],
			[undefined, "accept?('text/html')", "true"],
		] as const) {
			const head = accept === undefined ? [] : [`Accept: ${accept}`];
			const { text } = await worker.ask({ body: `event[:extensions][:request].${code}.inspect`, head });
			assert.deepEqual([accept, code, text], [accept, code, expected]);
		}
		const code =
			"request = event[:extensions][:request]; [request.secure?, request.forwarded?, request.safe?, request.idempotent?].inspect";
		assert.equal((await worker.ask({ body: code, method: "POST" })).text, "[false, false, false, false]");
		const head = ["X-Forwarded-Proto: https", "X-Forwarded-Host: example.com"];
		assert.equal((await worker.ask({ body: code, method: "GET", head })).text, "[true, true, true, true]");
	});

	test("JSON: a byte order mark is ignored, a lone surrogate is U+FFFD, NaN and Infinity are refused", async (t) => {
		const worker = start(t, { "json.rb": "def handler(event, context)\n  event[:data]\nend" });
		for (const [body, expected] of [
			["\ufeff[1]", "[1]"],
			['["\\ud800", "a\\udc00b", "\\ud800\\u0041", "\\ud83d\\ude00", "\\\\ud800"]', '["\ufffd","a\ufffdb","\ufffdA","😀","\\\\ud800"]'],
		] as const)
			assert.equal((await worker.ask({ json: true, body })).text, expected);
		for (const body of ["[NaN]", "[Infinity]", "[-Infinity]", "[01]", "[1,]"])
			assert.equal((await worker.ask({ json: true, body })).error?.code, "BODY_MALFORMED", body);
	});
});
