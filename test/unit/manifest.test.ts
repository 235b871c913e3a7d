import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { StartError } from "../../kubeless-loader/src/errors.ts";
import { chooseManifest, expand, type Manifest, readManifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { folder } from "../support/loader.ts";

const GOOD = { id: "lua", name: "Lua", suffixes: [".lua"], concurrency: "single", worker: ["lua", "w.lua"] };
const make = (id: string, suffixes: string[]) => ({ ...GOOD, id, suffixes, speaks: "wire", folder: "/" }) as Manifest;
const both = [make("lua", [".lua"]), make("type-script", [".d.x", ".x"])];
const unknown = (error: unknown) => error instanceof StartError && error.code === "RUNTIME_UNKNOWN";

test("a manifest knows its folder, and one without a name goes by its id", (t) => {
	const place = folder(t, { "runtime.json": JSON.stringify({ ...GOOD, name: undefined }) });
	const manifest = readManifest(join(place, "runtime.json"));
	assert.deepEqual([manifest.folder, manifest.name], [place, "lua"]);
});

for (const [field, value] of [
	["id", "lua5"],
	["id", undefined],
	["suffixes", []],
	["suffixes", ".lua"],
	["concurrency", "many"],
	["worker", []],
	["worker", [""]],
] as const) {
	test(`a manifest whose ${field} is ${JSON.stringify(value)} is refused, and the field named`, (t) => {
		const place = folder(t, { "runtime.json": JSON.stringify({ ...GOOD, [field]: value }) });
		assert.throws(() => readManifest(join(place, "runtime.json")), new RegExp(`"${field}" must be`));
	});
}

for (const text of ["", "{", "null", "[]", "42"]) {
	test(`a manifest of ${JSON.stringify(text)} is refused in one sentence`, (t) => {
		const place = folder(t, { "runtime.json": text });
		assert.throws(() => readManifest(join(place, "runtime.json")), StartError);
	});
}

test("a runtime is chosen by id, whatever version stands behind it", () => {
	for (const id of ["lua", "lua5.4"]) assert.equal(chooseManifest(both, { id }).id, "lua");
	assert.equal(chooseManifest(both, { id: "type-script5" }).id, "type-script");
	assert.throws(() => chooseManifest(both, { id: "ruby" }), unknown);
	assert.throws(() => chooseManifest(both, { id: "5" }), unknown);
});

test("a runtime is chosen by a file's suffix", () => {
	assert.equal(chooseManifest(both, { file: "/a/b.lua" }).id, "lua");
	assert.throws(() => chooseManifest(both, { file: "/a.lua/b" }), unknown);
	assert.throws(() => chooseManifest(both, { file: "b.rb" }), /\.lua[^]*lua, type-script/);
});

test("a folder of runtimes may have other things in it", (t) => {
	const place = folder(t, { "lua/runtime.json": JSON.stringify(GOOD), "README.md": "", "empty/x": "" });
	assert.deepEqual(
		readManifests(place).map(({ id }) => id),
		["lua"],
	);
});

test("$(NAME) is replaced by the variable; what is not set stays", () => {
	assert.equal(expand("$(A)/x:$(B):$(C) $A $(A", { A: "a", B: "" }), "a/x::$(C) $A $(A");
});
