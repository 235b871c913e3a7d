import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "../support/loader.ts";
import { LocalCommand, run, tell } from "../support/local-command.ts";
import type { Owner } from "../support/owner.ts";
import { languageOf } from "./languages.ts";
import { installedCommand, oldNode } from "./old-node.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** How long npm may take to install on a slow line and a busy machine, in `ms`. */
const INSTALL_MS = 180_000;
const single = (text: string) => languageOf("nodejs").single(text);

test("npm makes the command in node_modules/.bin", async (t) => {
	accessSync(installedCommand, constants.X_OK);
	const place = folder(t, { "f.js": single("by the command") });
	const local = await run(t, ["f.js"], { cwd: place, command: [installedCommand] });
	assert.equal(await local.answer(), "by the command");
	assert.deepEqual(await local.stop(), { code: 0, signal: null });
});

test("the command works where the machine's Node.js is older than it needs", { skip: oldNode.missing }, async (t) => {
	const old = { command: [installedCommand], env: { PATH: oldNode.path } };
	const { version } = JSON.parse(readFileSync(join(root, "kubeless-loader/package.json"), "utf8"));
	const said = await tell(t, ["--version"], old);
	assert.deepEqual([said.code, said.output, said.stderr], [0, version, ""]);
	const wrong = await tell(t, ["run", "gone.js"], old);
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /^kubeless-loader: There is no file .*gone\.js\.\n$/);
	// The function runs on the Node.js that its author has.
	const place = folder(t, { "f.js": "exports.version = () => process.version;" });
	const local = await run(t, ["f.js"], { ...old, cwd: place });
	assert.equal(await local.answer(), oldNode.version);
});

test("without a build, or without a Node.js that is new enough, it says what to do", { skip: oldNode.missing }, async (t) => {
	const place = folder(t);
	mkdirSync(join(place, "kubeless-loader/dist"), { recursive: true });
	cpSync(join(root, "kubeless-loader/bin.mjs"), join(place, "kubeless-loader/bin.mjs"));
	const command = ["node", join(place, "kubeless-loader/bin.mjs")];
	const unbuilt = await tell(t, ["--version"], { command });
	assert.deepEqual([unbuilt.code, unbuilt.stderr.includes("npm run build")], [1, true], unbuilt.stderr);
	cpSync(join(root, "kubeless-loader/dist/loader.mjs"), join(place, "kubeless-loader/dist/loader.mjs"));
	const old = await tell(t, ["--version"], { command, env: { PATH: oldNode.path } });
	assert.deepEqual([old.code, old.stderr.includes("24 or newer")], [1, true], old.stderr);
});

/** What a clone would have of the working tree. */
function clone(owner: Owner): { place: string; files: string[] } {
	const place = folder(owner);
	const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" });
	const files = listed.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
	for (const file of files) cpSync(join(root, file), join(place, file));
	return { place, files };
}

/** npm, and the shell it starts, take a Ctrl-C for their own end, whatever the command does. */
async function interrupted(local: LocalCommand): Promise<void> {
	const { code, signal } = await local.stop();
	assert.ok(code === 0 || signal === "SIGINT", `code ${code}, signal ${signal}`);
	assert.match(local.output, /^finishing the running calls, then stopping$/m);
	assert.doesNotMatch(local.stderr, /error/i);
}

test("npm start in a fresh clone installs, builds and serves the example; with a file, that file", {
	timeout: 2 * INSTALL_MS,
}, async (t) => {
	const { place, files } = clone(t);
	const contents = () => Object.fromEntries(files.map((file) => [file, readFileSync(join(place, file), "latin1")]));
	const before = contents();
	const path = oldNode.missing ? [dirname(process.execPath), oldNode.path].join(delimiter) : oldNode.path;
	const options = { cwd: place, command: ["npm"], env: { PATH: path, FUNC_PORT: "0" }, patienceMs: INSTALL_MS };

	const first = await new LocalCommand(t, ["start"], options).serving();
	assert.match(first.output, /^Installing the checkout's dependencies/m);
	assert.equal((await first.ask()).status, 200);
	assert.match(first.output, /^ *curl http/m);
	await interrupted(first);

	const mine = folder(t, { "mine.js": single("my own") });
	const second = await new LocalCommand(t, ["start", "--", join(mine, "mine.js"), "--env", "A=b c"], options).serving();
	assert.doesNotMatch(second.output, /^Installing/m, "it is installed");
	assert.equal(await second.answer(), "my own");
	await interrupted(second);

	// A file is looked for where the command was given, which need not be the checkout's root.
	const relative = await new LocalCommand(t, ["--prefix", place, "start", "--", "mine.js"], { ...options, cwd: mine }).serving();
	assert.equal(await relative.answer(), "my own");
	await interrupted(relative);

	const wrong = await tell(t, ["start", "--", "gone.js"], options);
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /There is no file .*gone\.js/);

	const command = await tell(t, ["--help"], { ...options, cwd: mine, command: [join(place, "node_modules/.bin/kubeless-loader")] });
	assert.equal(command.code, 0);
	assert.deepEqual(contents(), before, "nothing of the clone was changed");
});
