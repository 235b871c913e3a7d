import assert from "node:assert/strict";
import { appendFileSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "../support/loader.ts";
import { LocalCommand, run } from "../support/local-command.ts";
import type { Owner } from "../support/owner.ts";
import { mistake } from "./mistake.ts";

const WORKER = fileURLToPath(new URL("../../runtimes/nodejs/worker.js", import.meta.url));

/** Returns what the installer has written: its folder, and the files that it read. */
const FUNCTION = `exports.h = () => require("fs").readFileSync(process.env.KUBELESS_INSTALL_VOLUME + "/installed", "utf8");`;
const INSTALL = `pwd -P >installed && cd "$(dirname "$KUBELESS_DEPS_FILE")" && cat *.txt >>"$OLDPWD/installed"\n`;
/**
 * As an installer's cache-key.sh: a version, and the folder if the dependency file includes another
 * one.
 */
const CACHE_KEY = `cat "$(dirname "$0")/version"\n! grep -q '^-r' "$KUBELESS_DEPS_FILE" || echo @folder\n`;

interface Options {
	readonly install?: string;
	readonly manifest?: object;
	readonly files?: Readonly<Record<string, string>>;
}

/** A language whose installer needs no network. */
function language(owner: Owner, { install = INSTALL, manifest = {}, files = {} }: Options = {}) {
	const runtime = {
		id: "made-up",
		suffixes: [".js"],
		depsFile: "deps.txt",
		concurrency: "async",
		worker: ["node", WORKER],
		install: ["sh", "$(RUNTIME_DIR)/install.sh"],
		...manifest,
	};
	const home = folder(owner, {
		"runtime.json": JSON.stringify(runtime),
		"install.sh": install,
		"cache-key.sh": CACHE_KEY,
		version: "1.0\n",
		...files,
	});
	const env = { KUBELESS_LOADER_CACHE: folder(owner) };
	const words = (place: string) => [join(place, "f.js"), "--manifest", join(home, "runtime.json")];
	return {
		home,
		words,
		env,
		run: (place: string) => run(owner, words(place), { env }),
		/**
		 * Serves the function in a folder once. Returns its answer and whether its dependencies were
		 * installed for it.
		 */
		async serve(place: string): Promise<{ folder: string; text: string; installed: boolean }> {
			const local = await run(owner, words(place), { env });
			const [first = "", ...rest] = (await local.answer()).split("\n");
			await local.stop();
			return { folder: first, text: rest.join("\n"), installed: /^Installing/m.test(local.output) };
		},
	};
}

const project = (owner: Owner, files: Readonly<Record<string, string>>) => folder(owner, { "f.js": FUNCTION, ...files });

test("an installation is made where it stays, and is kept for the next start", async (t) => {
	const { serve } = language(t);
	const place = project(t, { "deps.txt": "one\n" });
	const first = await serve(place);
	assert.deepEqual([first.text, first.installed], ["one\n", true]);
	assert.equal(realpathSync(first.folder), first.folder);
	assert.match(readFileSync(join(first.folder, "installed"), "utf8"), new RegExp(`^${first.folder}\n`));
	assert.deepEqual(await serve(place), { ...first, installed: false });
});

test("a changed interpreter, installer or cache-key.sh installs again", async (t) => {
	const { serve, home } = language(t);
	const place = project(t, { "deps.txt": "one\n" });
	assert.equal((await serve(place)).installed, true);
	for (const name of ["version", "install.sh", "cache-key.sh"]) {
		appendFileSync(join(home, name), "# changed\n");
		assert.equal((await serve(place)).installed, true, name);
	}
	assert.equal((await serve(place)).installed, false);
});

test("a changed file that the dependency file includes installs again, and a change of the function does not", async (t) => {
	const { serve } = language(t);
	const place = project(t, { "deps.txt": "-r base.txt\n", "base.txt": "one\n" });
	assert.match((await serve(place)).text, /^one$/m);
	writeFileSync(join(place, "base.txt"), "two\n");
	assert.match((await serve(place)).text, /^two$/m);
	appendFileSync(join(place, "f.js"), "// changed\n");
	assert.equal((await serve(place)).installed, false);
});

test("projects with equal dependency files share an installation only if it refers to no files of theirs", async (t) => {
	const { serve } = language(t);
	const [one, other] = ["one", "other"].map(() => project(t, { "deps.txt": "same\n" })) as [string, string];
	const shared = await serve(one);
	assert.deepEqual(await serve(other), { ...shared, installed: false });
	for (const place of [one, other]) writeFileSync(join(place, "deps.txt"), "-r base.txt\n");
	for (const place of [one, other]) writeFileSync(join(place, "base.txt"), "same\n");
	const own = await serve(one);
	const second = await serve(other);
	assert.equal(second.installed, true);
	assert.notEqual(second.folder, own.folder);
});

test("an installation whose files changed meanwhile is not kept", async (t) => {
	// The first installation ends after a save of the dependency file that it has read.
	const { serve } = language(t, {
		install: `${INSTALL}[ -f "$RUNTIME_DIR/saved" ] || { echo two >"$KUBELESS_DEPS_FILE"; touch "$RUNTIME_DIR/saved"; }\n`,
	});
	const place = project(t, { "deps.txt": "one\n" });
	assert.equal((await serve(place)).text, "two\n");
	assert.deepEqual([(await serve(place)).installed, (await serve(place)).text], [false, "two\n"]);
	writeFileSync(join(place, "deps.txt"), "one\n");
	assert.deepEqual((await serve(place)).text, "one\n", "what was read before the save is not kept for the first state");
});

/** Its installer ends when the test wants it to. */
const LIBRARIES = {
	install: `until [ -f "$RUNTIME_DIR/end" ]; do sleep 0.05; done\necho 'exports.name = "library";' >library.js\nexit "$(cat "$RUNTIME_DIR/end")"\n`,
	manifest: { libraries: "libraries.txt", librariesOnDemand: true },
	files: { "libraries.txt": "library\n" },
};

test("a function that uses no library of its worker is served before they are installed", async (t) => {
	const made = language(t, LIBRARIES);
	const local = await made.run(folder(t, { "f.js": 'exports.h = () => "hello";' }));
	assert.equal(await local.answer(), "hello");
	writeFileSync(join(made.home, "end"), "0");
	await local.wrote(/^Installed the libraries that the made-up worker offers to functions/);
	assert.equal(local.lines.filter((line) => /install/i.test(line)).length, 1, local.output);
});

test("a function that needs a library of its worker to load is served when they are installed", async (t) => {
	const made = language(t, LIBRARIES);
	const place = folder(t, { "f.js": 'const { name } = require(process.env.RUNTIME_LIBRARIES + "/library.js");\nexports.h = () => name;' });
	const local = new LocalCommand(t, ["run", ...made.words(place)], { env: made.env });
	await local.wrote(/could not be loaded\. It is loaded again when the libraries of the worker are installed/);
	writeFileSync(join(made.home, "end"), "0");
	await local.serving();
	assert.equal(await local.answer(), "library");
});

test("libraries that cannot be installed are reported in the log, and end the start only of a function that needs them", async (t) => {
	const made = language(t, LIBRARIES);
	writeFileSync(join(made.home, "end"), "3");
	const local = await made.run(folder(t, { "f.js": 'exports.h = () => "hello";' }));
	await local.wrote(/^Without the libraries that the made-up worker offers to functions: Cannot install .* exit code 3/);
	assert.equal(await local.answer(), "hello");
	const place = folder(t, {
		"f.js": 'if (!require("fs").existsSync(process.env.RUNTIME_LIBRARIES)) throw Error("no library");\nexports.h = () => 1;',
	});
	assert.match(await mistake(t, ["run", ...made.words(place)], { env: made.env }), /: no library$/m);
});

test("python: hello world is served without a package index", async (t) => {
	const env = { KUBELESS_LOADER_CACHE: folder(t), PIP_INDEX_URL: "http://127.0.0.1:9/", PIP_RETRIES: "0", PIP_NO_CACHE_DIR: "1" };
	const local = await run(t, [join(folder(t, { "f.py": "def h(event, context):\n    return 'hello'\n" }), "f.py")], { env });
	assert.equal(await local.answer(), "hello");
	await local.wrote(/^Without the libraries that the Python worker offers to functions: /);
});

test("nodejs: a package by path and a workspace come from the project's own folder, never from the registry or another project", async (t) => {
	const env = { KUBELESS_LOADER_CACHE: folder(t), npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" };
	const source = 'exports.h = () => require("by-path") + require("is-number");';
	const manifest = { workspaces: ["packages/*"], dependencies: { "by-path": "file:./lib", "is-number": "*" } };
	for (const name of ["one", "other"]) {
		const place = folder(t, {
			"f.js": source,
			"package.json": JSON.stringify(manifest),
			"lib/package.json": '{"name":"by-path","version":"1.0.0"}',
			"lib/index.js": `module.exports = "path of ${name}, ";`,
			"packages/is-number/package.json": '{"name":"is-number","version":"99.0.0"}',
			"packages/is-number/index.js": `module.exports = "workspace of ${name}";`,
		});
		const local = await run(t, [join(place, "f.js")], { env });
		assert.equal(await local.answer(), `path of ${name}, workspace of ${name}`);
	}
});
