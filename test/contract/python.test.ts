import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../conformance/runtimes.ts";
import { installLibraries } from "../support/libraries.ts";

// What is special to functions in Python; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../../runtimes/python/", import.meta.url));
const missing = readRuntimes().find(({ id }) => id === "python")?.missing;
/** Another Python than the one on PATH, if the functions are to run on it. */
const other = process.env["FUNCTION_PYTHON"];
const python = other ?? "python3";
const version = missing
	? ""
	: execFileSync(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
const minor = Number(version.split(".")[1]);
const { NODE_TEST_CONTEXT: _, ...given } = process.env;
const path = other ? `${dirname(other)}${delimiter}${given["PATH"]}` : given["PATH"];
const env = { ...given, PATH: path, PYTHONDONTWRITEBYTECODE: "1" };
const install = ["sh", join(home, "install.sh")];
const libraries = () => installLibraries({ id: "python", folder: home, install, libraries: "requirements.txt", version }, env);

const scratch = mkdtempSync(join(tmpdir(), "python-test-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Line {
	type: string;
	id?: number;
	status?: number;
	code?: string;
	message?: string;
	stack?: string;
	stream?: string;
	handler?: string;
	handlers?: string[];
	concurrency?: number;
	head?: number;
	body?: number;
}

interface Frame extends Line {
	headers: string;
	text: string;
}

interface Call {
	data?: string;
	headers?: string;
	[field: string]: unknown;
}

type Files = Record<string, string>;
type Env = Record<string, string | undefined>;
type Worker = ReturnType<typeof start>;

function folderOf(files: Files): string {
	const folder = mkdtempSync(join(scratch, "f-"));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), text);
	}
	return folder;
}

/** Starts a worker for the first of the files, in the place of the loader. */
function start(t: TestContext, files: Files, handler = "handler", more: Env = {}) {
	const folder = folderOf(files);
	const child: ChildProcess = spawn(python, [join(home, "worker.py")], {
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe", "pipe"],
		env: {
			...env,
			RUNTIME_LIBRARIES: libraries(),
			KUBELESS_HANDLER_FILE: join(folder, Object.keys(files)[0] ?? ""),
			KUBELESS_INSTALL_VOLUME: folder,
			KUBELESS_WIRE: "1",
			FUNC_HANDLER: handler,
			FUNC_TIMEOUT: "30",
			FUNC_RUNTIME: "python3",
			FUNC_MEMORY_LIMIT: "128Mi",
			...more,
		},
	});
	t.after(() => child.kill("SIGKILL"));

	const wire = child.stdio[3] as Socket;
	const frames: Frame[] = [];
	const output = { stdout: "", stderr: "" };
	let rest = Buffer.alloc(0);
	let lastId = 0;
	wire.on("data", (chunk: Buffer) => {
		rest = Buffer.concat([rest, chunk]);
		for (;;) {
			const end = rest.indexOf("\n");
			if (end < 0) return;
			const line: Line = JSON.parse(rest.toString("utf8", 0, end));
			const head = end + 1;
			const body = head + (line.head ?? 0);
			const next = body + (line.body ?? 0);
			if (rest.length < next) return;
			frames.push({ ...line, headers: rest.toString("latin1", head, body), text: rest.toString("utf8", body, next) });
			rest = rest.subarray(next);
		}
	});
	wire.on("error", () => {});
	child.stdout?.setEncoding("utf8").on("data", (text) => (output.stdout += text));
	child.stderr?.setEncoding("utf8").on("data", (text) => (output.stderr += text));
	const exited: Promise<number | string> = once(child, "exit").then(([code, signal]) => code ?? signal);

	/** The first frame that fits, now or later. */
	async function until(fits: (frame: Frame) => boolean): Promise<Frame> {
		for (const limit = Date.now() + 10_000; Date.now() < limit; await wait(2)) {
			const found = frames.find(fits);
			if (found) return found;
		}
		return assert.fail(`it did not come; there were ${JSON.stringify(frames)} and ${output.stderr}`);
	}

	const send = (line: object, rest = "") => wire.write(`${JSON.stringify(line)}\n${rest}`, "latin1");

	/** Sends a call and gives its id. */
	function begin({ data, headers = "", ...fields }: Call = {}): number {
		lastId += 1;
		const body = data === undefined ? "" : Buffer.from(data).toString("latin1");
		const counts = { ...(headers && { head: headers.length }), ...(data === undefined ? {} : { body: body.length }) };
		send({ type: "call", id: lastId, method: "GET", path: "/", deadline: Date.now() + 30_000, ...fields, ...counts }, headers + body);
		return lastId;
	}

	const lead = (id: number) => until((frame) => frame.id === id && ["result", "head", "error"].includes(frame.type));

	/** What ends a call, with the whole body. */
	async function answer(id: number): Promise<Frame> {
		const last = await until((frame) => frame.id === id && ["result", "end", "error"].includes(frame.type));
		if (last.type !== "end") return last;
		const text = frames.filter((frame) => frame.id === id && frame.type === "chunk").map((frame) => frame.text);
		return { ...(await lead(id)), text: text.join("") };
	}

	return {
		pid: child.pid ?? 0,
		frames,
		output,
		exited,
		begin,
		answer,
		lead,
		send,
		until,
		started: () => until(({ type }) => type === "ready" || type === "failed"),
		ask: (call: Call = {}) => answer(begin(call)),
		logs: (stream: string, id?: number) =>
			frames
				.filter((frame) => frame.type === "log" && frame.stream === stream && frame.id === id)
				.map((frame) => frame.text)
				.join(""),
		close: () => wire.destroy(),
		stop() {
			send({ type: "stop" });
			return exited;
		},
	};
}

/** A worker whose function runs the code that a call sends it; what the code calls `answer` is returned. */
function startAny(t: TestContext, more: Env = {}, top = ""): Worker {
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

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const type = (frame: Frame) => /^content-type: (.*)\r$/im.exec(frame.headers)?.[1];

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
				const frame = await worker.ask({ data: `answer = ${value}` });
				assert.deepEqual([value, frame.text, type(frame)], [value, text, expected]);
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
				const { code, message = "" } = await worker.ask({ data: `answer = ${value}` });
				assert.equal(code, "RESULT_INVALID", value);
				assert.match(message, words);
			}
		});

		test("a bottle response gives status, headers and body, returned or raised", async (t) => {
			const worker = startAny(t, {}, "from bottle import HTTPError, HTTPResponse, abort");
			const made = await worker.ask({ data: "answer = HTTPResponse('made', 201, {'X-Name': 'Ada'})" });
			assert.deepEqual([made.status, made.text], [201, "made"]);
			assert.match(made.headers, /X-Name: Ada\r\n/);
			const raised = await worker.ask({ data: "raise HTTPError(404, 'no such user')" });
			assert.deepEqual([raised.status, raised.text], [404, "no such user"]);
			assert.equal((await worker.ask({ data: "abort(403)" })).status, 403);
			const json = await worker.ask({ data: "answer = HTTPResponse({'a': 1}, 202)" });
			assert.deepEqual([json.status, json.text, type(json)], [202, '{"a": 1}', "application/json"]);
			const latin = await worker.ask({ data: "answer = HTTPResponse('\\u00e9', headers={'Content-Type': 'text/plain; charset=latin-1'})" });
			assert.equal(latin.body, 1);
			const events = await worker.ask({ data: "answer = HTTPResponse(iter(['a', 'b']), headers={'Content-Type': 'text/event-stream'})" });
			assert.deepEqual([events.text, type(events)], ["ab", "text/event-stream"]);
		});

		test("a response that is raised when the stream has begun breaks it off", async (t) => {
			const worker = startAny(t, {}, "from bottle import HTTPError\ndef stream():\n    yield 'a'\n    raise HTTPError(404, 'late')");
			const id = worker.begin({ data: "answer = stream()" });
			await worker.answer(id);
			assert.deepEqual(
				worker.frames.filter((frame) => frame.id === id).map((frame) => frame.type),
				["head", "chunk", "error"],
			);
		});

		test("a coroutine or an async generator from a plain function is run all the same", async (t) => {
			const more =
				"import asyncio\nasync def co():\n    await asyncio.sleep(0.01)\n    return 'awaited'\nasync def items():\n    for i in 'abc':\n        yield i";
			const worker = startAny(t, {}, more);
			assert.equal((await worker.ask({ data: "answer = co()" })).text, "awaited");
			assert.equal((await worker.ask({ data: "answer = items()" })).text, "abc");
			assert.equal((await worker.ask({ data: "answer = asyncio.get_event_loop().run_until_complete(co())" })).text, "awaited");
		});
	});

	describe("the request", () => {
		test("is a bottle request, made when it is asked for", async (t) => {
			const worker = startAny(t);
			const before = await worker.ask({ data: "answer = str('bottle' in sys.modules) + str('request' in event['extensions'])" });
			assert.equal(before.text, "FalseTrue");
			const data = `request = event['extensions']['request']
answer = [type(request).__mro__[-2].__name__, request.method, request.path, request.query.q, request.url, request.get_header('X-Name'),
    request.get_cookie('b'), request.headers.get('X-Given'), request.content_length == len(event['data']), request.body.read() == event['data'],
    request.remote_addr, request is event['extensions'].get('request'), len(event['extensions']), sorted(event['extensions'])]
answer = {'is': answer}`;
			const headers =
				"Host: example.org:81\r\nX-Name: Ada\r\nX_Name: Eve\r\nCookie: a=1\r\nCookie: b=2\r\nTransfer-Encoding: chunked\r\nX-Given: 1\r\nx-given: 2\r\n";
			const { text } = await worker.ask({
				data,
				headers,
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
				data: "name=Ada+L",
				headers: "Content-Type: application/x-www-form-urlencoded\r\n",
			});
			assert.deepEqual(JSON.parse(simple.text), { name: "Ada L", file: null });
			const data = [
				'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n',
				'--b\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n',
			].join("");
			const multi = await worker.ask({ method: "POST", data, headers: "Content-Type: multipart/form-data; boundary=b\r\n" });
			assert.deepEqual(JSON.parse(multi.text), { name: "Ada", file: ["a.txt", "hello"] });
		});

		test("holds a body up to FUNC_MEMFILE_MAX in memory", async (t) => {
			const code = "answer = type(event['extensions']['request'].body).__name__ #";
			assert.equal((await startAny(t).ask({ data: code + "x".repeat(200_000) })).text, "BytesIO");
			assert.notEqual((await startAny(t, { FUNC_MEMFILE_MAX: "1000" }).ask({ data: code + "x".repeat(2000) })).text, "BytesIO");
		});

		test("says what is missing where bottle is", async (t) => {
			const worker = startAny(t, { RUNTIME_LIBRARIES: undefined });
			if ((await worker.ask({ data: "import bottle" })).type === "result") return t.skip("this Python has bottle of its own");
			const { message = "" } = await worker.ask({ data: "event['extensions']['request']" });
			assert.match(message, /add bottle to requirements.txt/);
			assert.equal((await worker.ask({ data: "answer = repr(event['extensions'])" })).text, "{}");
		});
	});

	describe("on threads", () => {
		const SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(float(event['data'] or 0))\n    return event['data']\n";

		test("a fast call does not wait for the slow ones before it", async (t) => {
			const worker = start(t, { "sleeps.py": SLEEPS });
			await worker.ask();
			const slow = Array.from({ length: 9 }, () => worker.begin({ data: "1" }));
			await worker.answer(worker.begin({ data: "0" }));
			assert.ok(!worker.frames.some((frame) => slow.includes(frame.id ?? 0)));
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
			const busy = [worker.begin({ data: "0.5" }), worker.begin({ data: "0.5" })];
			const waits = worker.begin({ data: "0" });
			worker.send({ type: "cancel", id: waits });
			const exit = worker.stop();
			assert.equal((await worker.answer(waits)).code, "CANCELLED");
			for (const id of busy) assert.equal((await worker.answer(id)).text, "0.5");
			assert.equal(await exit, 0);
		});

		test("a generator waits while it is paused and is closed when it is cancelled", async (t) => {
			const more = "def endless():\n    try:\n        while True:\n            yield 'x'\n    finally:\n        print('closed')";
			const worker = startAny(t, {}, more);
			const id = worker.begin({ data: "answer = endless()" });
			await worker.lead(id);
			worker.send({ type: "pause", id });
			await worker.ask({ data: "" });
			const count = worker.frames.length;
			await wait(50);
			assert.equal(worker.frames.length, count);
			worker.send({ type: "cancel", id });
			assert.equal((await worker.until((frame) => frame.id === id && frame.type === "error")).code, "CANCELLED");
			assert.equal(worker.logs("stdout", id), "closed\n");
		});

		test("nothing wakes up while there is nothing to do", {
			skip: existsSync("/proc/self/status") ? false : "there is no /proc",
		}, async (t) => {
			const worker = start(t, { "sleeps.py": SLEEPS });
			await Promise.all(Array.from({ length: 10 }, () => worker.ask({ data: "0.05" })));
			await wait(200);
			const before = switches(worker.pid);
			await wait(300);
			assert.equal(switches(worker.pid) - before, 0);
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
			const all = await Promise.all(Array.from({ length: 99 }, () => worker.ask({ data: "0.3" })));
			assert.ok(Date.now() - before < 5000);
			assert.deepEqual(new Set(all.map((frame) => frame.text)), new Set(["1"]));
			const id = worker.begin({ data: "60" });
			worker.send({ type: "cancel", id }); // before the handler has begun
			assert.equal((await worker.answer(id)).code, "CANCELLED");
			const running = worker.begin({ data: "60" });
			await wait(50);
			worker.send({ type: "cancel", id: running });
			assert.equal((await worker.answer(running)).code, "CANCELLED");
			if (minor > 6) assert.equal(worker.logs("stdout", running), "over\n");
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
			assert.equal((await worker.ask({ data: "items" })).text, "abc");
			const slow = worker.begin({ data: "slow" });
			await worker.ask({ data: "quick" });
			assert.ok(!worker.frames.some((frame) => frame.id === slow));
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
			const ids = ["a", "b", "c"].map((word) => worker.begin({ data: code(word) }));
			for (const id of ids) await worker.answer(id);
			assert.deepEqual(
				ids.map((id) => worker.logs("stdout", id)),
				["a end\n", "b end\n", "c end\n"],
			);
			assert.deepEqual(
				ids.map((id) => worker.logs("stderr", id)),
				["a err\n", "b err\n", "c err\n"],
			);
			assert.equal(worker.logs("stdout"), "at load\n");
		});

		test("comes before its call's end, the last line without a line break too", async (t) => {
			const worker = startAny(t);
			const id = worker.begin({ data: "sys.stdout.write('half'); sys.stdout.flush()" });
			await worker.answer(id);
			const mine = worker.frames.filter((frame) => frame.id === id).map(({ type, text }) => [type, text]);
			assert.deepEqual(mine, [
				["log", "half\n"],
				["result", ""],
			]);
		});

		test("through logging, warnings and the streams' own methods", async (t) => {
			const worker = startAny(t, {}, "import logging, warnings\nlogging.basicConfig()");
			const id = worker.begin({
				data: "logging.error('logged'); warnings.warn('warned'); sys.stdout.close(); print('\\ud800 still open')",
			});
			await worker.answer(id);
			assert.match(worker.logs("stderr", id), /ERROR:root:logged\n[^]*UserWarning: warned/);
			assert.equal(worker.logs("stdout", id), "\\ud800 still open\n");
			const { text } = await worker.ask({
				data: "out = sys.stdout; answer = [str([out.fileno(), sys.stderr.fileno(), out.encoding, out.isatty(), out.writable()])]",
			});
			assert.equal(text, "[1, 2, 'utf-8', False, True]");
		});

		test("to descriptors 1 and 2 stays there", async (t) => {
			const worker = startAny(t);
			await worker.ask({
				data: "import subprocess; subprocess.call(['echo', 'child']); os.write(2, b'raw\\n'); sys.stdout.buffer.write(b'buffer\\n')",
			});
			assert.equal(await worker.stop(), 0);
			assert.deepEqual(worker.output, { stdout: "child\nbuffer\n", stderr: "raw\n" });
		});
	});

	describe("whatever a handler does", () => {
		test("to descriptor 3, the wire stays", async (t) => {
			const worker = startAny(t);
			await worker.ask({ data: "os.write(3, b'garbage'); os.close(3)" });
			assert.equal((await worker.ask({ data: "answer = 'here'" })).text, "here");
		});

		test("and raises, the error begins in its own file", async (t) => {
			const worker = startAny(t);
			for (const [code, message] of [
				["raise ValueError('boom')", "ValueError: boom"],
				["sys.exit(3)", "SystemExit: 3"],
				["raise KeyboardInterrupt", "KeyboardInterrupt"],
				["raise GeneratorExit", "GeneratorExit"],
			] as const) {
				const frame = await worker.ask({ data: code });
				assert.equal(frame.message, message);
				assert.match(frame.stack ?? "", /^Traceback .*\n {2}File ".*any.py", line \d+, in handler\n/);
			}
			const odd = await worker.ask({ data: "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd()" });
			assert.match(odd.message ?? "", /^Odd: .*__str__ raised ValueError/);
			const deep = await worker.ask({ data: "def deep(n):\n    return [deep(n + 1)]\nglobals()['deep'] = deep\ndeep(0)" });
			assert.match(deep.message ?? "", /^RecursionError/);
			assert.ok((await worker.ask({ data: "raise ValueError('x' * 10**6)" })).stack?.length ?? 0 < 20_000);
		});

		test("to its event and context, the next call has its own", async (t) => {
			const worker = startAny(t);
			await worker.ask({ data: "event.clear(); context.clear()" });
			const { text } = await worker.ask({ data: "answer = dict(context, keys=sorted(event))" });
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
			assert.equal((await worker.ask({ data: `pid = os.fork()\nif pid:\n    ${wait}` })).text, "0");
			assert.equal((await worker.ask({ data: `pid = os.fork()\nif not pid:\n    print('child')\n    sys.exit(7)\n${wait}` })).text, "7");
			assert.equal((await worker.ask({ data: `pid = os.fork()\nif not pid:\n    raise ValueError('boom')\n${wait}` })).text, "1");
			assert.equal(await worker.stop(), 0);
			assert.equal(worker.output.stdout, "child\n");
			assert.match(worker.output.stderr, /ValueError: boom/);
			assert.equal(worker.frames.filter((frame) => frame.type !== "ready").length, 3);
		});

		test("does not hold the wire", async (t) => {
			const worker = startAny(t);
			const { text } = await worker.ask({ data: "pid = os.fork()\nif pid:\n    answer = str(pid)\nelse:\n    time.sleep(60)" });
			t.after(() => process.kill(Number(text), "SIGKILL"));
			// 0, 1 and 2 are what the child was given as such, and may be sockets.
			const sockets = `[f.name for f in os.scandir('/proc/${text}/fd') if f.name not in '012' and 'socket' in os.readlink(f.path)]`;
			// The child closes it when it gets to run, which may be after this call.
			const data = `until = time.monotonic() + 5\nwhile ${sockets} and time.monotonic() < until:\n    time.sleep(0.01)\nanswer = str(${sockets})`;
			assert.equal((await worker.ask({ data })).text, "[]");
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
			assert.equal(worker.logs("stdout"), "exits\n");
		});

		test("does not wait for long for threads that the function has left running", async (t) => {
			const worker = startAny(t);
			await worker.ask({ data: "threading.Thread(target=time.sleep, args=(60,)).start()" });
			const before = Date.now();
			assert.equal(await worker.stop(), 0);
			assert.ok(Date.now() - before < 5000);
		});

		test("of the wire is the worker's, whatever it does", async (t) => {
			const worker = startAny(t);
			worker.begin({ data: "time.sleep(60)" });
			await wait(100);
			worker.close();
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
			const shadows = folderOf({ "json.py": "raise SystemExit(1)" });
			assert.equal((await start(t, files, "handler", { PYTHONPATH: shadows }).ask()).text, "abcd");
		});

		test("finds what is installed in either layout of a prefix, the function's before the runtime's", async (t) => {
			const plain = `lib/python${version}/site-packages`;
			const debian = `local/lib/python${version}/dist-packages`;
			const mine = folderOf({
				[`${plain}/both.py`]: "of = 'mine'",
				[`${debian}/only.py`]: "of = 'mine'",
				[`${plain}/more.pth`]: "../../../extra\n",
				"extra/by_pth.py": "",
			});
			const runtimes = folderOf({
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
			const twice = (text: string) =>
				start(t, { "f.py": files["f.py"].replace("1", text) }, "handler", { PYTHONDONTWRITEBYTECODE: undefined });
			assert.equal((await twice("1").ask()).text, "1");
			const folder = folderOf(files);
			const run = () => start(t, {}, "handler", { KUBELESS_HANDLER_FILE: join(folder, "f.py"), PYTHONDONTWRITEBYTECODE: undefined });
			assert.equal((await run().ask()).text, "1");
			writeFileSync(join(folder, "f.py"), files["f.py"].replace("1", "2"));
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
				const worker = start(t, files, handler);
				const failed = await worker.started();
				assert.equal(failed.code, code);
				assert.match(failed.message ?? "", message);
				if (files["f.py"] === several) assert.deepEqual(failed.handlers, ["greet", "part"]);
				assert.equal(await worker.exited, 1);
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

		test("has nothing to do, and asks no pip, where the file lists nothing", () => {
			const folder = folderOf({ "requirements.txt": "\n  # nothing yet\n\n" });
			const tools = folderOf({});
			for (const name of ["grep"]) writeFileSync(join(tools, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
			const { status, stderr } = run({
				PATH: tools,
				KUBELESS_DEPS_FILE: join(folder, "requirements.txt"),
				KUBELESS_INSTALL_VOLUME: folder,
			});
			assert.deepEqual([status, stderr], [0, ""]);
		});

		test("installs into the prefix what lies beside the file, without a home", async (t) => {
			const folder = folderOf({});
			execFileSync(python, ["-c", WHEEL], { cwd: folder });
			const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
			writeFileSync(join(folder, "requirements.txt"), `./${wheel}\n`);
			const prefix = folderOf({});
			const { status, stdout, stderr } = run({
				PATH: env.PATH,
				PIP_NO_INDEX: "1",
				KUBELESS_DEPS_FILE: join(folder, "requirements.txt"),
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
