import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { example, home, source, suite } from "./suite.ts";

suite("Ballerina around a stand-in for its compiler: what is built", (tools) => {
	const { only, reported, serve } = tools;
	describe("the package that is built", () => {
		test("the package contains the function unchanged except for the import line, which keeps its place", async (t) => {
			const text = `import ballerina/io;\n\n  import   kubeless/kubeless;\n\n${source("echoes", "").replace(/^.*\n\n/, "    ")}\nfunction log() {\n    io:println("kubeless/kubeless;"); // import kubeless/kubeless;\n}\n`;
			await serve(t, { "f.bal": text });
			assert.equal(tools.standIn.built("f.bal"), text.replace("kubeless/kubeless", "served.kubeless"));
		});

		test("the package keeps the prefix of the import (`as k`)", async (t) => {
			const text = source("echoes")
				.replace("kubeless/kubeless;", "kubeless/kubeless as k;")
				.replace(/kubeless:/g, "k:");
			await serve(t, { "f.bal": text });
			assert.match(tools.standIn.built("f.bal"), /^import served\.kubeless as k;$/m);
		});

		test("the package has an isolated service if the function is isolated, else a plain one", async (t) => {
			await serve(t, { "f.bal": source("echoes") });
			assert.match(tools.standIn.built("kubeless_service.bal"), /^isolated service \/ on kubelessListener/m);
			await serve(t, { "f.bal": source("echoes", "") });
			assert.match(tools.standIn.built("kubeless_service.bal"), /^service \/ on kubelessListener/m);
			assert.match(tools.standIn.built("kubeless_service.bal"), /^ {4}resource function 'default/m);
		});

		test("the package has the function's own Ballerina.toml with the required fields added", async (t) => {
			const toml = '[package]\nname = "shop"\n\n[[dependency]]\norg = "ballerina"\nname = "uuid"\nversion = "1.8.0"\n';
			const files = { "Ballerina.toml": toml, "Dependencies.toml": '[ballerina]\nversion = "1"\n', "f.bal": source("echoes") };
			await serve(t, files);
			const built = tools.standIn.built("Ballerina.toml");
			assert.match(
				built,
				/^\[package\]\nname = "shop"\n\norg = "functions"\nversion = "0\.1\.0"\n\[\[dependency\]\]\norg = "ballerina"\nname = "uuid"/,
			);
			assert.match(tools.standIn.built("kubeless_service.bal"), /^import shop\.kubeless;$/m);
			assert.match(readFileSync(join(tools.standIn.place, "builds"), "utf8"), / --sticky$/m);
		});

		test("the package contains one file only if the Ballerina.toml beside it is empty, as Kubeless creates it", async (t) => {
			const files = { "f.bal": source("echoes"), "g.bal": source("echoes"), "Ballerina.toml": "\n" };
			assert.equal((await (await serve(t, files, { MOD_NAME: "f", FUNC_HANDLER: "echoes" })).ask({ body: "x" })).text, "x");
		});

		for (const name of ["hello", "data", "response", "conformance-single"]) {
			test(`a package is made of examples/${name}.bal`, async (t) => {
				const loader = await serve(t, { "f.bal": example(`${name}.bal`) });
				assert.equal((await loader.ask()).status, 200);
			});
		}

		for (const handler of ["echoes", "request", "context", "counts"]) {
			test(`a package is made of examples/conformance.bal for its handler ${handler}`, async (t) => {
				const loader = await serve(t, { "f.bal": example("conformance.bal") }, { MOD_NAME: "f", FUNC_HANDLER: handler });
				assert.equal((await loader.ask()).status, 200);
			});
		}
	});

	test("examples/deps is built with its modules and configured by kubeless.toml", async (t) => {
		const names = readdirSync(join(home, "examples/deps"), { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
		const files = Object.fromEntries(names.map((name) => [name, example(`deps/${name}`)]));
		assert.deepEqual(names.sort(), ["Ballerina.toml", "deps.bal", "kubeless.toml", "modules/words/words.bal"]);
		const loader = await serve(t, { ...files, "Config.toml": "# the second one\n" });
		assert.equal((await loader.ask()).text, `${files["kubeless.toml"]}# the second one\n`);
		assert.equal(tools.standIn.built("modules/words/words.bal"), files["modules/words/words.bal"]);
		const own = await serve(t, { ...files, "own.toml": "# the first one\n" }, { BAL_CONFIG_FILES: join(loader.volume, "Config.toml") });
		assert.equal((await own.ask()).text, `# the second one\n${files["kubeless.toml"]}`);
	});

	test("a function is built once for each content and handler", async (t) => {
		const files = { "f.bal": `${source("echoes")}${source("hello").replace(/^import.*\n/, "")}` };
		const env = (handler: string) => ({ MOD_NAME: "f", FUNC_HANDLER: handler });
		const answers = async (handler: string, more: Record<string, string> = {}) =>
			(await (await serve(t, { ...files, ...more }, env(handler))).ask({ body: "x" })).text;
		assert.equal(await answers("echoes"), "x");
		assert.equal(await answers("echoes"), "x");
		assert.equal(tools.standIn.builds, 1);
		assert.equal(await answers("hello"), "hello");
		assert.equal(tools.standIn.builds, 2);
		assert.equal(await answers("hello", { "kubeless.toml": "a = 1\n", "g.bal": "broken" }), "hello");
		assert.equal(tools.standIn.builds, 2, "what is not built in does not count");
		assert.equal(await answers("hello", { "f.bal": `${files["f.bal"]}// changed\n` }), "hello");
		assert.equal(tools.standIn.builds, 3);
		tools.standIn.put("distributions/ballerina-version", "ballerina-2201.13.7\n");
		assert.equal(await answers("hello", { "f.bal": `${files["f.bal"]}// changed\n` }), "hello");
		assert.equal(tools.standIn.builds, 4, "another Ballerina builds anew");
		assert.deepEqual(
			readdirSync(join(tools.standIn.cache, "compiled")).filter((name) => !/^ballerina-function-[0-9a-f]{16}$/.test(name)),
			[],
		);
	});

	test("a function runs on the Java of the Ballerina distribution, unless JAVA_HOME names another", async (t) => {
		tools.standIn.put("dependencies/jdk-21-jre/bin/java", '#!/bin/sh\necho "its own" >&2\nexec java "$@"\n');
		const loader = await only(t, "hello");
		await loader.said(({ msg }) => msg === "its own");
		const java = realpathSync(spawnSync("sh", ["-c", "command -v java"], { encoding: "utf8" }).stdout.trim());
		const named = await only(t, "hello", { JAVA_HOME: join(java, "../../..") });
		assert.equal((await named.ask()).text, "hello");
		assert.ok(!named.records.some(({ msg }) => msg === "its own"));
	});

	describe("a function that cannot be served is reported with the cure", () => {
		test("a syntax error is the compiler's message with file and line", async (t) => {
			const stderr = await reported(
				t,
				{ "conformance-broken.bal": example("conformance-broken.bal") },
				{ MOD_NAME: "conformance-broken", FUNC_HANDLER: "echoes" },
			);
			assert.match(stderr, /^conformance-broken\.bal:17:1: ERROR: invalid token 'this'$/m);
			assert.doesNotMatch(stderr, /Compiling source|compilation contains errors|kubeless-test-.*\n.*kubeless-test-/);
		});

		test("a missing package is named", async (t) => {
			const stderr = await reported(t, { "f.bal": `import acme/rockets;\n${source("echoes")}` });
			assert.match(stderr, /^f\.bal:1:1: ERROR: cannot resolve module 'acme\/rockets'$/m);
		});

		test("a missing handler is reported with the list of handlers", async (t) => {
			const files = { "f.bal": `${source("one")}${source("two").replace(/^import.*\n/, "")}\npublic function other(string text) {\n}\n` };
			assert.match(
				await reported(t, files, { MOD_NAME: "f", FUNC_HANDLER: "three" }),
				/f\.bal has no handler three, .*; it has one, two\.$/m,
			);
			assert.match(
				await reported(t, files, { MOD_NAME: "f", FUNC_HANDLER: "other" }),
				/f\.bal has no handler other, .*; it has one, two\.$/m,
			);
			assert.match(await reported(t, files), /f\.bal has more than one handler, one, two: set FUNC_HANDLER to one of them\.$/m);
			assert.match(await reported(t, { "f.bal": "// nothing\n" }), /f\.bal has no handler: a public function/);
			assert.match(await reported(t, { "f.bal": "" }), /is empty\.$/m);
			assert.equal(tools.standIn.builds, 0);
		});

		test("a missing bal is reported with the place to get it", async (t) => {
			const stderr = await reported(t, { "f.bal": source("echoes") }, { PATH: "/usr/bin:/bin" });
			assert.match(stderr, /f\.bal has to be compiled, and there is no bal: run kubeless-compile .*, or install Ballerina \(https:/);
		});
	});
});
