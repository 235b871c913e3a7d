import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { StartError } from "../../kubeless-loader/src/errors.ts";
import { chooseManifest, expand, type Manifest, readManifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { folder } from "../support/loader.ts";

const GOOD = { id: "lua", name: "Lua", suffixes: [".lua"], concurrency: "single", worker: ["lua", "w.lua"] };
const make = (id: string, suffixes: string[]) =>
	({ ...GOOD, id, suffixes, speaks: "wire", sources: [], ignore: [], folder: "/" }) as Manifest;
const both = [make("lua", [".lua"]), make("type-script", [".d.x", ".x"])];
const unknown = (error: unknown) => error instanceof StartError && error.code === "RUNTIME_UNKNOWN";

test("an alias, with or without a version, names the runtime", () => {
	const [first = make("lua", []), ...others] = both;
	const manifests = [{ ...first, aliases: ["lua_jit"] }, ...others];
	for (const id of ["lua_jit", "lua_jit2.1", "lua5.4"]) assert.equal(chooseManifest(manifests, { id }).id, "lua");
});

test("the names of Kubeless's incubator lead to their languages", () => {
	const manifests = readManifests(join(import.meta.dirname, "../../runtimes"));
	for (const [id, language] of Object.entries({ nodejs_distroless8: "nodejs", nodejsCE8: "nodejs", "vertx1.8": "java" }))
		assert.equal(chooseManifest(manifests, { id }).id, language);
});

test("a manifest has its folder, and its name defaults to its id", (t) => {
	const place = folder(t, { "runtime.json": JSON.stringify({ ...GOOD, name: undefined }) });
	const manifest = readManifest(join(place, "runtime.json"));
	assert.deepEqual([manifest.folder, manifest.name], [place, "lua"]);
});

const schema = new Ajv2020({ strict: false }).compile(
	JSON.parse(readFileSync(join(import.meta.dirname, "../../runtimes/runtime.schema.json"), "utf8")),
);

for (const [change, sentence] of [
	[{ id: "lua5" }, '"id" must be text that matches ^[a-zA-Z_-]+$, such as "lua".'],
	[{ id: undefined }, '"id" must be text that matches ^[a-zA-Z_-]+$, such as "lua", and is missing.'],
	[{ name: 7 }, '"name" must be text that is not empty.'],
	[{ sufixes: [".lua"] }, '"sufixes" must be left out: the fields are id, aliases, name, suffixes, '],
	[{ suffixes: [] }, '"suffixes" must be a list that is not empty, such as [".lua"].'],
	[{ suffixes: ".lua" }, '"suffixes" must be a list that is not empty, such as [".lua"].'],
	[{ suffixes: [".lua", "lua"] }, '"suffixes[1]" must be text that matches ^\\.[a-z0-9.]+$, such as ".lua".'],
	[{ concurrency: "many" }, '"concurrency" must be async, threads or single.'],
	[{ worker: [] }, '"worker" must be a list that is not empty, such as ["lua","$(RUNTIME_DIR)/worker.lua"].'],
	[{ worker: ["lua", ""] }, '"worker[1]" must be text that is not empty.'],
	[{ worker: undefined }, '"worker" must be a list that is not empty, such as ["lua","$(RUNTIME_DIR)/worker.lua"], and is missing.'],
	[{ env: { A: 1 } }, '"env.A" must be text.'],
	[{ speaks: "ftp" }, '"speaks" must be wire, http, command or stdio.'],
	[{ http: {} }, '"http" must be left out where "speaks" is not http.'],
	[{ speaks: "http", http: "/ready" }, '"http" must be an object.'],
	[{ speaks: "http", http: { port: 65536 } }, '"http.port" must be a whole number from 1 to 65535.'],
	[{ speaks: "http", http: { port: 1, listen: "socket" } }, '"http.port" must be left out where "http.listen" is not port.'],
	[{ speaks: "http", http: { ready: "health" } }, '"http.ready" must be text that matches ^/[!-~]*$, such as "/health".'],
	[{ speaks: "http", http: { prot: 1 } }, '"http.prot" must be left out: the fields are listen, port, ready.'],
	[{ stdio: {} }, '"stdio" must be left out where "speaks" is not command or stdio.'],
	[{ speaks: "http", command: {} }, '"command" must be left out where "speaks" is not command or stdio.'],
	[{ speaks: "stdio", stdio: { output: "html" } }, '"stdio.output" must be body or cgi.'],
	[{ speaks: "command", command: { output: "html" } }, '"command.output" must be body or cgi.'],
	[{ sources: ".json" }, '"sources" must be a list, such as [".json",".tmpl"].'],
	[{ ignore: [""] }, '"ignore[0]" must be text that is not empty, such as "node_modules".'],
	[{ lacks: { stream: "" } }, '"lacks.stream" must be text that is not empty.'],
	[{ toolchain: {} }, '"toolchain.check" must be a list that is not empty, and is missing.'],
	[{ versions: [{ version: "1.0", base: "b", until: "2028" }] }, '"versions[0].until" must be text that matches ^\\d{4}-\\d{2}$.'],
] as const) {
	test(`a manifest with ${JSON.stringify(change)} is refused: ${sentence}`, (t) => {
		const text = JSON.stringify({ ...GOOD, ...change });
		const file = join(folder(t, { "runtime.json": text }), "runtime.json");
		assert.throws(
			() => readManifest(file),
			({ message }: Error) => message.startsWith(`In ${file}, ${sentence}`),
		);
		assert.equal(schema(JSON.parse(text)), false, "by the published schema, too");
	});
}

interface Described {
	readonly description?: string;
	readonly properties?: Readonly<Record<string, Described>>;
	readonly items?: Described;
}

test("every field of the published schema has a description", () => {
	const bare: string[] = [];
	const look = (path: string, { properties = {}, items }: Described) => {
		for (const [name, field] of Object.entries(properties)) {
			if (!field.description) bare.push(`${path}${name}`);
			look(`${path}${name}.`, field);
		}
		if (items) look(`${path}[].`, items);
	};
	look("", schema.schema as object);
	assert.deepEqual(bare, []);
});

for (const text of ["", "{", "null", "[]", "42"]) {
	test(`a manifest of ${JSON.stringify(text)} is refused in one sentence`, (t) => {
		const place = folder(t, { "runtime.json": text });
		const file = join(place, "runtime.json");
		assert.throws(
			() => readManifest(file),
			(error) => error instanceof StartError && error.code === "MANIFEST_INVALID" && error.message.includes(file),
		);
	});
}

test("a runtime is chosen by id, with or without a version after it", () => {
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

test("a folder of runtimes may contain other files", (t) => {
	const place = folder(t, { "lua/runtime.json": JSON.stringify(GOOD), "README.md": "", "empty/x": "" });
	assert.deepEqual(
		readManifests(place).map(({ id }) => id),
		["lua"],
	);
});

test("$(NAME) is replaced by the variable, and is unchanged if the variable is not set", () => {
	assert.equal(expand("$(A)/x:$(B):$(C) $A $(A", { A: "a", B: "" }), "a/x::$(C) $A $(A");
});
