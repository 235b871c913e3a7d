import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { baseEnv, readRuntimes } from "../../../test/conformance/runtimes.ts";
import { installLibraries } from "../../../test/support/libraries.ts";
import { folder } from "../../../test/support/loader.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// What is special to functions in Python; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../", import.meta.url));
const missing = readRuntimes().find(({ id }) => id === "python")?.missing;
/** Another Python than the one on PATH, if the functions are to run on it. */
const other = process.env["FUNCTION_PYTHON"];
const python = other ?? "python3";
const version = missing
	? ""
	: execFileSync(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
const minor = Number(version.split(".")[1]);
const given = baseEnv();
const env = { ...given, PATH: other ? `${dirname(other)}${delimiter}${given["PATH"]}` : given["PATH"], PYTHONDONTWRITEBYTECODE: "1" };
const install = ["sh", join(home, "install.sh")];
const libraries = () => installLibraries({ id: "python", folder: home, install, libraries: "requirements.txt", version }, env);

/** A worker for the first of the files. */
const start = (t: TestContext, files: Files, handler?: string, more?: Env) => startIn(t, firstOf(t, files), handler, more);

function startIn(t: TestContext, file: string, handler = "handler", more: Env = {}): WireEnd {
	const worker = { command: [python, join(home, "worker.py")], env: { ...env, RUNTIME_LIBRARIES: libraries() } };
	return new WireEnd(t, worker, file, handler, { FUNC_RUNTIME: "python3", ...more });
}

/** A worker whose function runs the code that a call sends it; what the code calls `answer` is returned. */
function startAny(t: TestContext, more: Env = {}, top = ""): WireEnd {
	const source = `
import os, sys, threading, time
${top}
def handler(event, context):
    names = {'event': event, 'context': context, 'answer': None}
    exec(event['data'].decode(), globals(), names)
    return names['answer']
`;
	return start(t, { "any.py": source }, "handler", more);
}

describe("Python", { skip: missing ?? false }, () => {
	describe("what a handler returns", () => {
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
		test("is sent as the table in the README says", async (t) => {
			const worker = startAny(t);
			for (const [value, text, expected] of RESULTS) {
				const frame = await worker.ask({ body: `answer = ${value}` });
				assert.deepEqual([value, frame.text, frame.headers["content-type"]], [value, text, expected]);
			}
		});

		test("and cannot be sent is named", async (t) => {
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

		test("a response that is raised when the stream has begun breaks it off", async (t) => {
			const worker = startAny(t, {}, "from bottle import HTTPError\ndef stream():\n    yield 'a'\n    raise HTTPError(404, 'late')");
			const id = worker.begin({ body: "answer = stream()" });
			await worker.answer(id);
			assert.deepEqual(
				worker.frames.filter(({ line }) => line.id === id).map(({ line }) => line.type),
				["head", "chunk", "error"],
			);
		});

		test("a coroutine or an async generator from a plain function is run all the same", async (t) => {
			const more =
				"import asyncio\nasync def co():\n    await asyncio.sleep(0.01)\n    return 'awaited'\nasync def items():\n    for i in 'abc':\n        yield i";
			const worker = startAny(t, {}, more);
			assert.equal((await worker.ask({ body: "answer = co()" })).text, "awaited");
			assert.equal((await worker.ask({ body: "answer = items()" })).text, "abc");
			assert.equal((await worker.ask({ body: "answer = asyncio.get_event_loop().run_until_complete(co())" })).text, "awaited");
		});
	});

	describe("the request", () => {
		test("is a bottle request, made when it is asked for", async (t) => {
			const worker = startAny(t);
			const before = await worker.ask({ body: "answer = str('bottle' in sys.modules) + str('request' in event['extensions'])" });
			assert.equal(before.text, "FalseTrue");
			const body = `request = event['extensions']['request']
answer = [type(request).__mro__[-2].__name__, request.method, request.path, request.query.q, request.url, request.get_header('X-Name'),
    request.get_cookie('b'), request.headers.get('X-Given'), request.content_length == len(event['data']), request.body.read() == event['data'],
    request.remote_addr, request is event['extensions'].get('request'), len(event['extensions']), sorted(event['extensions'])]
answer = {'is': answer}`;
			const head = [
				"Host: example.org:81",
				"X-Name: Ada",
				"X_Name: Eve",
				"Cookie: a=1",
				"Cookie: b=2",
				"Transfer-Encoding: chunked",
				"X-Given: 1",
				"x-given: 2",
			];
			const { text } = await worker.ask({
				body,
				head,
				method: "PUT",
				path: "/a%20b",
				query: "q=1%202",
				address: "10.0.0.9",
				extensions: { source: "/here", request: "no" },
			});
			const url = "http://example.org:81/a%20b?q=1%202";
			assert.deepEqual(JSON.parse(text).is, [
				"BaseRequest",
				"PUT",
				"/a b",
				"1 2",
				url,
				"Ada",
				"2",
				"1, 2",
				true,
				true,
				"10.0.0.9",
				true,
				2,
				["request", "source"],
			]);
		});

		test("reads forms and files", async (t) => {
			const source = `
def handler(event, context):
    request = event['extensions']['request']
    upload = request.files.get('upload')
    return {'name': request.forms.get('name'), 'file': upload and [upload.raw_filename, upload.file.read().decode()]}
`;
			const worker = start(t, { "forms.py": source });
			const simple = await worker.ask({
				method: "POST",
				body: "name=Ada+L",
				head: ["Content-Type: application/x-www-form-urlencoded"],
			});
			assert.deepEqual(JSON.parse(simple.text), { name: "Ada L", file: null });
			const body = [
				'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n',
				'--b\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n',
			].join("");
			const multi = await worker.ask({ method: "POST", body, head: ["Content-Type: multipart/form-data; boundary=b"] });
			assert.deepEqual(JSON.parse(multi.text), { name: "Ada", file: ["a.txt", "hello"] });
		});

		test("holds a body up to FUNC_MEMFILE_MAX in memory", async (t) => {
			const code = "answer = type(event['extensions']['request'].body).__name__ #";
			assert.equal((await startAny(t).ask({ body: code + "x".repeat(200_000) })).text, "BytesIO");
			assert.notEqual((await startAny(t, { FUNC_MEMFILE_MAX: "1000" }).ask({ body: code + "x".repeat(2000) })).text, "BytesIO");
		});

		test("says what is missing where bottle is", async (t) => {
			const worker = startAny(t, { RUNTIME_LIBRARIES: null });
			if (!(await worker.ask({ body: "import bottle" })).error) return t.skip("this Python has bottle of its own");
			const { error } = await worker.ask({ body: "event['extensions']['request']" });
			assert.match(error?.message ?? "", /add bottle to requirements.txt/);
			assert.equal((await worker.ask({ body: "answer = repr(event['extensions'])" })).text, "{}");
		});
	});

	describe("on threads", () => {
		const SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(float(event['data'] or 0))\n    return event['data']\n";

		test("a fast call does not wait for the slow ones before it", async (t) => {
			const worker = start(t, { "sleeps.py": SLEEPS });
			await worker.ask();
			const slow = Array.from({ length: 9 }, () => worker.begin({ body: "1" }));
			await worker.answer(worker.begin({ body: "0" }));
			assert.ok(!worker.frames.some(({ line }) => slow.includes(line.id ?? 0)));
			for (const id of slow) await worker.answer(id);
		});

		test("FUNC_CONCURRENCY, or else CHERRYPY_NUMTHREADS, says how many there are", async (t) => {
			assert.equal((await start(t, { "sleeps.py": SLEEPS }).started()).concurrency, 40);
			assert.equal((await start(t, { "sleeps.py": SLEEPS }, "handler", { CHERRYPY_NUMTHREADS: "20" }).started()).concurrency, 20);
			const env = { CHERRYPY_NUMTHREADS: "20", FUNC_CONCURRENCY: "3" };
			assert.equal((await start(t, { "sleeps.py": SLEEPS }, "handler", env).started()).concurrency, 3);
		});

		test("with all of them busy a cancelled call ends and stop is heard", async (t) => {
			const worker = start(t, { "sleeps.py": SLEEPS }, "handler", { FUNC_CONCURRENCY: "2" });
			const busy = [worker.begin({ body: "0.5" }), worker.begin({ body: "0.5" })];
			const waits = worker.begin({ body: "0" });
			worker.send({ type: "cancel", id: waits });
			const exit = worker.stop();
			assert.equal((await worker.answer(waits)).error?.code, "CANCELLED");
			for (const id of busy) assert.equal((await worker.answer(id)).text, "0.5");
			assert.equal(await exit, 0);
		});

		test("a generator waits while it is paused and is closed when it is cancelled", async (t) => {
			const more = "def endless():\n    try:\n        while True:\n            yield 'x'\n    finally:\n        print('closed')";
			const worker = startAny(t, {}, more);
			const id = worker.begin({ body: "answer = endless()" });
			await worker.until(({ line }) => line.id === id && line.type === "head");
			worker.send({ type: "pause", id });
			await worker.ask({ body: "" });
			const count = worker.frames.length;
			await wait(50);
			assert.equal(worker.frames.length, count);
			worker.send({ type: "cancel", id });
			assert.equal((await worker.until(({ line }) => line.id === id && line.type === "error")).line.code, "CANCELLED");
			assert.equal(worker.printed("stdout", id), "closed\n");
		});

		test("nothing wakes up while there is nothing to do", {
			skip: existsSync("/proc/self/status") ? false : "there is no /proc",
		}, async (t) => {
			const worker = start(t, { "sleeps.py": SLEEPS });
			await Promise.all(Array.from({ length: 10 }, () => worker.ask({ body: "0.05" })));
			await wait(200);
			const before = switches(worker.child.pid as number);
			await wait(300);
			assert.equal(switches(worker.child.pid as number) - before, 0);
		});
	});

	describe("async def", () => {
		test("runs a hundred calls at once on one thread, and cancels them", async (t) => {
			const source = `
import asyncio, threading
async def handler(event, context):
    try:
        await asyncio.sleep(float(event['data']))
    finally:
        print('over')
    return str(threading.active_count())
`;
			const worker = start(t, { "aio.py": source });
			assert.equal((await worker.started()).concurrency, 100);
			const before = Date.now();
			const all = await Promise.all(Array.from({ length: 99 }, () => worker.ask({ body: "0.3" })));
			assert.ok(Date.now() - before < 5000);
			assert.deepEqual(new Set(all.map((frame) => frame.text)), new Set(["1"]));
			const id = worker.begin({ body: "60" });
			worker.send({ type: "cancel", id }); // before the handler has begun
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			const running = worker.begin({ body: "60" });
			await wait(50);
			worker.send({ type: "cancel", id: running });
			assert.equal((await worker.answer(running)).error?.code, "CANCELLED");
			if (minor > 6) assert.equal(worker.printed("stdout", running), "over\n");
			assert.equal(await worker.stop(), 0);
		});

		test("streams async generators, and plain ones without stopping the loop", async (t) => {
			const source = `
import time
async def items():
    for item in 'abc':
        yield item
def slow():
    for item in 'abc':
        time.sleep(0.2)
        yield item
async def handler(event, context):
    return {'items': items, 'slow': slow, 'quick': lambda: 'quick'}[event['data'].decode()]()
`;
			const worker = start(t, { "aio.py": source });
			assert.equal((await worker.ask({ body: "items" })).text, "abc");
			const slow = worker.begin({ body: "slow" });
			await worker.ask({ body: "quick" });
			assert.ok(!worker.frames.some(({ line }) => line.id === slow));
			assert.equal((await worker.answer(slow)).text, "abc");
		});

		test("a task that a handler has left behind can end neither the loop nor the worker", async (t) => {
			const source = `
import asyncio, sys
async def exits():
    sys.exit(3)
async def stays():
    await asyncio.sleep(60)
async def handler(event, context):
    asyncio.ensure_future(exits())
    asyncio.ensure_future(stays())
    asyncio.get_event_loop().stop()
    return 'answered'
`;
			const worker = start(t, { "aio.py": source });
			assert.equal((await worker.ask()).text, "answered");
			assert.equal((await worker.ask()).text, "answered");
			assert.equal(await worker.stop(), 0);
		});
	});

	describe("what a function prints", () => {
		test("carries the id of its call", async (t) => {
			const worker = startAny(t, {}, "print('at load')");
			const code = (word: string) => `print('${word}', end=''); time.sleep(0.02); print(' end'); print('${word} err', file=sys.stderr)`;
			const ids = ["a", "b", "c"].map((word) => worker.begin({ body: code(word) }));
			for (const id of ids) await worker.answer(id);
			assert.deepEqual(
				ids.map((id) => worker.printed("stdout", id)),
				["a end\n", "b end\n", "c end\n"],
			);
			assert.deepEqual(
				ids.map((id) => worker.printed("stderr", id)),
				["a err\n", "b err\n", "c err\n"],
			);
			assert.equal(worker.printed("stdout", null), "at load\n");
		});

		test("comes before its call's end, the last line without a line break too", async (t) => {
			const worker = startAny(t);
			const id = worker.begin({ body: "sys.stdout.write('half'); sys.stdout.flush()" });
			await worker.answer(id);
			const mine = worker.frames.filter(({ line }) => line.id === id).map(({ line, body }) => [line.type, body.toString()]);
			assert.deepEqual(mine, [
				["log", "half\n"],
				["result", ""],
			]);
		});

		test("through logging, warnings and the streams' own methods", async (t) => {
			const worker = startAny(t, {}, "import logging, warnings\nlogging.basicConfig()");
			const id = worker.begin({
				body: "logging.error('logged'); warnings.warn('warned'); sys.stdout.close(); print('\\ud800 still open')",
			});
			await worker.answer(id);
			assert.match(worker.printed("stderr", id), /ERROR:root:logged\n[^]*UserWarning: warned/);
			assert.equal(worker.printed("stdout", id), "\\ud800 still open\n");
			const { text } = await worker.ask({
				body: "out = sys.stdout; answer = [str([out.fileno(), sys.stderr.fileno(), out.encoding, out.isatty(), out.writable()])]",
			});
			assert.equal(text, "[1, 2, 'utf-8', False, True]");
		});

		test("to descriptors 1 and 2 stays there", async (t) => {
			const worker = startAny(t);
			await worker.ask({
				body: "import subprocess; subprocess.call(['echo', 'child']); os.write(2, b'raw\\n'); sys.stdout.buffer.write(b'buffer\\n')",
			});
			assert.equal(await worker.stop(), 0);
			assert.deepEqual({ stdout: worker.stdout, stderr: worker.stderr }, { stdout: "child\nbuffer\n", stderr: "raw\n" });
		});
	});

	describe("whatever a handler does", () => {
		test("to descriptor 3, the wire stays", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "os.write(3, b'garbage'); os.close(3)" });
			assert.equal((await worker.ask({ body: "answer = 'here'" })).text, "here");
		});

		test("and raises, the error begins in its own file", async (t) => {
			const worker = startAny(t);
			for (const [code, message] of [
				["raise ValueError('boom')", "ValueError: boom"],
				["sys.exit(3)", "SystemExit: 3"],
				["raise KeyboardInterrupt", "KeyboardInterrupt"],
				["raise GeneratorExit", "GeneratorExit"],
			] as const) {
				const { error } = await worker.ask({ body: code });
				assert.equal(error?.message, message);
				assert.match(error?.stack ?? "", /^Traceback .*\n {2}File ".*any.py", line \d+, in handler\n/);
			}
			const odd = await worker.ask({ body: "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd()" });
			assert.match(odd.error?.message ?? "", /^Odd: .*__str__ raised ValueError/);
			const deep = await worker.ask({ body: "def deep(n):\n    return [deep(n + 1)]\nglobals()['deep'] = deep\ndeep(0)" });
			assert.match(deep.error?.message ?? "", /^RecursionError/);
			const long = (await worker.ask({ body: "raise ValueError('x' * 10**6)" })).error?.stack?.length ?? 0;
			assert.ok(long > 0 && long < 20_000, String(long));
		});

		test("to its event and context, the next call has its own", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "event.clear(); context.clear()" });
			const { text } = await worker.ask({ body: "answer = dict(context, keys=sorted(event))" });
			assert.deepEqual(JSON.parse(text), {
				"function-name": "handler",
				timeout: 30,
				runtime: "python3",
				"memory-limit": "128Mi",
				keys: ["data", "event-id", "event-namespace", "event-time", "event-type", "extensions"],
			});
		});
	});

	describe("a forked child", () => {
		test("that comes out of the handler ends, and answers nothing", async (t) => {
			const worker = startAny(t);
			const wait = "answer = str(os.waitpid(pid, 0)[1] >> 8)";
			assert.equal((await worker.ask({ body: `pid = os.fork()\nif pid:\n    ${wait}` })).text, "0");
			assert.equal((await worker.ask({ body: `pid = os.fork()\nif not pid:\n    print('child')\n    sys.exit(7)\n${wait}` })).text, "7");
			assert.equal((await worker.ask({ body: `pid = os.fork()\nif not pid:\n    raise ValueError('boom')\n${wait}` })).text, "1");
			assert.equal(await worker.stop(), 0);
			assert.equal(worker.stdout, "child\n");
			assert.match(worker.stderr, /ValueError: boom/);
			assert.equal(worker.frames.filter(({ line }) => line.type !== "ready").length, 3);
		});

		test("does not hold the wire", async (t) => {
			const worker = startAny(t);
			const { text } = await worker.ask({ body: "pid = os.fork()\nif pid:\n    answer = str(pid)\nelse:\n    time.sleep(60)" });
			t.after(() => process.kill(Number(text), "SIGKILL"));
			// 0, 1 and 2 are what the child was given as such, and may be sockets.
			const sockets = `[f.name for f in os.scandir('/proc/${text}/fd') if f.name not in '012' and 'socket' in os.readlink(f.path)]`;
			// The child closes it when it gets to run, which may be after this call.
			const body = `until = time.monotonic() + 5\nwhile ${sockets} and time.monotonic() < until:\n    time.sleep(0.01)\nanswer = str(${sockets})`;
			assert.equal((await worker.ask({ body })).text, "[]");
		});

		for (const method of ["fork", "spawn", "forkserver"]) {
			test(`of multiprocessing's ${method} runs the function's own functions`, async (t) => {
				const source = `
import multiprocessing
def square(n):
    return n * n
def handler(event, context):
    with multiprocessing.get_context('${method}').Pool(2) as pool:
        return {'squares': pool.map(square, [1, 2, 3])}
`;
				const worker = start(t, { "squares.py": source });
				assert.equal((await worker.ask()).text, '{"squares": [1, 4, 9]}');
			});
		}
	});

	describe("the end", () => {
		test("runs exit functions, which can still print", async (t) => {
			const worker = startAny(t, {}, "import atexit\natexit.register(lambda: (time.sleep(1.2), print('exits')))");
			await worker.started();
			assert.equal(await worker.stop(), 0);
			assert.equal(worker.printed("stdout", null), "exits\n");
		});

		test("does not wait for long for threads that the function has left running", async (t) => {
			const worker = startAny(t);
			await worker.ask({ body: "threading.Thread(target=time.sleep, args=(60,)).start()" });
			const before = Date.now();
			assert.equal(await worker.stop(), 0);
			assert.ok(Date.now() - before < 5000);
		});

		test("of the wire is the worker's, whatever it does", async (t) => {
			const worker = startAny(t);
			worker.begin({ body: "time.sleep(60)" });
			await wait(100);
			worker.wire.destroy();
			assert.equal(await worker.exited, 0);
		});
	});

	describe("loading", () => {
		const HELLO = "def handler(event, context):\n    return __name__\n";

		test("a function may be named like a module of ours, or of Python's", async (t) => {
			for (const name of ["worker", "request", "threads", "handler", "my-function"]) {
				assert.equal((await start(t, { [`${name}.py`]: HELLO }).ask()).text, name);
			}
			assert.equal((await start(t, { "_kubeless.py": HELLO }).ask()).text, "_kubeless_function");
			const json = "import json\ndef handler(event, context):\n    return json.dumps({'from': __name__})\n";
			assert.equal((await start(t, { "json.py": json }).ask()).text, '{"from": "json_function"}');
		});

		test("and so may its helpers, in its folder or on PYTHONPATH", async (t) => {
			const files = {
				"f.py":
					"import errors, request, wire, worker\ndef handler(event, context):\n    return errors.mine + request.mine + wire.mine + worker.mine\n",
				"errors.py": "mine = 'a'",
				"request.py": "mine = 'b'",
				"wire.py": "mine = 'c'",
				"worker.py": "mine = 'd'",
			};
			assert.equal((await start(t, files).ask()).text, "abcd");
			const shadows = folder(t, { "json.py": "raise SystemExit(1)" });
			assert.equal((await start(t, files, "handler", { PYTHONPATH: shadows }).ask()).text, "abcd");
		});

		test("finds what is installed in either layout of a prefix, the function's before the runtime's", async (t) => {
			const plain = `lib/python${version}/site-packages`;
			const debian = `local/lib/python${version}/dist-packages`;
			const mine = folder(t, {
				[`${plain}/both.py`]: "of = 'mine'",
				[`${debian}/only.py`]: "of = 'mine'",
				[`${plain}/more.pth`]: "../../../extra\n",
				"extra/by_pth.py": "",
			});
			const runtimes = folder(t, {
				[`${plain}/both.py`]: "of = 'runtime'",
				[`${plain}/other.py`]: "of = 'runtime'",
				[`${plain}/near.py`]: "of = 'runtime'",
			});
			const source = `
import both, by_pth, near, only, other, subprocess, sys
def handler(event, context):
    child = subprocess.check_output([sys.executable, '-c', 'import both; print(both.of)']).decode().strip()
    return ' '.join([both.of, only.of, other.of, near.of, child])
`;
			const worker = start(t, { "f.py": source, "near.py": "of = 'folder'" }, "handler", {
				KUBELESS_INSTALL_VOLUME: mine,
				RUNTIME_LIBRARIES: runtimes,
			});
			assert.equal((await worker.ask()).text, "mine mine runtime folder mine");
		});

		test("takes an edit that was made within the same second", async (t) => {
			const files = { "f.py": "def handler(event, context):\n    return '1'\n" };
			const twice = (text: string) => start(t, { "f.py": files["f.py"].replace("1", text) }, "handler", { PYTHONDONTWRITEBYTECODE: null });
			assert.equal((await twice("1").ask()).text, "1");
			const file = firstOf(t, files);
			const run = () => startIn(t, file, "handler", { PYTHONDONTWRITEBYTECODE: null });
			assert.equal((await run().ask()).text, "1");
			writeFileSync(file, files["f.py"].replace("1", "2"));
			assert.equal((await run().ask()).text, "2");
		});

		const several =
			"import os.path as path\ndef greet(event, context): pass\ndef part(event, context): pass\ndef _own(event, context): pass\ndef short(event): pass\nVALUE = 1\n";
		const FAILURES: [what: string, files: Files, handler: string, code: string, message: RegExp][] = [
			["a syntax error", { "f.py": "def f():\n  x = = 2\n" }, "f", "HANDLER_FAILED_TO_LOAD", /^SyntaxError: .*\(f\.py, line 2\)$/],
			["an error", { "f.py": "\nraise ValueError('no')\n" }, "f", "HANDLER_FAILED_TO_LOAD", /^ValueError: no \(f\.py, line 2\)$/],
			[
				"an exit",
				{ "f.py": "import sys\nsys.exit(2)\n" },
				"f",
				"HANDLER_FAILED_TO_LOAD",
				/^SystemExit: 2 \(f\.py, line 2\); .*must not end/,
			],
			[
				"a missing module",
				{ "f.py": "import nosuchmodule\n" },
				"f",
				"HANDLER_FAILED_TO_LOAD",
				/'nosuchmodule' \(f\.py, line 1\); list .*requirements\.txt/,
			],
			[
				"a module not installed",
				{ "f.py": "import nosuchmodule\n", "requirements.txt": "x" },
				"f",
				"HANDLER_FAILED_TO_LOAD",
				/requirements\.txt installed.*Python 3/,
			],
			["a slip of the pen", { "f.py": several }, "gret", "HANDLER_NOT_FOUND", /no function gret in f\.py: did you mean greet\?$/],
			["another name", { "f.py": several }, "zzz", "HANDLER_NOT_FOUND", /no function zzz in f\.py: it has greet, part$/],
			["no name", { "f.py": several }, "", "HANDLER_NOT_FOUND", /several functions.*FUNC_HANDLER/],
			["no function", { "f.py": "x = 1" }, "", "HANDLER_NOT_FOUND", /no function of the form/],
			["what is no function", { "f.py": several }, "VALUE", "HANDLER_NOT_FOUND", /VALUE in f\.py is no function but a value of type int/],
		];
		for (const [what, files, handler, code, message] of FAILURES) {
			test(`says so: ${what}`, async (t) => {
				const failed = await start(t, files, handler).failed();
				assert.equal(failed.code, code);
				assert.match(failed.message ?? "", message);
				if (files["f.py"] === several) assert.deepEqual(failed.handlers, ["greet", "part"]);
			});
		}

		test("without a name takes the only function, or the usual one", async (t) => {
			const two = (name: string) => `def ${name}(event, context): return 'this'\ndef other(event, context): return 'other'\n`;
			for (const [file, source] of [
				["f.py", "def one(event, context): return 'this'\n"],
				["f.py", two("handler")],
				["f.py", two("main")],
				["hello.py", two("hello")],
			] as const) {
				assert.equal((await start(t, { [file]: source }, "").ask()).text, "this");
			}
		});
	});

	describe("install.sh", () => {
		const run = (own: NodeJS.ProcessEnv) => spawnSync("/bin/sh", [join(home, "install.sh")], { env: own, encoding: "utf8" });

		test("has nothing to do, and asks no pip, where the file lists nothing", (t) => {
			const place = folder(t, { "requirements.txt": "\n  # nothing yet\n\n" });
			const tools = folder(t);
			for (const name of ["grep"]) writeFileSync(join(tools, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
			const { status, stderr } = run({
				PATH: tools,
				KUBELESS_DEPS_FILE: join(place, "requirements.txt"),
				KUBELESS_INSTALL_VOLUME: place,
			});
			assert.deepEqual([status, stderr], [0, ""]);
		});

		test("installs into the prefix what lies beside the file, without a home", async (t) => {
			const place = folder(t);
			execFileSync(python, ["-c", WHEEL], { cwd: place });
			const wheel = readdirSync(place).find((name) => name.endsWith(".whl"));
			writeFileSync(join(place, "requirements.txt"), `./${wheel}\n`);
			const prefix = folder(t);
			const { status, stdout, stderr } = run({
				PATH: env.PATH,
				PIP_NO_INDEX: "1",
				KUBELESS_DEPS_FILE: join(place, "requirements.txt"),
				KUBELESS_INSTALL_VOLUME: prefix,
			});
			assert.equal(status, 0, stdout + stderr);
			const worker = start(t, { "f.py": "import mine\ndef handler(event, context):\n    return mine.of\n" }, "handler", {
				KUBELESS_INSTALL_VOLUME: prefix,
			});
			assert.equal((await worker.ask()).text, "mine");
		});
	});
});

/** Writes a wheel by hand: building one would fetch what it takes to build. */
const WHEEL = `
import zipfile
info = 'kubeless_test_mine-1.dist-info/'
with zipfile.ZipFile('kubeless_test_mine-1-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('mine.py', "of = 'mine'\\n")
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: kubeless-test-mine\\nVersion: 1\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', 'mine.py,,\\n%sMETADATA,,\\n%sWHEEL,,\\n%sRECORD,,\\n' % (info, info, info))
`;

/** How often the threads of a process have been given a processor. */
function switches(pid: number): number {
	return readdirSync(`/proc/${pid}/task`)
		.map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, "utf8"))
		.flatMap((status) => [...status.matchAll(/ctxt_switches:\s*(\d+)/g)])
		.reduce((sum, [, count]) => sum + Number(count), 0);
}
