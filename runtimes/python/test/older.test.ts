import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { installLibraries } from "../../../test/support/libraries.ts";
import { type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";
import { playVectors } from "../../../test/versions/vectors.ts";
import { env, home } from "./worker.ts";

// The worker for Python 2.7, 3.4 and 3.5, on Python 2.7. lint.sh checks that it also is Python 3.4.

const place = join(home, "../../node_modules/.cache/versions/python");
mkdirSync(place, { recursive: true });
const versions = spawnSync("sh", [join(home, "versions.sh")], { env: { ...process.env, VERSIONS_DIR: place }, encoding: "utf8" });
const folder = versions.stdout.split("\n").find((line) => line.endsWith("/python2.7"));
const missing = folder === undefined && "Python 2.7 is missing. Install python2.7 with pip on PATH, or by pyenv.";
if (missing) console.log(`SKIPPED: Python 2.7. ${missing}`);

describe("Python 2.7", { skip: missing && !process.env["CI"] }, () => {
	const own = { ...env, PATH: `${folder}${delimiter}${env.PATH}` };
	const install = ["sh", join(home, "install.sh")];
	const libraries = () => installLibraries({ id: "python", folder: home, install, libraries: "requirements.txt", version: "2.7" }, own);
	const start = (t: TestContext, files: Files, more: Record<string, string> = {}) =>
		new WireEnd(
			t,
			{ command: ["python3", join(home, "worker.py")], env: { ...own, RUNTIME_LIBRARIES: libraries() } },
			firstOf(t, files),
			"handler",
			more,
		);

	test("the worker keeps the wire's rules on Python 2.7", async () => {
		const { code, output } = await playVectors(join(home, "runtime.json"), { ...own, RUNTIME_LIBRARIES: libraries() }, ["--patience", "2"]);
		assert.equal(code, 0, output);
	});

	test("on Python 2.7 the body and the event's texts are str, and text in JSON is unicode", async (t) => {
		const worker = start(t, {
			"types.py": `
def handler(event, context):
    request = event['extensions']['request']
    values = [event['data'], event['event-id'], event['extensions'].get('source'), request.path, context['function-name']]
    return ' '.join(type(value).__name__ for value in values) + ' ' + event['event-id']
`,
		});
		const { text } = await worker.ask({ body: "ž", "event-id": "ž", extensions: { source: "/a" } });
		assert.equal(text, "str str str str str ž");
		const json = await start(t, {
			"json.py": "def handler(event, context):\n    return ' '.join(type(value).__name__ for value in event['data'])\n",
		}).ask({ json: true, body: '["ž", 1, {}]' });
		assert.equal(json.text, "unicode int dict");
	});

	test("on Python 2.7 str is sent unchanged and unicode as UTF-8, both as text/html; charset=UTF-8", async (t) => {
		const worker = start(t, {
			"text.py": "def handler(event, context):\n    return event['data'] if event['data'] else u'\\u017e'\n",
		});
		for (const [body, expected] of [
			[Buffer.from([0xff, 0x00]), Buffer.from([0xff, 0x00])],
			["", Buffer.from("ž")],
		] as const) {
			const answer = await worker.ask({ body });
			assert.deepEqual(answer.body, expected);
			assert.equal(answer.headers["content-type"], "text/html; charset=UTF-8");
		}
	});

	test("on Python 2.7 the worker ends if its reader fails and its stack cannot be printed", async (t) => {
		const worker = start(t, {
			"broken.py": `
import os, sys
def fail(*args):
    raise MemoryError()
def handler(event, context):
    os.close(2)
    sys.modules['_kubeless.wire'].Wire.line = fail
    return 'broken'
`,
		});
		assert.equal((await worker.ask()).text, "broken");
		worker.begin(); // the reader already waits for this call
		assert.equal(await worker.exited, 70);
	});

	test("on Python 2.7 print and unicode messages of errors arrive as UTF-8", async (t) => {
		const worker = start(t, {
			"text.py": "# coding: utf-8\ndef handler(event, context):\n    print u'\\u017e', 'ž', '\\xff'\n    raise ValueError(u'\\u017e')\n",
		});
		const { error } = await worker.ask({});
		assert.equal(worker.printed("stdout", 1), "ž ž \ufffd\n");
		assert.equal(error?.message, "ValueError: ž");
		assert.match(error?.stack ?? "", /text\.py", line 4, in handler[\s\S]*ValueError: ž/);
	});

	test("on Python 2.7 a class without BaseException can be raised", async (t) => {
		const worker = start(t, {
			"old.py": "class Old:\n    def __str__(self):\n        return 'old'\n\n\ndef handler(event, context):\n    raise Old()\n",
		});
		assert.equal((await worker.ask({})).error?.message, "Old: old");
		assert.equal((await worker.ask({})).error?.message, "Old: old");
	});

	test("on Python 2.7 the settings of bottle.response hold for their call only", async (t) => {
		const worker = start(
			t,
			{
				"bottled.py": `
import bottle


def handler(event, context):
    if bottle.request.query.get('set'):
        bottle.response.status = 418
        bottle.response.set_header('X-Tea', 'green')
    return 'tea'
`,
			},
			{ FUNC_CONCURRENCY: "1" },
		);
		const set = await worker.ask({ query: "set=1" });
		assert.deepEqual([set.status, set.headers["x-tea"], set.text], [418, "green", "tea"]);
		const next = await worker.ask({});
		assert.deepEqual([next.status, next.headers["x-tea"]], [200, undefined]);
	});

	test("on Python 2.7 headers over the limit of the wire are RESULT_INVALID", async (t) => {
		const worker = start(t, {
			"long.py":
				"import bottle\n\n\ndef handler(event, context):\n    return bottle.HTTPResponse('', 200, {'X-Long': 'a' * int(event['data'])})\n",
		});
		assert.equal((await worker.ask({ body: "1000000" })).headers["x-long"]?.length, 1_000_000);
		const { error } = await worker.ask({ body: "1048500" });
		assert.equal(error?.code, "RESULT_INVALID");
		assert.match(error?.message ?? "", /^the handler returned \d+ bytes of headers: the limit is 1048512$/);
	});

	test("on Python 2.7 a connection made at load can be used if calls run one at a time", async (t) => {
		const worker = start(
			t,
			{
				"thread.py":
					"import threading\nloaded = threading.current_thread()\n\n\ndef handler(event, context):\n    return str(loaded is threading.current_thread())\n",
			},
			{ FUNC_CONCURRENCY: "1" },
		);
		assert.equal((await worker.ask({})).text, "True");
	});

	test("on Python 2.7 the function's SIGTERM handler and exit functions run when the worker stops", async (t) => {
		const worker = start(t, {
			"ends.py": `
import atexit
import signal


def terminated(number, frame):
    print 'terminated'


def ended():
    print 'ended'


signal.signal(signal.SIGTERM, terminated)
atexit.register(ended)


def handler(event, context):
    return 'ok'
`,
		});
		assert.equal((await worker.ask({})).text, "ok");
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.printed("stdout", null), "terminated\nended\n");
	});

	test("on Python 2.7 a module that is not installed is named with its cure", async (t) => {
		const worker = start(t, { "needs.py": "import absent_module\n\n\ndef handler(event, context):\n    return ''\n" });
		const { message } = await worker.failed();
		assert.equal(
			message,
			"ImportError: No module named absent_module (needs.py, line 1); " +
				"list what the function needs in a requirements.txt beside it, in a version for Python 2.7",
		);
	});

	test("on Python 2.7 bom.sh lists the installed packages", () => {
		const run = spawnSync("sh", [join(home, "bom.sh")], { env: { ...own, KUBELESS_INSTALL_VOLUME: libraries() }, encoding: "utf8" });
		assert.match(run.stdout, /^\tbottle\t0\.\d+\.\d+\tpkg:pypi\/bottle@/m, run.stderr);
	});
});
