import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { baseEnv } from "../../../test/conformance/runtimes.ts";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { assertCycloneDx } from "../../../test/installers/schema.ts";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import { type Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import { run } from "../../../test/support/local-command.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { noJava, StandIn } from "./stand-in.ts";

// No registry has Ballerina's compiler. A stand-in takes its place, and what it builds answers for
// the function. Everything else is real: start.sh, compile.sh, the package they make, the loader,
// Java.

const home = fileURLToPath(new URL("../", import.meta.url));
const example = (name: string) => readFileSync(join(home, "examples", name), "utf8");

/** A function with this name. The stand-in chooses its behaviour by the name. */
const source = (name: string, qualifier = "isolated ") => `import kubeless/kubeless;

public ${qualifier}function ${name}(kubeless:Event event, kubeless:Context context) returns string|error {
    return event.data;
}
`;

if (noJava && process.env["CI"]) test("Ballerina around a stand-in for its compiler", () => assert.fail(String(noJava)));
if (noJava) console.log(`SKIPPED: Ballerina around a stand-in for its compiler. ${noJava}`);

describe("Ballerina around a stand-in for its compiler", { skip: noJava }, () => {
	const owner = suiteOwner();
	let standIn: StandIn;
	before(() => {
		standIn = new StandIn(owner);
	});
	beforeEach(() => standIn.forget());

	const options = (files: Record<string, string>, env: Record<string, string> = {}) => ({
		files,
		env: { ...standIn.env, FUNC_RUNTIME: "ballerina2201.13", ...env },
	});
	const serve = (t: TestContext, files: Record<string, string>, env?: Record<string, string>) => startLoader(t, options(files, env));
	const only = (t: TestContext, name: string, env?: Record<string, string>) => serve(t, { "f.bal": source(name) }, env);

	describe("the package that is built", () => {
		test("contains the function unchanged except for the import line, which keeps its place", async (t) => {
			const text = `import ballerina/io;\n\n  import   kubeless/kubeless;\n\n${source("echoes", "").replace(/^.*\n\n/, "    ")}\nfunction log() {\n    io:println("kubeless/kubeless;"); // import kubeless/kubeless;\n}\n`;
			await serve(t, { "f.bal": text });
			assert.equal(standIn.built("f.bal"), text.replace("kubeless/kubeless", "served.kubeless"));
		});

		test("keeps the prefix of the import (`as k`)", async (t) => {
			const text = source("echoes")
				.replace("kubeless/kubeless;", "kubeless/kubeless as k;")
				.replace(/kubeless:/g, "k:");
			await serve(t, { "f.bal": text });
			assert.match(standIn.built("f.bal"), /^import served\.kubeless as k;$/m);
		});

		test("has an isolated service if the function is isolated, else a plain one", async (t) => {
			await serve(t, { "f.bal": source("echoes") });
			assert.match(standIn.built("kubeless_service.bal"), /^isolated service \/ on kubelessListener/m);
			await serve(t, { "f.bal": source("echoes", "") });
			assert.match(standIn.built("kubeless_service.bal"), /^service \/ on kubelessListener/m);
			assert.match(standIn.built("kubeless_service.bal"), /^ {4}resource function 'default/m);
		});

		test("has the function's own Ballerina.toml with the required fields added", async (t) => {
			const toml = '[package]\nname = "shop"\n\n[[dependency]]\norg = "ballerina"\nname = "uuid"\nversion = "1.8.0"\n';
			const files = { "Ballerina.toml": toml, "Dependencies.toml": '[ballerina]\nversion = "1"\n', "f.bal": source("echoes") };
			await serve(t, files);
			const built = standIn.built("Ballerina.toml");
			assert.match(
				built,
				/^\[package\]\nname = "shop"\n\norg = "functions"\nversion = "0\.1\.0"\n\[\[dependency\]\]\norg = "ballerina"\nname = "uuid"/,
			);
			assert.match(standIn.built("kubeless_service.bal"), /^import shop\.kubeless;$/m);
			assert.match(readFileSync(join(standIn.place, "builds"), "utf8"), / --sticky$/m);
		});

		test("contains one file only if the Ballerina.toml beside it is empty, as Kubeless creates it", async (t) => {
			const files = { "f.bal": source("echoes"), "g.bal": source("echoes"), "Ballerina.toml": "\n" };
			assert.equal((await (await serve(t, files, { MOD_NAME: "f", FUNC_HANDLER: "echoes" })).ask({ body: "x" })).text, "x");
		});

		for (const name of ["hello", "data", "response", "conformance-single"]) {
			test(`is made of examples/${name}.bal`, async (t) => {
				const loader = await serve(t, { "f.bal": example(`${name}.bal`) });
				assert.equal((await loader.ask()).status, 200);
			});
		}

		for (const handler of ["echoes", "request", "context", "counts"]) {
			test(`is made of examples/conformance.bal for its handler ${handler}`, async (t) => {
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
		assert.equal(standIn.built("modules/words/words.bal"), files["modules/words/words.bal"]);
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
		assert.equal(standIn.builds, 1);
		assert.equal(await answers("hello"), "hello");
		assert.equal(standIn.builds, 2);
		assert.equal(await answers("hello", { "kubeless.toml": "a = 1\n", "g.bal": "broken" }), "hello");
		assert.equal(standIn.builds, 2, "what is not built in does not count");
		assert.equal(await answers("hello", { "f.bal": `${files["f.bal"]}// changed\n` }), "hello");
		assert.equal(standIn.builds, 3);
		standIn.put("distributions/ballerina-version", "ballerina-2201.13.7\n");
		assert.equal(await answers("hello", { "f.bal": `${files["f.bal"]}// changed\n` }), "hello");
		assert.equal(standIn.builds, 4, "another Ballerina builds anew");
		assert.deepEqual(
			readdirSync(join(standIn.cache, "compiled")).filter((name) => !/^ballerina-function-[0-9a-f]{16}$/.test(name)),
			[],
		);
	});

	test("a function runs on the Java of the Ballerina distribution, unless JAVA_HOME names another", async (t) => {
		standIn.put("dependencies/jdk-21-jre/bin/java", '#!/bin/sh\necho "its own" >&2\nexec java "$@"\n');
		const loader = await only(t, "hello");
		await loader.said(({ msg }) => msg === "its own");
		const java = realpathSync(spawnSync("sh", ["-c", "command -v java"], { encoding: "utf8" }).stdout.trim());
		const named = await only(t, "hello", { JAVA_HOME: join(java, "../../..") });
		assert.equal((await named.ask()).text, "hello");
		assert.ok(!named.records.some(({ msg }) => msg === "its own"));
	});

	describe("a function", () => {
		test("gets the event and the context, and its result is the answer", async (t) => {
			const types = await only(t, "types");
			const headers = { "Event-Id": "7", "ce-specversion": "1.0", "ce-type": "ordered" };
			assert.equal((await types.ask({ body: "čšž", headers })).text, "7 ordered čšž");
			const context = await only(t, "context", { FUNC_TIMEOUT: "7" });
			assert.equal((await context.ask()).text, "context 7 ballerina2201.13");
		});

		test("that returns an error is answered 500 and counted, and its message is in the log only", async (t) => {
			const loader = await only(t, "raises");
			const { status, text } = await loader.ask({ body: "a secret" });
			assert.deepEqual([status, text], [500, "Internal Server Error"]);
			const record = await loader.said(({ code }) => code === "FUNCTION_THREW");
			assert.equal(record.msg, "a secret");
			assert.match(String(record["stack"]), /error\(a secret\)\n {4}at function\.bal/);
			assert.equal((await loader.figures()).of('function_failures_total{method="POST"}'), 1);
		});

		test("is not called with a malformed JSON body", async (t) => {
			const loader = await only(t, "echoes");
			assert.equal((await loader.ask({ body: '{"a":', headers: JSON_TYPE })).status, 400);
			assert.equal((await loader.figures()).sum("function_calls_total"), 0);
			assert.equal((await loader.ask({ body: '{"a":1}', headers: JSON_TYPE })).text, '{"a":1}');
		});

		test("runs many calls at once", async (t) => {
			const loader = await only(t, "sleeps");
			const measure = async (run: () => Promise<unknown>): Promise<number> => {
				const start = performance.now();
				await run();
				return performance.now() - start;
			};
			const inTurn = await measure(async () => {
				for (let i = 0; i < 5; i++) assert.equal((await loader.ask({ body: "400" })).text, "slept");
			});
			const start = performance.now();
			const answers = await Promise.all(Array.from({ length: 20 }, () => loader.ask({ body: "400" })));
			assert.deepEqual([...new Set(answers.map(({ text }) => text))], ["slept"]);
			const atOnce = performance.now() - start;
			assert.ok(atOnce < 2 * inTurn, `20 calls at once took ${atOnce} ms, 5 calls one after the other ${inTurn} ms`);
		});

		test("past FUNC_TIMEOUT is answered 408, and the next call is served", async (t) => {
			const loader = await only(t, "sleeps", { FUNC_TIMEOUT: "4" });
			assert.equal((await loader.ask({ body: "600000" })).status, 408);
			assert.equal((await loader.ask({ body: "1" })).text, "slept");
		});

		test("that ends its process is answered 502, and another process takes over", async (t) => {
			const loader = await only(t, "dies");
			assert.equal((await loader.ask()).status, 502);
			assert.equal((await loader.ask()).status, 502);
			assert.equal((await loader.figures()).sum("function_calls_total"), 2);
		});

		test("prints to the log", async (t) => {
			const loader = await only(t, "prints");
			assert.equal((await loader.ask({ body: "two words" })).text, "printed");
			for (const stream of ["stdout", "stderr"]) await loader.said((record) => record.stream === stream && record.msg === "two words");
			assert.deepEqual(await loader.stop(), { code: 0, signal: null });
		});
	});

	describe("a function that cannot be served is reported with the cure", () => {
		const told = async (t: TestContext, files: Record<string, string>, env: Record<string, string> = {}) => {
			const { code, stderr } = await runLoader(t, options(files, env));
			assert.equal(code, 1, stderr);
			return stderr;
		};

		test("a syntax error is the compiler's message with file and line", async (t) => {
			const stderr = await told(
				t,
				{ "conformance-broken.bal": example("conformance-broken.bal") },
				{ MOD_NAME: "conformance-broken", FUNC_HANDLER: "echoes" },
			);
			assert.match(stderr, /^conformance-broken\.bal:17:1: ERROR: invalid token 'this'$/m);
			assert.doesNotMatch(stderr, /Compiling source|compilation contains errors|kubeless-test-.*\n.*kubeless-test-/);
		});

		test("a missing package is named", async (t) => {
			const stderr = await told(t, { "f.bal": `import acme/rockets;\n${source("echoes")}` });
			assert.match(stderr, /^f\.bal:1:1: ERROR: cannot resolve module 'acme\/rockets'$/m);
		});

		test("a missing handler is reported with the list of handlers", async (t) => {
			const files = { "f.bal": `${source("one")}${source("two").replace(/^import.*\n/, "")}\npublic function other(string text) {\n}\n` };
			assert.match(await told(t, files, { MOD_NAME: "f", FUNC_HANDLER: "three" }), /f\.bal has no handler three, .*; it has one, two\.$/m);
			assert.match(await told(t, files, { MOD_NAME: "f", FUNC_HANDLER: "other" }), /f\.bal has no handler other, .*; it has one, two\.$/m);
			assert.match(await told(t, files), /f\.bal has more than one handler, one, two: set FUNC_HANDLER to one of them\.$/m);
			assert.match(await told(t, { "f.bal": "// nothing\n" }), /f\.bal has no handler: a public function/);
			assert.match(await told(t, { "f.bal": "" }), /is empty\.$/m);
			assert.equal(standIn.builds, 0);
		});

		test("a missing bal is reported with the place to get it", async (t) => {
			const stderr = await told(t, { "f.bal": source("echoes") }, { PATH: "/usr/bin:/bin" });
			assert.match(stderr, /f\.bal has to be compiled, and there is no bal: run kubeless-compile .*, or install Ballerina \(https:/);
		});
	});

	test("a saved function is built and served again, and the previous version stays if the build fails", async (t) => {
		const place = folderFor(t, { "f.bal": source("echoes") });
		const local = await run(t, [join(place, "f.bal")], { env: standIn.env });
		assert.equal(await local.answer("x"), "x");
		writeFileSync(join(place, "f.bal"), source("raises"));
		await local.servedAnew();
		const { status, text } = await local.ask("a mistake");
		assert.equal(status, 500);
		assert.match(text, /^error\(a mistake\)\n {4}at function\.bal/);
		writeFileSync(join(place, "f.bal"), `${source("hello")}this is none\n`);
		await local.wrote(/f\.bal changed, but the reload failed/);
		await local.wrote(/^f\.bal:6:1: ERROR: invalid token 'this'$/);
		assert.equal((await local.ask("another")).status, 500);
	});

	// Without the tests whose result a function computes: a stand-in cannot show those.
	for (const suite of ["answers", "concurrency", "drain", "output", "time-limit", "worker-ends", "callers"]) {
		test(`test/faults/${suite}.test.ts: passes for Ballerina`, async () => {
			const words = ["--test", "--test-reporter=tap", "--test-name-pattern=^ballerina: ", `test/faults/${suite}.test.ts`];
			const child = spawn(process.execPath, words, {
				cwd: join(home, "../.."),
				env: { ...baseEnv(), ...standIn.env, HOME: standIn.cache },
			});
			let told = "";
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (told += text));
			const [code] = await once(child, "close");
			assert.equal(code, 0, told);
			assert.ok(Number(/^# pass (\d+)$/m.exec(told)?.[1]) > 0 && !told.includes("Ballerina is missing"), told);
		});
	}

	describe("in a pod", () => {
		const compiled = async (t: TestContext, files: Record<string, string>, env: Record<string, string> = {}, secrets = {}) => {
			const pod = new Pod(t, { runtime: "ballerina", depsFile: "Ballerina.toml", files, secrets, env: { ...standIn.env, ...env } });
			return { pod, ended: await pod.run("compile", { KUBELESS_FUNC_NAME: "echoes" }) };
		};
		/** The runtime's image: Java, and no Ballerina. */
		const start = (t: TestContext, volume: string, env: Record<string, string> = {}): Promise<Loader> =>
			startLoader(t, { volume, env: { FUNC_RUNTIME: "ballerina2201.13", MOD_NAME: "f", FUNC_HANDLER: "echoes", ...env } });

		test("a folder is compiled once and served without a compiler", async (t) => {
			const { pod, ended } = await compiled(t, { "f.bal": source("echoes"), "more.bal": "function more() {\n}\n", "Ballerina.toml": "" });
			assert.equal(ended.code, 0, ended.output);
			assert.ok(pod.has("function/function.jar"));
			assert.match(standIn.built("more.bal"), /function more/);
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
			assert.equal(standIn.builds, 1);
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
			assert.equal(readFileSync(join(standIn.place, "settings"), "utf8"), settings);
		});

		test("HTTPS_PROXY reaches Ballerina through Settings.toml", async (t) => {
			const { ended } = await compiled(t, { "f.bal": source("echoes") }, { HTTPS_PROXY: "http://ada:s3cret!@proxy.example:3128/" });
			assert.equal(ended.code, 0, ended.output);
			assert.equal(
				readFileSync(join(standIn.place, "settings"), "utf8"),
				'[proxy]\nhost = "proxy.example"\nport = 3128\nusername = "ada"\npassword = "s3cret!"\n',
			);
		});
	});
});
