import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test, { describe } from "node:test";
import { fake } from "../support/fake.ts";
import { folder, type LoaderOptions, runLoader, startLoader } from "../support/loader.ts";
import { untilGone } from "../support/processes.ts";
import { missingRuntime } from "../support/runtimes.ts";

const GOOD = "exports.h = () => 'fine'";
const node = (files: Record<string, string>, env: Record<string, string> = {}): LoaderOptions => ({
	files,
	env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs", ...env },
});
const python = (files: Record<string, string>, env: Record<string, string> = {}): LoaderOptions => ({
	files,
	env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "python", ...env },
});

/** A user's mistake, and the message that the loader must print. */
const MISTAKES: [string, LoaderOptions, RegExp[]][] = [
	["a misspelt MOD_NAME", node({ "f.js": GOOD }, { MOD_NAME: "g" }), [/MOD_NAME is "g"/, /f\.js/]],
	["FUNC_HANDLER without MOD_NAME", node({ "f.js": GOOD }, { MOD_NAME: "" }), [/MOD_NAME is not set/, /f\.js/]],
	["an empty folder", node({}), [/no Node\.js file/, /KUBELESS_INSTALL_VOLUME/]],
	["a folder that is not there", node({}, { KUBELESS_INSTALL_VOLUME: "/no/such/folder" }), [/\/no\/such\/folder does not exist/]],
	["no FUNC_RUNTIME", node({ "f.js": GOOD }, { FUNC_RUNTIME: "" }), [/FUNC_RUNTIME is not set/]],
	["an unknown FUNC_RUNTIME", node({ "f.js": GOOD }, { FUNC_RUNTIME: "cobol85" }), [/cobol85/, /nodejs/, /python/]],
	["a misspelt FUNC_HANDLER in JavaScript", node({ "f.js": GOOD }, { FUNC_HANDLER: "hello" }), [/hello/, /\bh\b/]],
	[
		"a misspelt FUNC_HANDLER in Python",
		python({ "f.py": "def h(event, context):\n    return 1\n" }, { FUNC_HANDLER: "hello" }),
		[/hello/, /\bh\b/],
	],
	["a syntax error in JavaScript", node({ "f.js": "exports.h = () => 1;\nexports.g = (;\n" }), [/f\.js:2/, /SyntaxError/]],
	["a syntax error in Python", python({ "f.py": "def h(event, context):\n    return (\n" }), [/f\.py/, /line 2/, /SyntaxError/]],
	["a missing module in JavaScript", node({ "f.js": "require('no-such-module-here');\n" }), [/no-such-module-here/]],
	["a missing module in Python", python({ "f.py": "import no_such_module_here\n" }), [/no_such_module_here/, /line 1/]],
	["an error while loading in JavaScript", node({ "f.js": "\nthrow new Error('no luck today')\n" }), [/no luck today/, /f\.js:2/]],
	["an error while loading in Python", python({ "f.py": "\nraise ValueError('no luck today')\n" }), [/no luck today/, /line 2/]],
	["exit while loading in JavaScript", node({ "f.js": "process.exit(0)" }), [/f\.js/]],
	["exit while loading in Python", python({ "f.py": "import sys\nsys.exit(0)\n" }), [/f\.py/]],
	["a FUNC_TIMEOUT that is no number", node({ "f.js": GOOD }, { FUNC_TIMEOUT: "3m" }), [/FUNC_TIMEOUT is "3m"/, /180/]],
	["a FUNC_PORT that is no port", node({ "f.js": GOOD }, { FUNC_PORT: "80800" }), [/FUNC_PORT is "80800"/]],
	["a MOD_NAME that leaves the folder", node({ "f.js": GOOD }, { MOD_NAME: "../f" }), [/MOD_NAME is "\.\.\/f"/]],
];

describe("a failed start ends with exit code 1 and one message:", { concurrency: 2 }, () => {
	const withoutPython = missingRuntime("python");
	for (const [what, options, messages] of MISTAKES) {
		test(what, { skip: what.endsWith("in Python") && withoutPython }, async (t) => {
			const log = join(folder(t, { "termination-log": "" }), "termination-log");
			const run = await runLoader(t, { ...options, env: { ...options.env, KUBELESS_TERMINATION_LOG: log } });
			assert.equal(run.code, 1, run.stderr);
			for (const message of messages) assert.match(run.stderr, message);
			assert.equal(run.stderr.match(/kubeless-loader:/g)?.length, 1, run.stderr);
			assert.doesNotMatch(run.stderr, /loader\.mjs/, "the loader's own stack is of no use to the user");
			for (const message of messages) assert.match(readFileSync(log, "utf8"), message, "in the termination log");
			await untilGone(run.marker);
		});
	}
});

test("several mistakes in the configuration are reported together, each with a hint", async (t) => {
	const env = { FUNC_TIMEOUT: "soon", FUNC_PORT: "http", REQ_MB_LIMIT: "-1", FUNC_WORKERS: "0", SHUTDOWN_TIMEOUT: "x" };
	const { code, stderr } = await runLoader(t, node({ "f.js": GOOD }, env));
	assert.equal(code, 1);
	for (const [name, value] of Object.entries(env)) assert.match(stderr, new RegExp(`${name} is "${value}": give `));
});

test("a port in use ends the loader with exit code 1 and a message that names the port and a hint", async (t) => {
	const holder = net.createServer().listen(0, "::");
	t.after(() => void holder.close());
	await new Promise((resolve) => holder.once("listening", resolve));
	const { port } = holder.address() as net.AddressInfo;
	const run = await runLoader(t, node({ "f.js": GOOD }, { FUNC_PORT: String(port) }));
	assert.equal(run.code, 1);
	assert.match(run.stderr, new RegExp(`Port ${port} is in use[^]*FUNC_PORT`));
	await untilGone(run.marker);
});

test("a termination log that does not exist is not created", async (t) => {
	const place = folder(t);
	const run = await runLoader(t, node({}, { KUBELESS_TERMINATION_LOG: join(place, "log") }));
	assert.equal(run.code, 1);
	assert.throws(() => readFileSync(join(place, "log")), { code: "ENOENT" });
});

test("an invalid manifest is reported with its path and the field", async (t) => {
	const { code, stderr } = await runLoader(t, fake(t, {}, { concurrency: "some" }));
	assert.equal(code, 1);
	assert.match(stderr, /runtime\.json, "concurrency" must be async, threads or single/);
});

test("FUNC_PORT is the port, FUNC_TIMEOUT may have decimals, and the function sees both unchanged", async (t) => {
	const holder = net.createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => holder.once("listening", resolve));
	const { port } = holder.address() as net.AddressInfo;
	await new Promise((resolve) => holder.close(resolve));
	const source = "exports.h = (event, context) => ({ ...context })";
	const env = { FUNC_PORT: String(port), FUNC_TIMEOUT: "2.5", FUNC_MEMORY_LIMIT: "128Mi" };
	const loader = await startLoader(t, node({ "f.js": source }, env));
	assert.equal(loader.port, port);
	const context = JSON.parse((await loader.ask()).text);
	assert.equal(context.timeout, 2.5);
	assert.deepEqual([context["function-name"], context.runtime, context["memory-limit"]], ["h", "nodejs", "128Mi"]);
});

test("an unknown command fails, and --help and --version succeed", async (t) => {
	const wrong = await runLoader(t, { args: ["serve"] });
	assert.deepEqual([wrong.code, /"serve"[^]*--help/.test(wrong.stderr)], [1, true]);
	const help = await runLoader(t, { args: ["--help"] });
	assert.equal(help.code, 0);
	assert.match(help.lines.join("\n"), /Usage: kubeless-loader/);
	assert.match((await runLoader(t, { args: ["--version"] })).lines[0] ?? "", /^\d+\.\d+\.\d+$/);
});
