import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigMap } from "../support/configmap.ts";
import { startLoader } from "../support/loader.ts";
import { missingRuntime } from "../support/runtimes.ts";

const FUNCTIONS: Record<string, { file: string; says: (word: string) => string; deps: string }> = {
	nodejs: { file: "f.js", says: (word) => `exports.h = () => "${word}"`, deps: "package.json" },
	python: { file: "f.py", says: (word) => `def h(event, context):\n    return "${word}"\n`, deps: "requirements.txt" },
};

for (const [id, { file, says, deps }] of Object.entries(FUNCTIONS)) {
	const skip = missingRuntime(id);

	test(`${id}: a function is served from a mounted ConfigMap, and again when the ConfigMap changes`, { skip }, async (t) => {
		const mounted = new ConfigMap(t, { [file]: says("first"), [deps]: "" });
		const loader = await startLoader(t, { volume: mounted.volume, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: id } });
		assert.equal((await loader.ask()).text, "first");
		mounted.update({ [file]: says("second"), [deps]: "" });
		await loader.said(({ msg }) => /was reloaded/.test(msg ?? ""));
		assert.equal((await loader.ask()).text, "second");
	});

	test(`${id}: no call fails when a ConfigMap changes under load`, { skip }, async (t) => {
		const mounted = new ConfigMap(t, { [file]: says("first") });
		const loader = await startLoader(t, { volume: mounted.volume, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: id } });
		let anew = false;
		const reloaded = loader
			.said(({ msg }) => /was reloaded/.test(msg ?? ""))
			.then(() => {
				anew = true;
			});
		const seen: string[] = [];
		const caller = async () => {
			for (let after = 0; after < 5; after += anew ? 1 : 0) {
				const { status, text } = await loader.ask();
				assert.equal(status, 200);
				seen.push(text);
			}
		};
		const callers = Promise.all([caller(), caller(), caller()]);
		mounted.update({ [file]: says("second") });
		await Promise.all([callers, reloaded]);
		assert.deepEqual([...new Set(seen)], ["first", "second"]);
		assert.equal(seen.at(-1), "second");
		assert.equal((await loader.figures()).exits("replaced"), 1);
	});

	test(`${id}: a ConfigMap with a syntax error is reported, and the previous function is still served`, { skip }, async (t) => {
		const mounted = new ConfigMap(t, { [file]: says("first") });
		const loader = await startLoader(t, { volume: mounted.volume, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: id } });
		mounted.update({ [file]: "this is (no code" });
		const record = await loader.said(({ msg }) => /^reload failed, still serving/.test(msg ?? ""));
		assert.match(record.msg ?? "", new RegExp(file.replace(".", "\\.")));
		assert.equal((await loader.ask()).text, "first");
		assert.equal((await loader.ask("/readyz")).status, 200);
	});

	test(`${id}: an empty ${deps}, as the controller always writes one, is valid`, { skip }, async (t) => {
		const files = { [file]: says("fine"), [deps]: "" };
		const loader = await startLoader(t, { files, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: id } });
		assert.equal((await loader.ask()).text, "fine");
	});

	test(`${id}: with one function file that has one handler, neither must be named`, { skip }, async (t) => {
		const loader = await startLoader(t, { files: { [file]: says("only") }, env: { FUNC_RUNTIME: id } });
		assert.equal((await loader.ask()).text, "only");
	});
}

test("in an image, where the manifest is next to the loader, no variable is needed", async (t) => {
	const files = { "f.js": FUNCTIONS["nodejs"]?.says("only") as string };
	const manifest = fileURLToPath(new URL("../../runtimes/nodejs/runtime.json", import.meta.url));
	const loader = await startLoader(t, { files, env: { KUBELESS_RUNTIME_MANIFEST: manifest } });
	assert.equal((await loader.ask()).text, "only");
});

test("nodejs: an empty package.json is valid, also with ES modules and TypeScript", async (t) => {
	const says: Record<string, string> = {
		"f.mjs": "export const h = () => 'module'",
		"f.ts": "export const h = (): string => 'typed'",
		"f.js": "exports.h = () => require('./other').word",
	};
	for (const [name, source] of Object.entries(says)) {
		const files = { [name]: source, "package.json": "", "other.js": "exports.word = 'other'" };
		const loader = await startLoader(t, { files, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs" } });
		assert.ok(["module", "typed", "other"].includes((await loader.ask()).text), name);
		await loader.stop();
	}
});

test("FUNC_RUNTIME may have the version after the name, as in a Function spec", async (t) => {
	for (const runtime of ["nodejs14", "nodejs22", "nodejs"]) {
		const files = { "f.js": "exports.h = (event, context) => context.runtime" };
		const loader = await startLoader(t, { files, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: runtime } });
		assert.equal((await loader.ask()).text, runtime);
		await loader.stop();
	}
});
