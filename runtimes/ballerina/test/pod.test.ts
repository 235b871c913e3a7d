import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { assertCycloneDx } from "../../../test/installers/schema.ts";
import { type Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import { source, suite } from "./suite.ts";

suite("Ballerina around a stand-in for its compiler: pods", (tools) => {
	describe("in a pod", () => {
		const compiled = async (t: TestContext, files: Record<string, string>, env: Record<string, string> = {}, secrets = {}) => {
			const pod = new Pod(t, { runtime: "ballerina", depsFile: "Ballerina.toml", files, secrets, env: { ...tools.standIn.env, ...env } });
			return { pod, ended: await pod.run("compile", { KUBELESS_FUNC_NAME: "echoes" }) };
		};
		/** The runtime's image: Java, and no Ballerina. */
		const start = (t: TestContext, volume: string, env: Record<string, string> = {}): Promise<Loader> =>
			startLoader(t, { volume, env: { FUNC_RUNTIME: "ballerina2201.13", MOD_NAME: "f", FUNC_HANDLER: "echoes", ...env } });

		test("a folder is compiled once and served without a compiler", async (t) => {
			const { pod, ended } = await compiled(t, { "f.bal": source("echoes"), "more.bal": "function more() {\n}\n", "Ballerina.toml": "" });
			assert.equal(ended.code, 0, ended.output);
			assert.ok(pod.has("function/function.jar"));
			assert.match(tools.standIn.built("more.bal"), /function more/);
			const loader = await start(t, pod.volume);
			assert.equal((await loader.ask({ body: "x" })).text, "x");
			assertCycloneDx(pod.bom());
			assert.deepEqual(
				pod.bom().components.map(({ purl }) => purl),
				["http", "io", "lang.array", "os", "url"].map((name) => `pkg:generic/ballerina/${name}@1.0.0`),
			);
		});

		test("a jar compiled from other files is not served", async (t) => {
			const { pod } = await compiled(t, { "f.bal": source("echoes") });
			pod.write({ "f.bal": source("echoes", "") });
			const { code, stderr } = await runLoader(t, {
				volume: pod.volume,
				env: { FUNC_RUNTIME: "ballerina", MOD_NAME: "f", FUNC_HANDLER: "echoes" },
			});
			assert.equal(code, 1);
			assert.match(stderr, /has to be compiled, and there is no bal/);
		});

		test("a failed compilation is in the termination log with the hint, and leaves the volume unchanged", async (t) => {
			const { pod, ended } = await compiled(t, { "f.bal": `import acme/rockets;\n${source("echoes")}` });
			assert.equal(ended.code, 1);
			assert.match(ended.log, /^Cannot compile the function in .*: an imported package is not available: .*Ballerina Central/);
			assert.match(ended.log, /f\.bal:1:1: ERROR: cannot resolve module 'acme\/rockets'/);
			assert.deepEqual(pod.listing, ["f.bal"]);
		});

		test("a second pod takes the compiled function from the cache", async (t) => {
			const cache = folderFor(t);
			const env = { KUBELESS_CACHE: cache };
			const files = { "f.bal": source("echoes") };
			assert.equal((await compiled(t, files, env)).ended.code, 0);
			const { pod, ended } = await compiled(t, files, env);
			assert.match(ended.output, /Taken from the cache/);
			assert.equal(tools.standIn.builds, 1);
			assert.equal((await (await start(t, pod.volume)).ask({ body: "x" })).text, "x");
		});

		test("a Settings.toml in a secret reaches Ballerina, and its token is not logged", async (t) => {
			const settings = '[central]\naccesstoken = "abcdef0123456789"\n';
			const secrets = { "central/Settings.toml": settings };
			const files = { "f.bal": `import acme/abcdef0123456789;\n${source("echoes")}` };
			const { ended } = await compiled(t, files, { HTTPS_PROXY: "http://proxy.example:3128" }, secrets);
			assert.equal(ended.code, 1);
			assert.match(ended.output, /cannot resolve module 'acme\/\*\*\*'/);
			assert.doesNotMatch(ended.output + ended.log, /abcdef0123456789/);
			assert.equal(readFileSync(join(tools.standIn.place, "settings"), "utf8"), settings);
		});

		test("HTTPS_PROXY reaches Ballerina through Settings.toml", async (t) => {
			const { ended } = await compiled(t, { "f.bal": source("echoes") }, { HTTPS_PROXY: "http://ada:s3cret!@proxy.example:3128/" });
			assert.equal(ended.code, 0, ended.output);
			assert.equal(
				readFileSync(join(tools.standIn.place, "settings"), "utf8"),
				'[proxy]\nhost = "proxy.example"\nport = 3128\nusername = "ada"\npassword = "s3cret!"\n',
			);
		});
	});
});
