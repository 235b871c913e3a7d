import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { startLoader } from "../../../test/support/loader.ts";
import { run } from "../../../test/support/local-command.ts";
import { example, suite } from "./suite.ts";

/** A function for Ballerina 0.975 to 0.983. */
const source = (name: string) => `import kubeless/kubeless;

public function ${name}(kubeless:Event event, kubeless:Context context) returns (string|error) {
    return event.data;
}
`;

suite(
	"Ballerina 0.975 to 0.983 around a stand-in for its compiler",
	(tools) => {
		const { reported, serve } = tools;
		const only = (t: TestContext, name: string, env?: Record<string, string>) => serve(t, { "f.bal": source(name) }, env);

		test("a function gets the event and the context, and its result is the answer", async (t) => {
			const types = await only(t, "types");
			assert.equal((await types.ask({ body: "čšž", headers: { "Event-Id": "7", "Event-Type": "ordered" } })).text, "7 ordered čšž");
			const context = await only(t, "context", { FUNC_TIMEOUT: "7" });
			assert.equal((await context.ask()).text, "context 7 ballerina0.981.0");
		});

		test("an error is answered 500, and its message is in the log only", async (t) => {
			const loader = await only(t, "raises");
			const { status, text } = await loader.ask({ body: "a secret" });
			assert.deepEqual([status, text], [500, "Internal Server Error"]);
			assert.equal((await loader.said(({ code }) => code === "FUNCTION_THREW")).msg, "a secret");
		});

		test("a call past FUNC_TIMEOUT is answered 408, and a function that ends its process 502", async (t) => {
			const sleeps = await only(t, "sleeps", { FUNC_TIMEOUT: "4" });
			assert.equal((await sleeps.ask({ body: "600000" })).status, 408);
			assert.equal((await sleeps.ask({ body: "1" })).text, "slept");
			const dies = await only(t, "dies");
			assert.equal((await dies.ask()).status, 502);
			assert.equal((await dies.ask()).status, 502);
		});

		test("Java is the worker's own process, and its heap is a share of the container's memory", async (t) => {
			const loader = await only(t, "process", { JAVA_OPTS: "-Dmine=yes" });
			const { text } = await loader.ask();
			assert.match(text, /^\S*node /);
			assert.match(text, / -XX:MaxRAMPercentage=51\.0 .* -Dmine=yes\b/);
			assert.doesNotMatch(text, /-Xmx/);
		});

		test("the function becomes the module func, unchanged except for the import line", async (t) => {
			const text = source("echoes")
				.replace("kubeless/kubeless;", "kubeless/kubeless as k;")
				.replace(/kubeless:/g, "k:");
			await serve(t, { "f.bal": text });
			assert.equal(tools.standIn.built("func/f.bal"), text.replace("kubeless/kubeless", "kubeless"));
			assert.match(tools.standIn.built("kubeless_run.bal"), /^import ballerina\/http;\n[^]*= func:echoes\(/);
		});

		test("0.975 gets a listener without the field timeoutMillis, which it does not have", async (t) => {
			await only(t, "echoes");
			assert.match(tools.standIn.built("kubeless_run.bal"), /timeoutMillis: 0/);
			await only(t, "hello", { KUBELESS_STAND_IN_VERSION: "0.975.0" });
			assert.doesNotMatch(tools.standIn.built("kubeless_run.bal"), /timeoutMillis/);
		});

		test("a project's other folders are modules, and its tests are left out", async (t) => {
			const words = "public function sentence() returns string {\n    return event;\n}\n";
			const files = {
				"Ballerina.toml": '[project]\norg-name = "acme"\nversion = "0.0.1"\n',
				"f.bal": `import words;\n${source("echoes")}`,
				"words/words.bal": words,
				"words/tests/words_test.bal": "no Ballerina",
			};
			assert.equal((await (await serve(t, files)).ask({ body: "x" })).text, "x");
			assert.equal(tools.standIn.built("words/words.bal"), words);
			assert.equal(tools.standIn.built("Ballerina.toml"), files["Ballerina.toml"]);
		});

		test("kubeless.toml configures the function, else ballerina.conf", async (t) => {
			const files = { "f.bal": source("deps"), "kubeless.toml": 'a = "1"\n', "ballerina.conf": 'a = "2"\n' };
			assert.equal((await (await serve(t, files)).ask()).text, files["kubeless.toml"]);
			const { "kubeless.toml": _, ...less } = files;
			assert.equal((await (await serve(t, less)).ask()).text, files["ballerina.conf"]);
			assert.equal(tools.standIn.builds, 1);
		});

		for (const name of ["hello", "greet", "created"]) {
			test(`a program is made of older/examples/${name}.bal`, async (t) => {
				const loader = await serve(t, { "f.bal": example(`../older/examples/${name}.bal`) });
				assert.equal((await loader.ask()).text, name);
			});
		}

		test("a saved function is built and served again", async (t) => {
			const place = folderFor(t, { "f.bal": source("echoes") });
			const local = await run(t, [join(place, "f.bal")], { env: tools.standIn.env });
			assert.equal(await local.answer("x"), "x");
			writeFileSync(join(place, "f.bal"), source("hello"));
			await local.servedAnew();
			assert.equal(await local.answer("x"), "hello");
		});

		describe("a function that cannot be served is reported with the cure", () => {
			test("a syntax error is the compiler's message with file and line", async (t) => {
				const stderr = await reported(t, { "f.bal": `${source("echoes")}this is none\n` });
				assert.match(stderr, /^f\.bal:6:1: ERROR: invalid token 'this'$/m);
			});

			test("a version with another language is reported with the versions to use", async (t) => {
				for (const version of ["0.970.1", "0.990.0", "1.2.0"]) {
					const stderr = await reported(t, { "f.bal": source("refused") }, { KUBELESS_STAND_IN_VERSION: version });
					assert.match(stderr, new RegExp(`with Ballerina ${version}, whose language differs: use 0\\.975 to 0\\.983`));
				}
			});
		});

		describe("in a pod", () => {
			const compiled = async (t: TestContext, files: Record<string, string>) => {
				const pod = new Pod(t, { runtime: "ballerina", depsFile: "Ballerina.toml", files, env: tools.standIn.env });
				return { pod, ended: await pod.run("compile", { KUBELESS_FUNC_NAME: "echoes" }) };
			};

			test("a folder is compiled once, and served by a pod without the installer", async (t) => {
				const { pod, ended } = await compiled(t, { "f.bal": source("echoes"), "g.bal": "function more() {\n}\n", "Ballerina.toml": "" });
				assert.equal(ended.code, 0, ended.output);
				assert.ok(pod.has("function/function.balx"));
				assert.match(tools.standIn.built("func/g.bal"), /function more/);
				const env = { ...tools.standIn.env, FUNC_RUNTIME: "ballerina0.981.0", MOD_NAME: "f", FUNC_HANDLER: "echoes" };
				assert.equal((await (await startLoader(t, { volume: pod.volume, env })).ask({ body: "x" })).text, "x");
				assert.equal(tools.standIn.builds, 1);
			});

			test("a failed compilation is in the termination log with the hint, and leaves the volume unchanged", async (t) => {
				const { pod, ended } = await compiled(t, { "f.bal": `import acme/rockets;\n${source("echoes")}` });
				assert.equal(ended.code, 1);
				assert.match(ended.log, /an imported package is not available: [^]*f\.bal:1:1: ERROR: cannot resolve module 'acme\/rockets'/);
				assert.deepEqual(pod.listing, ["f.bal"]);
			});
		});
	},
	"ballerina",
);
