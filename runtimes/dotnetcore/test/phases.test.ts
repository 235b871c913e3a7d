import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { folder, startLoader } from "../../../test/support/loader.ts";
import { csharp, env, FIRST_LINE, home, missing } from "./support.ts";

describe("dotnetcore: Kubeless's phases", { skip: missing ?? false }, () => {
	const compiled = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "compiled";'), "project.csproj": "" };
	const source = () =>
		Object.fromEntries(
			["deps.cs", "project.csproj", "nuget.config", "feed/Words.1.0.0.nupkg"].map((name) => [
				name,
				readFileSync(join(home, "examples/deps", name)),
			]),
		);

	test("compiling leaves in publish what a start needs, and nothing else", async (t) => {
		const pod = new Pod(t, { runtime: "dotnetcore", files: compiled });
		const { code, output, log } = await pod.run("compile");
		assert.deepEqual([code, log], [0, ""], output);
		assert.deepEqual(
			pod.listing.filter((name) => !name.startsWith("publish/")),
			["f.cs", "project.csproj", "publish"],
		);
		assert.ok(pod.has("publish/function.dll"));
		const cache = folder(t);
		const loader = await startLoader(t, { volume: pod.volume, env: { ...env("handler"), KUBELESS_LOADER_CACHE: cache } });
		assert.equal((await loader.ask()).text, "compiled");
		const kept = () => readdirSync(join(cache, "dotnetcore.compiled")).filter((name) => name.startsWith("function-"));
		assert.deepEqual(kept(), [], "it was not compiled again");
		// What was compiled is not taken for what was written since.
		writeFileSync(join(pod.volume, "f.cs"), compiled["f.cs"].replace("compiled", "written since"));
		const since = await startLoader(t, { volume: pod.volume, env: { ...env("handler"), KUBELESS_LOADER_CACHE: cache } });
		assert.equal((await since.ask()).text, "written since");
		assert.equal(kept().length, 1);
	});

	test("compiling adds the packages, and lists them in the bill of materials", async (t) => {
		const pod = new Pod(t, { runtime: "dotnetcore", depsFile: "project.csproj", files: source() });
		const { code, output } = await pod.run("compile");
		assert.equal(code, 0, output);
		assert.ok(pod.has("publish/words.dll") && !pod.has("packages") && !pod.has("publish/Kubeless.Functions.dll"));
		const listed = pod.bom().components.map(({ name, version, purl }) => [name, version, purl]);
		assert.deepEqual(listed, [["Words", "1.0.0", "pkg:nuget/Words@1.0.0"]]);
		const loader = await startLoader(t, { volume: pod.volume, env: env("handler", "deps") });
		assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
	});

	test("a second pod takes the compiled function from the cache, and another function does not", async (t) => {
		const cache = { KUBELESS_CACHE: folderFor(t) };
		const compile = async (files: Record<string, string>) => {
			const pod = new Pod(t, { runtime: "dotnetcore", files });
			const { code, output } = await pod.run("compile", cache);
			assert.equal(code, 0, output);
			return { pod, taken: /Taken from the cache/.test(output) };
		};
		assert.equal((await compile(compiled)).taken, false);
		const { pod, taken } = await compile(compiled);
		assert.ok(taken && pod.has("publish/function.dll"));
		assert.equal((await compile({ ...compiled, "f.cs": compiled["f.cs"].replace("compiled", "changed") })).taken, false);
	});

	test("a start uses the packages that a separate phase installed", async (t) => {
		const pod = new Pod(t, { runtime: "dotnetcore", depsFile: "project.csproj", files: source() });
		const installed = await pod.run("install");
		assert.equal(installed.code, 0, installed.output);
		assert.ok(existsSync(join(pod.volume, "packages/words/1.0.0")));
		assert.deepEqual(
			pod.bom().components.map(({ name, hashes }) => [name, hashes?.[0]?.alg]),
			[["Words", "SHA-512"]],
		);
		const loader = await startLoader(t, { volume: pod.volume, env: env("handler", "deps") });
		assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
	});

	test("a failed compilation is in the termination log with the cure", async (t) => {
		const broken = { "f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;") };
		const mistake = await new Pod(t, { runtime: "dotnetcore", files: broken }).run("compile");
		assert.equal(mistake.code, 1);
		assert.match(
			mistake.log,
			new RegExp(
				`^Cannot compile the function in .*: the messages below name the line\\.\n[^]*f\\.cs\\(${FIRST_LINE},\\d+\\): error CS0103`,
			),
		);
		const { "feed/Words.1.0.0.nupkg": _, ...without } = source();
		const unknown = await new Pod(t, { runtime: "dotnetcore", files: { ...without, "feed/empty": "" } }).run("compile");
		assert.match(unknown.log, /a package, or this version of it, is not in the package sources[^]*NU1101.*Words/);
		const nonsense = await new Pod(t, {
			runtime: "dotnetcore",
			files: { ...compiled, "project.csproj": "<Project><oops></Project>" },
		}).run("compile");
		assert.match(nonsense.log, /is not valid for MSBuild[^]*project\.csproj\(1,\d+\)/);
		const empty = await new Pod(t, { runtime: "dotnetcore", files: { "f.txt": "" } }).run("compile");
		assert.match(empty.log, /There is no file of C#, F# or Visual Basic/);
	});
});
