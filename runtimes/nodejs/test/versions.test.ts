import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import { firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// The oldest versions, which run what build.mjs makes, those beside the one that runs the tests,
// and the newest. npm run test:versions has all versions.

const VERSIONS = ["6", "8", "20", "22", "26"];
const ROOT = join(import.meta.dirname, "../../..");
const RUNTIME = join(ROOT, "runtimes/nodejs");
const PLACE = join(ROOT, "node_modules/.cache/versions/nodejs");

mkdirSync(PLACE, { recursive: true });
const env = { ...process.env, VERSIONS_DIR: PLACE, VERSIONS: VERSIONS.join(" ") };
const { status, stdout, stderr } = spawnSync("sh", [join(RUNTIME, "versions.sh")], { env, encoding: "utf8" });
const folders = stdout.split("\n").flatMap((line) => line.split("\t")[0] || []);
const missing =
	status !== 0 ? `npm cannot bring other versions of Node.js: ${stderr}` : folders.length === 0 ? "npm has none for this system" : "";
if (missing) console.log(`SKIPPED: other versions of Node.js. ${missing}`);

describe("nodejs: other versions of Node.js", { concurrency: VERSIONS.length }, () => {
	test("an ES module imports a package from another folder on Node.js 20", { skip: missing !== "" && !process.env["CI"] }, async (t) => {
		const volume = folder(t, { "node_modules/dep/package.json": '{"main":"i.js"}', "node_modules/dep/i.js": "module.exports = 'dep'" });
		const file = firstOf(t, { "h.mjs": "import dep from 'dep'; export const h = async () => dep + (await import('dep')).default" });
		const command = [join(folders[VERSIONS.indexOf("20")] ?? "", "node"), join(RUNTIME, "worker.js")];
		const worker = new WireEnd(t, { command, env: {} }, file, "h", { KUBELESS_INSTALL_VOLUME: volume });
		assert.equal((await worker.ask()).text, "depdep");
		assert.equal(await worker.stop(), 0);
	});

	for (const [index, version] of VERSIONS.entries()) {
		test(`the worker keeps the wire's rules on Node.js ${version}`, { skip: missing !== "" && !process.env["CI"] }, async () => {
			assert.equal(missing, "");
			const PATH = `${folders[index]}${delimiter}${process.env["PATH"]}`;
			const found = spawnSync("node", ["--version"], { env: { ...process.env, PATH }, encoding: "utf8" }).stdout;
			assert.ok(found.startsWith(`v${version}.`), `node --version says ${found}`);
			const args = [join(ROOT, "kubeless-loader/bin.mjs"), "conform", "--manifest", join(RUNTIME, "runtime.json"), "--patience", "2"];
			const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...own } = process.env;
			const child = spawn(process.execPath, args, { env: { ...own, PATH }, stdio: ["ignore", "pipe", "pipe"] });
			let output = "";
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
			const [code] = await once(child, "close");
			assert.equal(code, 0, output);
		});
	}
});
