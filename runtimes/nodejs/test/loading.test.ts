import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Files } from "../../../test/support/wire-end.ts";
import { failure, home, major, node, since, start, withWorker } from "./worker.ts";

describe("nodejs: loading a function", () => {
	async function answers(t: TestContext, files: Files | string, handler: string, text: string, env = {}): Promise<void> {
		await withWorker(t, files, handler, async (worker) => assert.equal((await worker.ask()).text, text), env);
	}

	test("the handler is the export that FUNC_HANDLER names, or a module that is a function", async (t) => {
		await answers(t, "module.exports = { a: () => 'a', b: () => 'b' }", "b", "b");
		await answers(t, "module.exports = () => 'itself'", "whatever", "itself");
		await answers(t, "module.exports = () => 'itself'; module.exports.named = () => 'named'", "named", "named");
		await answers(t, "exports.default = { h: () => 'in default' }", "h", "in default");
		await answers(t, "exports.default = () => 'default'", "h", "default");
		await answers(
			t,
			"class H { constructor() { this.x = 'x'; } h() { return 'method ' + this.x; } } module.exports = new H()",
			"h",
			"method x",
		);
		await answers(t, "exports.only = () => 'only'; exports.version = 1", "", "only");
		await answers(t, "exports.main = () => 'main'; exports.helper = () => 'helper'", "", "main");
	});

	test("a missing handler is reported with the names that the file exports", async (t) => {
		const wanted: [string, string, RegExp, string[]][] = [
			["exports.handlr = () => 1; exports.other = () => 2", "handler", /no function "handler".*did you mean "handlr"/, ["handlr", "other"]],
			["exports.a = () => 1; exports.b = () => 2", "", /several functions.*a, b/, ["a", "b"]],
			["exports.h = 'text'", "h", /"h", but as a string/, []],
			["exports.a = () => 1", "toString", /no function "toString"/, ["a"]],
			["module.exports = null", "h", /exports no function: write module\.exports/, []],
			["module.exports = 'text'", "h", /exports no function/, []],
		];
		for (const [source, handler, words, handlers] of wanted) {
			const line = await failure(t, source, handler);
			assert.equal(line.code, "HANDLER_NOT_FOUND");
			assert.match(line.message ?? "", words);
			assert.deepEqual(line.handlers, handlers);
		}
	});

	test("a file that cannot be loaded is reported with file, line and cure", async (t) => {
		const wanted: [Files | string, RegExp][] = [
			["exports.h = () => {\n\treturn 1 +;\n}", /^h\.js:2: SyntaxError: Unexpected token/],
			["\n\nthrow new RangeError('at load')", /^h\.js:3:7: RangeError: at load$/],
			["require('not-there')", /^h\.js:1:\d+: Cannot find module 'not-there': add it to "dependencies" in package\.json$/],
			["require('./not-there')", /^h\.js:1:\d+: Cannot find module '\.\/not-there'/],
			[{ "h.js": "require('./lib/x')", "lib/x.js": "exports.x =\n\n}" }, /^lib\/x\.js:3: SyntaxError/],
			["throw 'just text'", /^h\.js: just text$/],
			["throw null", /^h\.js: null was thrown/],
		];
		for (const [files, words] of wanted) {
			const line = await failure(t, files);
			assert.equal(line.code, "HANDLER_FAILED_TO_LOAD");
			assert.match(line.message ?? "", words);
		}
		const gone = await failure(t, { "other.js": "" }, "h", { KUBELESS_HANDLER_FILE: join(folder(t), "gone.js") });
		assert.match(gone.message ?? "", /gone\.js: ENOENT/);
	});

	test("process.exit() while the file is loaded is reported", async (t) => {
		const worker = start(t, "process.exit(3)");
		assert.equal(await worker.exited, 3);
		assert.match(worker.printed("stderr"), /ended the process while it was being loaded/);
	});

	test("an ES module can be a function", since(12, 17), async (t) => {
		await answers(t, { "h.mjs": "export const h = () => 'named'; export default () => 'default'" }, "h", "named");
		await answers(t, { "h.mjs": "export default () => 'default'" }, "h", "default");
		await answers(t, { "h.mjs": "export default { h: () => 'inside' }" }, "h", "inside");
		await answers(
			t,
			{
				"h.js": "import { x } from './x.js'; export const h = () => x",
				"x.js": "export const x = 'x'",
				"package.json": '{"type":"module"}',
			},
			"h",
			"x",
		);
		await answers(t, { "h.cjs": "exports.h = () => 'cjs'", "package.json": '{"type":"module"}' }, "h", "cjs");
		if (major >= 16) await answers(t, { "h.mjs": "const x = await Promise.resolve('waited'); export const h = () => x" }, "h", "waited");
		const missing = await failure(t, { "h.mjs": "import 'not-there'; export const h = 1" });
		assert.match(missing.message ?? "", /h\.mjs: Cannot find package 'not-there'.*add it to "dependencies"/);
		const broken = await failure(t, { "h.mjs": "import './x.mjs'; export const h = 1", "x.mjs": "\nexport const x = ;" });
		assert.match(broken.message ?? "", /x\.mjs:2:\d+: /);
	});

	test("an ES module is recognised by its text", since(22, 7), async (t) => {
		await answers(t, "export const h = () => 'detected'", "h", "detected");
	});

	test(
		"packages installed in another folder are found by require and by import",
		since(major === 18 ? 18 : 20, major === 18 ? 19 : 6),
		async (t) => {
			const volume = folder(t, { "node_modules/dep/package.json": '{"main":"i.js"}', "node_modules/dep/i.js": "module.exports = 'dep'" });
			const env = { KUBELESS_INSTALL_VOLUME: volume, NODE_PATH: join(volume, "node_modules") };
			await answers(t, "const dep = require('dep'); exports.h = () => dep", "h", "dep", env);
			await answers(t, { "h.mjs": "import dep from 'dep'; export const h = () => dep" }, "h", "dep", env);
			await answers(t, "exports.h = async () => (await import('dep')).default", "h", "dep", env);
		},
	);

	test("an empty package.json does no harm", async (t) => {
		await answers(t, { "h.js": "exports.h = () => require('./x')", "x.js": "module.exports = 'x'", "package.json": "" }, "h", "x");
		if (major < 13) return;
		await answers(
			t,
			{ "h.mjs": "import x from './x.js'; export const h = () => x", "x.js": "module.exports = 'x'", "package.json": " \n" },
			"h",
			"x",
		);
	});

	test("an empty package.json that cannot be written to does no harm", {
		skip: process.getuid?.() === 0 && !canDropRoot() && "root can write to anything",
	}, async (t) => {
		const files = {
			"h.js": "exports.h = () => require('./lib/x') + require('dep') + require.resolve('./lib/x').includes('function-')",
			"lib/x.js": "module.exports = 'x'",
			"package.json": "",
			"node_modules/dep/index.js": "module.exports = ' dep '",
		};
		const place = folder(t, files);
		for (const name of ["package.json", "."]) chmodSync(join(place, name), name === "." ? 0o555 : 0o444);
		const script = `
			const { spawn } = require("child_process");
			if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
			const child = spawn(process.execPath, [${JSON.stringify(join(home, "worker.js"))}], { stdio: ["ignore", "inherit", "inherit", "pipe"], env: { ...process.env, KUBELESS_HANDLER_FILE: ${JSON.stringify(join(place, "h.js"))}, FUNC_HANDLER: "h" } });
			let text = "";
			child.stdio[3].on("data", (chunk) => { if (text === "") child.stdio[3].write('{"type":"call","id":1,"method":"GET","path":"/","deadline":9}\\n{"type":"stop"}\\n'); text += chunk; });
			child.on("exit", () => process.stdout.write(text));
		`;
		const text = execFileSync(node, ["-e", script], { encoding: "utf8", env: { PATH: process.env["PATH"], TMPDIR: "/tmp" }, cwd: "/" });
		chmodSync(place, 0o755);
		assert.match(text, /"type":"result".*\nx dep true$/);
	});
});

/**
 * Returns true if a child of this process can become a user who may not write to a read-only file.
 */
function canDropRoot(): boolean {
	try {
		execFileSync(node, [
			"-e",
			"process.setgid(65534); process.setuid(65534); require('fs').readFileSync(process.argv[1])",
			join(home, "worker.js"),
		]);
		return true;
	} catch {
		return false;
	}
}
