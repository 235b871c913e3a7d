// The package that npm publishes, installed into an empty folder: everything it needs is in it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSuites } from "../../kubeless-loader/src/conform/vectors.ts";
import { folder } from "../support/loader.ts";
import { run, shellEnv, tell } from "../support/local-command.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyLanguage } from "./languages.ts";
import { oldNode } from "./old-node.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const NOWHERE = "http://127.0.0.1:9/";
const PROXIES = Object.fromEntries(
	["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, undefined]),
);

/** A first start compiles; on a busy machine that takes minutes. In ms. */
const FIRST_START_MS = 600_000;

const owner = suiteOwner();

let app = "";
let env: NodeJS.ProcessEnv;

before(() => {
	const copy = folder(owner);
	// A copy, as the checkout's dist serves other tests at the same time.
	for (const name of ["bin.mjs", "package.json", "pack.mjs", "README.md", "dist"])
		cpSync(join(root, "kubeless-loader", name), join(copy, "kubeless-loader", name), { recursive: true });
	const skipped = new Set(["node_modules", "test", "vectors"]);
	cpSync(join(root, "runtimes"), join(copy, "runtimes"), { recursive: true, filter: (path) => !skipped.has(basename(path)) });
	const program = join(copy, "kubeless-loader");
	execFileSync(process.execPath, ["pack.mjs"], { cwd: program });
	const npm = (args: string[], cwd: string) => execFileSync("npm", args, { cwd, env: { ...shellEnv(), ...env }, encoding: "utf8" });
	const tools = folder(owner);
	symlinkSync(process.execPath, join(tools, "node"));
	env = {
		...PROXIES,
		PATH: `${tools}:${oldNode.path}`,
		HOME: folder(owner),
		KUBELESS_LOADER_CACHE: folder(owner),
		npm_config_registry: NOWHERE,
		npm_config_cache: folder(owner),
		PIP_INDEX_URL: NOWHERE,
		PIP_RETRIES: "0",
	};
	const command = join(copy, "kubeless-cli");
	for (const name of ["package.json", "README.md", "dist"])
		cpSync(join(root, "kubeless-cli", name), join(command, name), { recursive: true });
	const tarballs = [program, command].map((place) => {
		npm(["pack", "--ignore-scripts", "--silent"], place);
		return join(place, readdirSync(place).find((name) => name.endsWith(".tgz")) as string);
	});
	app = join(folder(owner, { "a folder/package.json": "{}" }), "a folder");
	npm(["install", "--offline", "--no-audit", "--no-fund", ...tarballs], app);
});

const installed = (name = "kubeless-loader") => join(app, "node_modules/.bin", name);

for (const [file, text] of Object.entries({
	"hello.js": 'exports.hello = () => "hello";\n',
	"hello.py": "def hello(event, context):\n    return 'hello'\n",
})) {
	test(`the installed package serves ${file} without a network and without a checkout`, async (t) => {
		const local = await run(t, [file], { cwd: folder(t, { [file]: text }), command: [installed()], env });
		assert.equal(await local.answer(), "hello");
		assert.deepEqual(await local.stop(), { code: 0, signal: null });
	});
}

everyLanguage("the installed package, with an empty cache", ({ id, example, suffix }) => {
	test(`${id}: serves a copy of the hello example from an empty folder`, async (t) => {
		const file = `hello${suffix}`;
		const cwd = folder(t, { [file]: readFileSync(example(file)) });
		const local = await run(t, [file], {
			cwd,
			command: [installed()],
			env: { KUBELESS_LOADER_CACHE: folder(t) },
			patienceMs: FIRST_START_MS,
		});
		assert.equal((await local.answer()).trim().toLowerCase(), "hello world");
		assert.deepEqual(await local.stop(), { code: 0, signal: null });
	});
});

test("the installed package of the kubeless command serves a function without a checkout and without a network", async (t) => {
	const cwd = folder(t, { "hello.js": 'exports.hello = () => "hello";\n' });
	const local = await run(t, ["hello.js"], { cwd, command: [installed("kubeless")], env });
	assert.equal(await local.answer(), "hello");
	assert.deepEqual(await local.stop(), { code: 0, signal: null });
});

test("a build without conformance vectors ends conform with an error", () => {
	assert.throws(() => readSuites({}), /has no conformance vectors/);
});

test("the installed package has the conformance vectors", async (t) => {
	const { code, output } = await tell(t, ["conform", "--list"], { command: [installed()], env });
	assert.equal(code, 0);
	assert.match(output, /^ {2}wire-end /m);
});

test("on an older Node.js the package runs on the one that it brings, and without that it names the cure", {
	skip: oldNode.missing,
}, async (t) => {
	const options = { command: [installed()], env: { ...env, PATH: oldNode.path } };
	const without = await tell(t, ["--help"], options);
	assert.deepEqual([without.code, without.output], [1, ""]);
	assert.match(without.stderr, /needs Node\.js 24 or newer, but this is Node\.js \d+\.\d+\.\d+\. Install .*\n$/);
	const name = `node-${process.platform}-${process.arch}`;
	if (!existsSync(join(root, "node_modules", name))) return t.diagnostic(`npm has not installed ${name}`);
	mkdirSync(join(app, "node_modules", name));
	symlinkSync(join(root, "node_modules", name, "bin"), join(app, "node_modules", name, "bin"));
	const { code, output } = await tell(t, ["--help"], options);
	assert.equal(code, 0);
	assert.match(output, /^Usage: kubeless-loader /);
});
