import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minor, needsPython, start, startAny } from "./worker.ts";

describe("Python: the value that a handler returns", needsPython, () => {
	const RESULTS: [value: string, text: string, type: string][] = [
		["'žluť'", "žluť", "text/html; charset=UTF-8"],
		["b'bytes'", "bytes", "text/html"],
		["bytearray(b'bytes')", "bytes", "text/html"],
		["{'a': 1}", '{"a": 1}', "application/json"],
		["{}", "{}", "application/json"],
		["None", "", "text/html; charset=UTF-8"],
		["''", "", "text/html; charset=UTF-8"],
		["[]", "", "text/html; charset=UTF-8"],
		["['a', b'b']", "ab", "text/html; charset=UTF-8"],
		["('a', 'b')", "ab", "text/html; charset=UTF-8"],
		["[{'a': 1}]", '[{"a": 1}]', "application/json"],
		["('text', 404)", '["text", 404]', "application/json"],
		["0", "0", "application/json"],
		["1.5", "1.5", "application/json"],
		["False", "false", "application/json"],
		["iter(['a', 'b'])", "ab", "text/html; charset=UTF-8"],
		["(piece for piece in [b'a', b'b'])", "ab", "text/html"],
		["iter([])", "", "text/html; charset=UTF-8"],
		["__import__('io').BytesIO(b'file')", "file", "text/html"],
		["__import__('io').StringIO('file')", "file", "text/html; charset=UTF-8"],
		["'x' * 300000", "x".repeat(300_000), "text/html; charset=UTF-8"],
	];
	test("a result is sent as the table in the README states", async (t) => {
		const worker = startAny(t);
		for (const [value, text, expected] of RESULTS) {
			const frame = await worker.ask({ body: `answer = ${value}` });
			assert.deepEqual([value, frame.text, frame.headers["content-type"]], [value, text, expected]);
		}
	});

	test("a result that cannot be sent is an error that names its type", async (t) => {
		const worker = startAny(t);
		for (const [value, words] of [
			["{1, 2}", /a set\b.*return str/],
			["object()", /an object\b/],
			["lambda: 1", /a function\b/],
			["float('nan')", /a float .* JSON/],
			["{'a': {1}}", /a dict .* JSON/],
			["'\\ud800'", /no UTF-8 form/],
			["iter([1])", /streamed an int/],
		] as const) {
			const { error } = await worker.ask({ body: `answer = ${value}` });
			assert.equal(error?.code, "RESULT_INVALID", value);
			assert.match(error?.message ?? "", words);
		}
	});

	test("a bottle response gives status, headers and body, returned or raised", async (t) => {
		const worker = startAny(t, {}, "from bottle import HTTPError, HTTPResponse, abort");
		const made = await worker.ask({ body: "answer = HTTPResponse('made', 201, {'X-Name': 'Ada'})" });
		assert.deepEqual([made.status, made.text], [201, "made"]);
		assert.equal(made.headers["x-name"], "Ada");
		const raised = await worker.ask({ body: "raise HTTPError(404, 'no such user')" });
		assert.deepEqual([raised.status, raised.text], [404, "no such user"]);
		assert.equal((await worker.ask({ body: "abort(403)" })).status, 403);
		const json = await worker.ask({ body: "answer = HTTPResponse({'a': 1}, 202)" });
		assert.deepEqual([json.status, json.text, json.headers["content-type"]], [202, '{"a": 1}', "application/json"]);
		const latin = await worker.ask({ body: "answer = HTTPResponse('\\u00e9', headers={'Content-Type': 'text/plain; charset=latin-1'})" });
		assert.equal(latin.body.length, 1);
		const events = await worker.ask({ body: "answer = HTTPResponse(iter(['a', 'b']), headers={'Content-Type': 'text/event-stream'})" });
		assert.deepEqual([events.text, events.headers["content-type"]], ["ab", "text/event-stream"]);
	});

	test("headers over 1 MiB end their own call and not the worker", async (t) => {
		const worker = startAny(t, {}, "from bottle import HTTPResponse");
		const { error } = await worker.ask({ body: "answer = HTTPResponse('x', headers={'X-A': 'a' * (1 << 20)})" });
		assert.equal(error?.code, "RESULT_INVALID");
		assert.match(error?.message ?? "", /bytes of headers: the limit is/);
		assert.equal((await worker.ask({ body: "answer = 'short'" })).text, "short");
	});

	test("a bottle response that is raised after the first chunk breaks the stream off", async (t) => {
		const worker = startAny(t, {}, "from bottle import HTTPError\ndef stream():\n    yield 'a'\n    raise HTTPError(404, 'late')");
		const id = worker.begin({ body: "answer = stream()" });
		await worker.answer(id);
		assert.deepEqual(
			worker.frames.filter(({ line }) => line.id === id).map(({ line }) => line.type),
			["head", "chunk", "error"],
		);
	});

	test("a coroutine or async generator that a plain function returns is run", async (t) => {
		const more =
			"import asyncio\nasync def co():\n    await asyncio.sleep(0.01)\n    return 'awaited'\nasync def items():\n    for i in 'abc':\n        yield i";
		const worker = startAny(t, {}, more);
		assert.equal((await worker.ask({ body: "answer = co()" })).text, "awaited");
		assert.equal((await worker.ask({ body: "answer = items()" })).text, "abc");
		assert.equal((await worker.ask({ body: "answer = asyncio.get_event_loop().run_until_complete(co())" })).text, "awaited");
	});

	test("JSON that Python reads and writes is JSON: no NaN, a byte order mark is ignored, a lone surrogate is kept", async (t) => {
		const source = "def handler(event, context):\n    return {'data': event['data']}\n";
		const worker = start(t, { "f.py": source });
		const ask = (body: string) => worker.ask({ json: true, body });
		assert.equal((await ask("\ufeff[1]")).text, '{"data": [1]}');
		assert.equal((await ask('"\\ud800"')).text, '{"data": "\\ud800"}');
		for (const body of ["NaN", "[Infinity]", "-Infinity"]) assert.equal((await ask(body)).error?.code, "BODY_MALFORMED");
	});

	describe("bottle.request and bottle.response", () => {
		for (const def of ["def", "async def"]) {
			test(`those of the call are used, also where they are imported late (${def})`, { skip: minor < 7 && def !== "def" }, async (t) => {
				for (const late of [true, false]) {
					const load = "from bottle import abort, redirect, request, response";
					const source = `
${late ? "" : load}
${def} handler(event, context):
    ${late ? load : "pass"}
    what = request.query.get('what')
    assert request.environ is event['extensions']['request'].environ
    if what == 'redirect':
        response.set_cookie('a', '1')
        redirect('/there')
    if what == 'abort':
        abort(404, 'none')
    if what == 'set':
        response.status = 201
        response.content_type = 'text/plain'
        response.set_cookie('a', '1')
        return 'set'
    if what == 'json':
        response.set_header('X-Name', 'Ada')
        return {'a': 1}
    return what
`;
					const worker = start(t, { "f.py": source });
					const moved = await worker.ask({ query: "what=redirect", head: ["Host: example.org"] });
					assert.deepEqual([moved.status, moved.headers["location"]], [303, "http://example.org/there"]);
					assert.equal((await worker.ask({ query: "what=abort" })).status, 404);
					const set = await worker.ask({ query: "what=set" });
					assert.deepEqual([set.status, set.text, set.headers["content-type"]], [201, "set", "text/plain"]);
					assert.equal(set.headers["set-cookie"], "a=1");
					const json = await worker.ask({ query: "what=json" });
					assert.deepEqual([json.text, json.headers["content-type"], json.headers["x-name"]], ['{"a": 1}', "application/json", "Ada"]);
					const plain = await worker.ask({ query: "what=plain" });
					assert.deepEqual([plain.status, plain.text, plain.headers["content-type"]], [200, "plain", "text/html; charset=UTF-8"]);
					assert.equal(plain.headers["set-cookie"], undefined);
				}
			});
		}

		test("a generator may set the content type before its first piece", async (t) => {
			const source =
				"from bottle import response\ndef handler(event, context):\n    response.content_type = 'text/event-stream'\n    yield 'data: 1'\n";
			const events = await start(t, { "f.py": source }).ask();
			assert.deepEqual([events.text, events.headers["content-type"]], ["data: 1", "text/event-stream"]);
		});

		test("each of several calls at once has its own", { skip: minor < 7 }, async (t) => {
			for (const [def, sleep] of [
				["def", "time.sleep(0.1)"],
				["async def", "await asyncio.sleep(0.1)"],
			]) {
				const source = `
import asyncio, time
from bottle import request, response
${def} handler(event, context):
    response.set_header('X-Name', request.query.name)
    ${sleep}
    return request.query.name
`;
				const worker = await start(t, { "f.py": source }).ready();
				const names = ["a", "b", "c", "d"];
				const answers = await Promise.all(names.map((name) => worker.ask({ query: `name=${name}` })));
				assert.deepEqual(
					answers.map(({ text, headers }) => [text, headers["x-name"]]),
					names.map((name) => [name, name]),
				);
			}
		});

		test("outside of a call they raise an error that says so", async (t) => {
			const worker = startAny(t, {}, "from bottle import request");
			const body = `
def use():
    try:
        request.path
    except RuntimeError as error:
        errors.append(str(error))
errors = []
globals().update(errors=errors, request=request)
thread = threading.Thread(target=use)
thread.start()
thread.join()
answer = errors[0]`;
			assert.match((await worker.ask({ body })).text, /only while a call runs/);
		});
	});
});
