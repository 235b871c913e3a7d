import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import { type Files, firstOf } from "../../../test/support/wire-end.ts";
import { needsPython, start, startIn, version } from "./worker.ts";

describe("Python: loading a function", needsPython, () => {
	const HELLO = "def handler(event, context):\n    return __name__\n";

	test("a function's file may have the name of a module of the worker or of Python", async (t) => {
		for (const name of ["worker", "request", "threads", "handler", "my-function"]) {
			assert.equal((await start(t, { [`${name}.py`]: HELLO }).ask()).text, name);
		}
		assert.equal((await start(t, { "_kubeless.py": HELLO }).ask()).text, "_kubeless_function");
		const json = "import json\ndef handler(event, context):\n    return json.dumps({'from': __name__})\n";
		assert.equal((await start(t, { "json.py": json }).ask()).text, '{"from": "json_function"}');
	});

	test("a helper may have the name of a module of the worker, in the folder or on PYTHONPATH", async (t) => {
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

	test("packages are found in both layouts of a prefix, the function's before the runtime's", async (t) => {
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

	test("a file may have the name of a package that it imports, or of a module that Python imports later", async (t) => {
		const installed = folder(t, { [`lib/python${version}/site-packages/thing.py`]: "of = 'installed'" });
		const thing = "import thing\ndef handler(event, context):\n    return thing.of + ' ' + __name__\n";
		const worker = start(t, { "thing.py": thing }, "handler", { KUBELESS_INSTALL_VOLUME: installed });
		assert.equal((await worker.ask()).text, "installed thing_function");
		const email =
			"def handler(event, context):\n    from email.utils import quote\n    return event['extensions']['request'].method + quote('x')\n";
		assert.equal((await start(t, { "email.py": email }).ask({ method: "PUT" })).text, "PUTx");
	});

	test("the worker starts with a limit of 64 open files", async (t) => {
		const file = firstOf(t, { "f.py": HELLO });
		const worker = startIn(t, file, "handler", {}, ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"]);
		assert.equal((await worker.ask()).text, "f");
	});

	test("an edit within the same second is loaded", async (t) => {
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
		[
			"a syntax error in the file",
			{ "f.py": "def f():\n  x = = 2\n" },
			"f",
			"HANDLER_FAILED_TO_LOAD",
			/^SyntaxError: .*\(f\.py, line 2\)$/,
		],
		[
			"an error while loading",
			{ "f.py": "\nraise ValueError('no')\n" },
			"f",
			"HANDLER_FAILED_TO_LOAD",
			/^ValueError: no \(f\.py, line 2\)$/,
		],
		[
			"an exit while loading",
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
		["a misspelled name", { "f.py": several }, "gret", "HANDLER_NOT_FOUND", /no function gret in f\.py: did you mean greet\?$/],
		["an unknown name", { "f.py": several }, "zzz", "HANDLER_NOT_FOUND", /no function zzz in f\.py: it has greet, part$/],
		["a missing FUNC_HANDLER with several functions", { "f.py": several }, "", "HANDLER_NOT_FOUND", /several functions.*FUNC_HANDLER/],
		["a file without a function", { "f.py": "x = 1" }, "", "HANDLER_NOT_FOUND", /no function of the form/],
		["an attribute that every module has", { "f.py": several }, "__class__", "HANDLER_NOT_FOUND", /no function __class__ in f\.py/],
		[
			"a name of a value that is no function",
			{ "f.py": several },
			"VALUE",
			"HANDLER_NOT_FOUND",
			/VALUE in f\.py is no function but a value of type int/,
		],
	];
	for (const [what, files, handler, code, message] of FAILURES) {
		test(`${what} is reported with its cause`, async (t) => {
			const failed = await start(t, files, handler).failed();
			assert.equal(failed.code, code);
			assert.match(failed.message ?? "", message);
			if (files["f.py"] === several) assert.deepEqual(failed.handlers, ["greet", "part"]);
		});
	}

	test("without FUNC_HANDLER the only function, or the usual one, is the handler", async (t) => {
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
