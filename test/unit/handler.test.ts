import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readConfig } from "../../kubeless-loader/src/config.ts";
import { StartError } from "../../kubeless-loader/src/errors.ts";
import { findHandler } from "../../kubeless-loader/src/handler.ts";
import type { Manifest } from "../../kubeless-loader/src/manifest.ts";
import { folder } from "../support/loader.ts";

const MANIFEST = {
	id: "x",
	name: "Ex",
	suffixes: [".ex", ".mex"],
	concurrency: "async",
	speaks: "wire",
	sources: [],
	ignore: [],
	worker: ["x"],
	folder: "/",
} as const satisfies Manifest;

const find = (volume: string, env: Record<string, string> = {}) =>
	findHandler(readConfig({ KUBELESS_INSTALL_VOLUME: volume, ...env }), MANIFEST);
const notFound = (words: RegExp) => (error: unknown) =>
	error instanceof StartError && error.code === "HANDLER_FILE_NOT_FOUND" && words.test(error.message);

test("MOD_NAME and the first matching suffix are the file's name", (t) => {
	const volume = folder(t, { "a.mex": "", "b.ex": "", "b.mex": "", "c.txt": "" });
	assert.deepEqual(find(volume, { MOD_NAME: "a", FUNC_HANDLER: "h" }), { file: join(volume, "a.mex"), modName: "a", handler: "h" });
	assert.equal(find(volume, { MOD_NAME: "b" }).file, join(volume, "b.ex"));
});

test("the only function file is found without MOD_NAME", (t) => {
	const volume = folder(t, { "only.ex": "", "notes.txt": "", ".hidden.ex": "", ".ex": "" });
	assert.deepEqual(find(volume), { file: join(volume, "only.ex"), modName: "only", handler: undefined });
});

test("an archive with a folder is a fault that lists the function files in it", (t) => {
	const volume = folder(t, { "a/a.ex": "", "a/b/c.ex": "", "a/notes.txt": "", ".git/x.ex": "" });
	assert.throws(
		() => find(volume, { MOD_NAME: "a" }),
		notFound(/no a\.ex, a\.mex; its Ex files \(\.ex, \.mex\) are in folders: a\/a\.ex, a\/b\/c\.ex;/),
	);
});

test("a missing file, or a folder, is reported with a list of the existing files", (t) => {
	const volume = folder(t, { "a.ex": "", "b.ex": "" });
	mkdirSync(join(volume, "c.ex"));
	assert.throws(() => find(volume, { MOD_NAME: "c" }), notFound(/no c\.ex, c\.mex; it has a\.ex, b\.ex\./));
	assert.throws(() => find(volume), notFound(/does not have exactly one function file[^]*a\.ex, b\.ex/));
	assert.throws(() => find(volume, { FUNC_HANDLER: "h" }), notFound(/MOD_NAME is not set/));
	assert.throws(() => find(folder(t)), notFound(/no Ex file \(\.ex, \.mex\)/));
	assert.throws(() => find(join(volume, "nowhere")), notFound(/does not exist/));
});
