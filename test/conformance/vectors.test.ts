import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readSuites } from "../../kubeless-loader/src/conform/conform.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "runtimes");
const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const suites = readSuites();
const page = read(root, "docs/conformance.md");
const rules = [...read(root, "runtimes/PROTOCOL.md").matchAll(/^- \*\*(\d+\.\d+)\*\*/gm)].map(([, rule]) => rule);

describe("the vectors", () => {
	const fits = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes: false }).compile(
		JSON.parse(read(folder, "vectors.schema.json")),
	);
	const files = readdirSync(join(folder, "vectors"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));

	for (const file of files) {
		test(`vectors/${file} fits the schema`, () => {
			fits(JSON.parse(read(folder, "vectors", file)));
			assert.deepEqual(fits.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`) ?? [], []);
		});
	}

	test("the vectors check every rule of PROTOCOL.md except those that docs/conformance.md leaves to the loader", () => {
		const left = [...section("Rules that are the loader's").matchAll(/^\| (\d+\.\d+) /gm)].map(([, rule]) => rule);
		const proved = suites.flatMap(({ rule }) => rule);
		assert.ok(rules.length > 30, "PROTOCOL.md has its rules");
		assert.deepEqual(
			rules.filter((rule) => rule && !proved.includes(rule)),
			left,
		);
	});

	test("every rule that a vector cites exists", () => {
		for (const { name, rule } of suites) for (const one of rule) assert.ok(rules.includes(one), `${name} cites ${one}`);
	});

	test("a suite of vectors has needs if and only if it is optional", () => {
		for (const { name, optional, needs } of suites) assert.equal(needs.length > 0, optional, name);
	});

	test("the vectors call exactly the handlers that docs/conformance.md describes", () => {
		const described = [...section("The handlers").matchAll(/^\| `(\w+)` /gm)].map(([, handler]) => handler);
		const besides = ["nosuch", "single"]; // a handler that does not exist, and the handler of conformance-single
		const called = new Set(suites.map(({ handler }) => handler).filter((handler) => !besides.includes(handler)));
		assert.deepEqual(described.sort(), [...called].sort());
	});

	test("every vector has a unique description", () => {
		const descriptions = suites.flatMap(({ description, tests }) => tests.map((one) => `${description}: ${one.description}`));
		assert.equal(new Set(descriptions).size, descriptions.length);
	});
});

function section(title: string): string {
	const [, text] = page.split(`## ${title}\n`);
	assert.ok(text, `docs/conformance.md has a section "${title}"`);
	return text.split("\n## ")[0] ?? "";
}
