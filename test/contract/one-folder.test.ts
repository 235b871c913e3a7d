import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { baseEnv } from "../conformance/runtimes.ts";
import { ask } from "../support/ask.ts";
import { folder, PATIENCE_MS } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ID = "throwaway";
const SUFFIX = ".away";
/**
 * The files that `npm run generate` writes. No other file outside a language's folder may change.
 */
const GENERATED = [
	...["README.md", join("docs", "functions.md"), join("docs", "support.md"), "docker-bake.json", join("images", "runtime-images.json")],
	...["groups", "images", "settings"].map((name) => join("images", "golden", `${name}.json`)),
];
/** Folders of builds, tools and runs, which git ignores. */
const LEFT_OUT = new Set([".git", "node_modules", "dist", "results"]);

/**
 * Adds a language to a copy of the tree, made from the template for custom runtimes: only one
 * folder must change.
 */
describe("a language that is added as one folder", () => {
	const owner = suiteOwner();
	let copy = "";
	let untouched: Map<string, string>;

	before(() => {
		copy = folder(owner);
		cpSync(ROOT, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
		symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
		untouched = fingerprints(copy);
		addLanguage(join(copy, "runtimes"));
		must("node", "kubeless-loader/build.mjs");
	});

	test("changes only its own folder and generated files", () => {
		must("node", "images/generate.mjs");
		const after = fingerprints(copy);
		const changed = [...after].filter(([path, hash]) => untouched.get(path) !== hash).map(([path]) => path);
		const outside = changed.filter((path) => !path.startsWith(join("runtimes", ID) + sep));
		assert.deepEqual(
			outside.filter((path) => !GENERATED.includes(path)),
			[],
		);
		assert.deepEqual(
			[...untouched.keys()].filter((path) => !after.has(path)),
			[],
		);
		assert.ok(changed.length > outside.length);
	});

	test("passes the checks of all sources and documents", () => {
		must(join("node_modules", ".bin", "biome"), "check", "--error-on-warnings", join("runtimes", ID));
		assertTests("test/contract/docs.test.ts");
	});

	test("is found by the conformance and behaviour tests, and passes them", () => {
		assertTests("--test-name-pattern", `${ID}.*(ready|echo)`, "test/conformance/workers.test.ts");
		assertTests("--test-name-pattern", `${ID}.* FUNC_CONCURRENCY`, "test/faults/concurrency.test.ts");
	});

	test("passes the conformance command in the template's README", () => {
		const page = readFileSync(join(ROOT, "runtimes/custom/README.md"), "utf8");
		const [, words = ""] = /`npx kubeless-loader (conform [^`]*runtimes\/lua[^`]*)`/.exec(page) ?? [];
		assert.match(must("node", "kubeless-loader/bin.mjs", ...words.replace("lua", ID).split(" ")), /^The worker keeps the wire\.$/m);
	});

	test("has an image that bake builds", () => {
		const bake = JSON.parse(readFileSync(join(copy, "docker-bake.json"), "utf8"));
		assert.deepEqual(bake.group[ID].targets, [`${ID}-1-0`]);
		assert.ok(readFileSync(join(copy, "runtimes", ID, "Dockerfile"), "utf8").includes(`COPY runtimes/${ID}/`));
	});

	test("is served by the local command, which finds it by its suffix", async (t) => {
		const file = join(copy, "runtimes", ID, "examples", `hello${SUFFIX}`);
		const child = spawn("node", ["kubeless-loader/bin.mjs", "run", file, "--port", "0", "--no-watch"], { cwd: copy, env: environment() });
		t.after(() => child.kill("SIGKILL"));
		let output = "";
		const url = await new Promise<string>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`the function was not served: ${output}`)), PATIENCE_MS);
			for (const stream of [child.stdout, child.stderr]) {
				stream.on("data", (bytes: Buffer) => {
					output += bytes;
					const [found] = /http:\/\/[\w.:[\]]+/.exec(output) ?? [];
					if (!found) return;
					clearTimeout(timer);
					resolve(found);
				});
			}
		});
		const { status, text } = await ask(Number(new URL(url).port), {});
		assert.equal(status, 200, output);
		assert.match(text, /hello/);
	});

	function must(command: string, ...args: string[]): string {
		const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: copy, env: environment(), encoding: "utf8" });
		assert.equal(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? ""}${stdout}${stderr}`);
		return stdout;
	}

	/** Asserts that all of these tests pass, and that there is at least one. */
	function assertTests(...args: string[]): void {
		const report = must("node", "--test", "--test-reporter=tap", ...args);
		const passed = Number(/^# pass (\d+)$/m.exec(report)?.[1]);
		assert.ok(passed > 0, report);
	}
});

/** Copies the runtime for shell functions under another name and suffix. */
function addLanguage(runtimes: string): void {
	const place = join(runtimes, ID);
	cpSync(join(runtimes, "custom"), place, { recursive: true });
	const manifest = readFileSync(join(place, "runtime.json"), "utf8");
	const renamed = manifest
		.replace('"id": "custom"', `"id": "${ID}"`)
		.replace(/"name": ".*"/, '"name": "Throw-away"')
		.replace(/"suffixes": \[.*\]/, `"suffixes": ["${SUFFIX}"]`);
	assert.equal(JSON.parse(renamed).id + JSON.parse(renamed).suffixes, ID + SUFFIX);
	writeFileSync(join(place, "runtime.json"), renamed);
	const dockerfile = join(place, "Dockerfile");
	writeFileSync(dockerfile, readFileSync(dockerfile, "utf8").replaceAll("runtimes/custom", `runtimes/${ID}`));
	const examples = join(place, "examples");
	for (const file of readdirSync(examples).filter((name) => name.endsWith(".sh"))) {
		renameSync(join(examples, file), join(examples, file.replace(/\.sh$/, SUFFIX)));
	}
}

/** Returns the hash of every file below a folder, by path. */
function fingerprints(root: string): Map<string, string> {
	const found = new Map<string, string>();
	for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name).slice(root.length + 1);
		if (!entry.isFile() || path.split(sep).some((part) => LEFT_OUT.has(part))) continue;
		found.set(
			path,
			createHash("sha256")
				.update(readFileSync(join(root, path)))
				.digest("hex"),
		);
	}
	return found;
}

/** Returns the environment of a user's shell, without the variables of the test runner. */
function environment(): NodeJS.ProcessEnv {
	const { CI: _, ...env } = baseEnv();
	return env;
}
