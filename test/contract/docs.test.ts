import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { FAULTS } from "../../kubeless-loader/src/errors.ts";

const root = join(import.meta.dirname, "../..");
const text = (file: string): string => readFileSync(join(root, file), "utf8");
const source = (): string =>
	(readdirSync(join(root, "kubeless-loader/src"), { recursive: true }) as string[])
		.filter((file) => file.endsWith(".ts"))
		.map((file) => text(join("kubeless-loader/src", file)))
		.join("\n");
const found = (pattern: RegExp, where: string): string[] =>
	[...new Set([...where.matchAll(pattern)].map((match) => match[1] as string))].sort();
const runtimes = readdirSync(join(root, "runtimes"), { withFileTypes: true })
	.map((entry) => entry.name)
	.filter((name) => existsSync(join(root, "runtimes", name, "runtime.json")));

test("docs/errors.md lists every way a call fails, with its status and blame, and no other", () => {
	const [calls = ""] = text("docs/errors.md").split("## At start");
	const rows = [...calls.matchAll(/^\| `([A-Z_]+)` *\| (\d+) *\| (\w+) *\|/gm)].map(([, code, status, blame]) => ({ code, status, blame }));
	const expected = Object.entries(FAULTS).map(([code, { status, blame }]) => ({ code, status: String(status), blame }));
	const byCode = (a: { code: string | undefined }, b: { code: string | undefined }) => String(a.code).localeCompare(String(b.code));
	assert.deepEqual(rows.sort(byCode), expected.sort(byCode));
});

test("docs/errors.md lists every error code of a failed start", () => {
	const [, start = ""] = text("docs/errors.md").split("## At start");
	const documented = found(/`([A-Z_]+)`/g, start.replace(/\| [^|]*\|$/gm, "|").replaceAll("FUNC_PORT", ""));
	const thrown = found(/(?:new StartError\(\s*|code: )"([A-Z_]+)"/g, source()).filter((code) => code !== "WORKER_GONE");
	// The loader passes on the codes of a worker's `failed` frame (PROTOCOL 3.2).
	const ofWorkers = found(/`(HANDLER_[A-Z_]+)`/g, text("runtimes/PROTOCOL.md"));
	assert.deepEqual(documented, [...new Set([...thrown, ...ofWorkers])].sort());
});

test("the loader's README lists every variable that the loader reads, and no other", () => {
	const [, table = ""] = text("kubeless-loader/README.md").split("## Environment");
	const documented = found(/^\| `([A-Z_]+)` *\|/gm, table.split("## Endpoints")[0] ?? "");
	assert.deepEqual(documented, found(/(?:read|optional)\(\s*"([A-Z_]+)"/g, text("kubeless-loader/src/config.ts")));
});

test("the installers' README lists every variable that the installers read, and no other", () => {
	const scripts = readdirSync(join(root, "images/installer")).filter((name) => name.endsWith(".sh"));
	const [, table = ""] = text("images/installer/README.md").split("## Environment");
	const documented = found(/^\| `([A-Z_]+)` *\|/gm, table.split("## Secrets")[0] ?? "");
	const read = found(/\$\{(KUBELESS_[A-Z_]+)/g, scripts.map((name) => text(`images/installer/${name}`)).join("\n"));
	assert.deepEqual(documented, read);
	const inHelp = found(/^ {2}(KUBELESS_[A-Z_]+)/gm, text("images/installer/help"));
	assert.deepEqual([inHelp.length > 4, inHelp.filter((name) => !documented.includes(name))], [true, []]);
	const defaults = scripts.flatMap((name) => [...text(`images/installer/${name}`).matchAll(/\$\{(KUBELESS_[A-Z_]+):-([^$}]+)\}/g)]);
	assert.ok(defaults.length >= 4, String(defaults.length));
	for (const [, name, value] of defaults) assert.ok(table.includes(`| \`${name}\` | \`${value}\` |`), `${name} is ${value} by default`);
});

test("the loader's README lists every metric of the loader", () => {
	const documented = found(/`(function_[a-z_]+)`/g, text("kubeless-loader/README.md"));
	assert.deepEqual(documented, found(/"(function_[a-z_]+)"/g, text("kubeless-loader/src/metrics.ts")));
});

test("every manifest is valid for the schema, and its folder has the name of its id", () => {
	const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text("runtimes/runtime.schema.json")));
	for (const folder of runtimes) {
		const manifest: { id: string } = JSON.parse(text(`runtimes/${folder}/runtime.json`));
		assert.ok(validate(manifest), `${folder}: ${JSON.stringify(validate.errors)}`);
		assert.equal(manifest.id, folder);
	}
});

test("the loader's code names no language", () => {
	for (const folder of runtimes) {
		const { id, name } = JSON.parse(text(`runtimes/${folder}/runtime.json`));
		const literal = new RegExp(`["'\`/]${id}["'\`/]`);
		// Node.js is also what the loader itself runs on, and "Go" begins sentences.
		const named = new RegExp(name.length < 3 || name === "Node.js" ? "(?!)" : `\\b${name}\\b`);
		const hits = source()
			.split("\n")
			.filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
			.filter((line) => literal.test(line) || named.test(line));
		assert.deepEqual(hits, [], `the loader's source names ${name}`);
	}
});

test("the function in the README is the example that the README links to", () => {
	for (const [, snippet = ""] of text("README.md").matchAll(/```\w+\n((?:#|\/\/) runtimes\/[\s\S]*?)```/g)) {
		const [first = "", ...rest] = snippet.split("\n");
		assert.equal(rest.join("\n"), text(first.replace(/^(?:#|\/\/) /, "")));
	}
});

test("every runtime has a README, examples and the conformance handlers", () => {
	for (const folder of runtimes) {
		const files = readdirSync(join(root, "runtimes", folder));
		assert.ok(files.includes("README.md"), `runtimes/${folder} has no README.md`);
		const examples = readdirSync(join(root, "runtimes", folder, "examples"));
		for (const wanted of ["hello.", "data.", "deps", "conformance."]) {
			assert.ok(
				examples.some((name) => name.startsWith(wanted)),
				`runtimes/${folder}/examples has no ${wanted}*`,
			);
		}
	}
});
