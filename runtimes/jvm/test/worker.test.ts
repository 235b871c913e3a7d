import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Candidate, conform, readSuites } from "../../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../../kubeless-loader/src/conform/report.ts";
import { readManifest } from "../../../kubeless-loader/src/manifest.ts";
import { baseEnv, PATIENCE, readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder, startLoader } from "../../../test/support/loader.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";

// Functions in a jar. The repository has no jars, so this file makes them, and runs the conformance
// vectors too.

const home = fileURLToPath(new URL("../", import.meta.url));
const missing = readRuntimes().find(({ id }) => id === "java")?.missing;
const suites = readSuites();

describe("jvm", { skip: missing ?? false }, () => {
	const owner = suiteOwner();
	let made: string | undefined;
	const jars = (): string => {
		if (made === undefined) {
			made = folder(owner);
			execFileSync("sh", [join(home, "examples/build.sh"), made], { stdio: "pipe" });
		}
		return made;
	};

	test("jvm: the worker keeps every rule of the wire", { timeout: 600_000 }, async () => {
		const worker: Candidate = {
			command: ["sh", join(home, "../java/start.sh")],
			env: { ...baseEnv(), RUNTIME_DIR: home },
			file: join(jars(), "conformance.jar"),
			concurrency: 10,
			patience: PATIENCE,
			lacks: readManifest(join(home, "runtime.json")).lacks ?? {},
		};
		for await (const result of conform(worker, suites)) {
			assert.notEqual(result.outcome, "broken", `${result.description}: ${report(result)}`);
		}
	});

	const served = async (t: Owner, files: Record<string, string>, modName: string, handler: string) => {
		const volume = folder(t);
		for (const [name, jar] of Object.entries(files)) copyFileSync(join(jars(), jar), join(volume, name));
		return startLoader(t, { volume, env: { FUNC_RUNTIME: "jvm17", MOD_NAME: modName, FUNC_HANDLER: handler } });
	};

	test("jvm: a handler can be named as in Kubeless, with _ for the dots of its package", async (t) => {
		const loader = await served(t, { "example_hello.jar": "hello.jar" }, "example_hello", "hello");
		assert.equal((await loader.ask()).text, "hello world");
	});

	test("jvm: jars beside the function's jar are on its class path", async (t) => {
		const loader = await served(t, { "example_deps.jar": "deps/deps.jar", "greeting.jar": "deps/greeting.jar" }, "example_deps", "deps");
		assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada");
	});
});
