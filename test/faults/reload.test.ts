import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { folder, type Loader, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";

/** Answers with `word`; the path /die ends its process. */
const source = (word: string, onLoad = "") => `
const fs = require("fs");
${onLoad}
exports.h = ({ extensions }) => {
	if (extensions.request.path === "/die") process.exit(1);
	return "${word}";
};
`;
/** Fails to load while the file $FLAG exists. */
const FAILS_FOR_NOW = 'if (fs.existsSync(process.env.FLAG)) throw new Error("not yet");';
/** The first process that loads it never ends loading; the file $FLAG shows that it has begun. */
const HANGS_ONCE = 'try { fs.writeFileSync(process.env.FLAG, "", { flag: "wx" }); for (;;); } catch {}';
/** Loading takes 700 ms. */
const SLOW = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);";

const serve = async (owner: Owner, env: Readonly<Record<string, string>> = {}) => {
	const flag = join(folder(owner), "flag");
	const loader = await startLoader(owner, {
		files: { "f.js": source("first") },
		env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs", FUNC_WATCH: "true", FLAG: flag, ...env },
	});
	return { loader, flag, file: join(loader.volume, "f.js") };
};

const reloaded = (loader: Loader) => loader.said(({ msg }) => /was reloaded/.test(msg ?? ""));
const reloadFailed = (loader: Loader) => loader.said(({ msg }) => /^reload failed/.test(msg ?? ""));

test("a reload that fails for a passing reason is tried again, and the log has its failure once", async (t) => {
	const { loader, flag, file } = await serve(t);
	writeFileSync(flag, "");
	writeFileSync(file, source("second", FAILS_FOR_NOW));
	await reloadFailed(loader);
	await loader.figuresWhen("two failed reloads", (figures) => figures.of('function_reloads_total{result="failed"}') === 2);
	assert.equal((await loader.ask()).text, "first");
	rmSync(flag);
	await reloaded(loader);
	assert.equal((await loader.ask()).text, "second");
	assert.equal(loader.records.filter(({ msg }) => /^reload failed/.test(msg ?? "")).length, 1);
});

test("after a failed reload, the replacement of a worker that died does not serve the new files beside the previous ones", async (t) => {
	const { loader, flag, file } = await serve(t, { FUNC_WORKERS: "2" });
	await loader.figuresWhen("both workers", (figures) => figures.of("function_workers_ready") === 2);
	writeFileSync(flag, "");
	writeFileSync(file, source("second", FAILS_FOR_NOW));
	await reloadFailed(loader);
	rmSync(flag);
	let isNew = false;
	let stop = false;
	const disordered: string[] = [];
	const caller = async () => {
		while (!stop) {
			const wasNew = isNew;
			const { status, text } = await loader.ask();
			if (status !== 200) continue; // the call was in the worker that died
			if (text === "second") isNew = true;
			else if (wasNew) disordered.push(text);
		}
	};
	const callers = Promise.all([caller(), caller(), caller(), caller()]);
	assert.equal((await loader.ask("/die")).status, 502);
	await reloaded(loader);
	for (let calls = 0; calls < 50; calls++) await loader.ask();
	stop = true;
	await callers;
	assert.deepEqual(disordered, []);
	assert.equal((await loader.ask()).text, "second");
});

test("while a load is under way, the only worker is replaced if it dies", async (t) => {
	const { loader, flag, file } = await serve(t, { FUNC_LOAD_TIMEOUT: "600" });
	writeFileSync(file, source("second", HANGS_ONCE));
	await poll(
		() => existsSync(flag) || undefined,
		() => "the load did not begin",
	);
	assert.equal((await loader.ask("/die")).status, 502);
	assert.equal((await loader.ask()).text, "second");
});

test("a file that changes faster than it loads is loaded nevertheless", async (t) => {
	const { loader, file } = await serve(t);
	let number = 0;
	const writing = setInterval(() => writeFileSync(file, source("second", `${SLOW} // ${++number}`)), 150);
	await reloaded(loader).finally(() => clearInterval(writing));
	assert.equal((await loader.ask()).text, "second");
});
