// Functions in real containers: a kubelet and containerd run them, the controller runs in pods of
// its own, and the command `kubeless` is what the user has.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { kubeless } from "../../kubeless-cli/test/shell.ts";
import { describeWith } from "../support/needs.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { answers, Load, type Service, serviceOf } from "./node/calls.ts";
import type { Started } from "./node/control.ts";
import { testMessages } from "./node/messages.ts";
import { testOptions } from "./node/options.ts";
import { testServerless } from "./node/serverless.ts";
import { cluster, condition, describeCluster, fn, get, gone, kubectl, list, namespace } from "./support.ts";

/** What a function in each language answers: its version and the call's body. It logs each call. */
const SOURCES: Readonly<Record<string, (version: string) => [file: string, text: string]>> = {
	nodejs: (version) => [
		"hello.js",
		`exports.handler = (event) => {\n  console.log("called ${version}");\n  return "${version} " + event.data;\n};\n`,
	],
	python: (version) => [
		"hello.py",
		`def handler(event, context):\n    print("called ${version}")\n    return "${version} " + event["data"].decode()\n`,
	],
	ruby: (version) => ["hello.rb", `def handler(event, context)\n  puts "called ${version}"\n  "${version} " + event[:data]\nend\n`],
	php: (version) => [
		"hello.php",
		`<?php\nfunction handler($event, $context)\n{\n    error_log("called ${version}");\n    return "${version} " . $event->data;\n}\n`,
	],
};
/** Several pods start at once. */
const START_MS = 120_000;

/** Starts the node, or returns why there is none. */
async function start(): Promise<Started | string> {
	const response = await fetch(`http://127.0.0.1:${cluster.port + 5}/node`, { method: "POST" });
	return response.ok ? ((await response.json()) as Started) : response.text();
}

const node = cluster.port === undefined ? undefined : await start();
const started = typeof node === "object" ? node : undefined;
const describeNode = (what: string, tests: (node: Started) => void): void => {
	if (!started) return node === undefined ? describeCluster(what, () => {}) : describeWith(what, node as string, () => {});
	describe(what, () => tests(started));
};

describeNode("a function on a node", (started) => {
	const { runtimes } = started;
	const owner = suiteOwner();
	const folder = mkdtempSync(join(tmpdir(), "kubeless-node-test-"));
	owner.after(() => rmSync(folder, { recursive: true, force: true }));
	owner.after(async () => {
		const response = await fetch(`http://127.0.0.1:${cluster.port + 5}/node`, { method: "DELETE" });
		assert.equal(response.status, 200, await response.text());
	});
	// The controllers of the other tests run without the Lease.
	owner.after(async () => {
		await kubectl(["scale", "--replicas=0", "-n", "kubeless", "deployment/kubeless-controller"]);
		await poll(
			async () => ((await list("Pod", "kubeless")).length === 0 ? true : undefined),
			() => "the controller's pods are still there",
		);
	});
	const nodejs = runtimes.find((runtime) => runtime.startsWith("nodejs")) ?? "";
	/** Runs a command that must succeed. */
	const done = async (...args: string[]): Promise<string> => {
		const { code, stdout, stderr } = await kubeless(["--kubeconfig", cluster.kubeconfig, ...args]);
		assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
		return stdout;
	};
	/** Runs a command that must fail, and returns its sentence. */
	const fails = async (...args: string[]): Promise<string> => {
		const { code, stderr } = await kubeless(["--kubeconfig", cluster.kubeconfig, ...args]);
		assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
		return stderr;
	};
	const write = (runtime: string, version: string): string => {
		const [file, text] = sourceOf(runtime)(version);
		writeFileSync(join(folder, file), text);
		return join(folder, file);
	};

	before(async () => {
		await kubectl(["scale", "--replicas=2", "-n", "kubeless", "deployment/kubeless-controller"]);
		const waited = await kubectl([
			"wait",
			"-n",
			"kubeless",
			"--for=condition=Available",
			"--timeout=120s",
			"deployment/kubeless-controller",
		]);
		assert.equal(waited.status, 0, `${waited.stderr}${JSON.stringify((await list("Pod", "kubeless")).map(({ status }) => status))}`);
	});

	const applyFunction = async (ns: string, runtime: string): Promise<Service> => {
		const source = sourceOf(runtime)("v1")[1];
		const object = fn(ns, "hello", { runtime, handler: "hello.handler", function: source });
		const applied = await kubectl(["apply", "-f", "-"], JSON.stringify(object));
		assert.equal(applied.status, 0, applied.stderr);
		return serviceOf(ns, "hello");
	};

	// One after another: their times would disturb each other.
	for (const runtime of runtimes) {
		test(`${runtime}: answers some seconds after kubectl apply`, async (t) => {
			const ns = await namespace(t);
			const began = performance.now();
			const service = await applyFunction(ns, runtime);
			assert.equal(await answers(service, ({ status }) => status === 200), "v1 x");
			t.diagnostic(`${runtime}: first 200 after ${((performance.now() - began) / 1000).toFixed(1)} s from kubectl apply`);
		});
	}

	describe("during its life", { concurrency: true }, () => {
		for (const runtime of runtimes) {
			test(`${runtime}: is called, logged, scaled, updated under load without a failed call, rolled back and deleted`, async (t) => {
				const ns = await namespace(t);
				const at = ["-n", ns];
				const service = await applyFunction(ns, runtime);
				await condition("Function", ns, "hello", "Ready", "Ready", START_MS);
				assert.equal(await done("function", "call", "hello", "-d", "one", ...at), "v1 one");
				await poll(
					async () => /called v1/.test(await done("function", "logs", "hello", ...at)) || undefined,
					() => "the log does not show the call",
				);
				const scaled = await kubectl(["scale", "--replicas=2", "function/hello", ...at]);
				assert.equal(scaled.status, 0, scaled.stderr);
				await poll(
					async () => /2\/2 READY/.test(await done("function", "list", ...at)) || undefined,
					() => "the second pod does not get ready",
				);

				const load = new Load(service);
				const settled = (version: string): Promise<true> =>
					poll(
						() => load.newest.every((text) => text === `${version} x`) || undefined,
						() => `the answers are not all of ${version}: ${load.newest.join()}`,
					);
				await done("function", "update", "hello", "-f", write(runtime, "v2"), ...at);
				await settled("v2");
				await done("function", "rollback", "hello", ...at);
				await settled("v1");
				await poll(
					async () => ((await list("Pod", ns)).length === 2 ? true : undefined),
					() => "pods of other versions are left",
				);
				const { calls, failed } = await load.end();
				t.diagnostic(`${runtime}: ${calls} calls during an update and a rollback, ${failed.length} failed`);
				assert.deepEqual(failed, []);

				await done("function", "delete", "hello", ...at);
				await poll(
					async () => ((await list("Pod", ns)).length === 0 ? true : undefined),
					() => "pods are left",
				);
				await gone("Service", ns, "hello");
			});
		}
	});

	test("deployed by kubeless, is called by the command when the deployment has ended", async (t) => {
		const ns = await namespace(t);
		const began = performance.now();
		await done("function", "deploy", "hello", "-f", write(nodejs, "v1"), "-r", nodejs, "-n", ns);
		assert.equal(await done("function", "call", "hello", "-d", "x", "-n", ns), "v1 x");
		t.diagnostic(`kubeless function deploy and call: ${((performance.now() - began) / 1000).toFixed(1)} s: ${await stepsOf(ns)}`);
	});

	test("that cannot be loaded, makes kubeless function deploy end with the language's own error", async (t) => {
		const ns = await namespace(t);
		const file = join(folder, "broken.js");
		writeFileSync(file, "exports.handler = () => {;\n");
		const sentence = await fails("function", "deploy", "broken", "-f", file, "-r", nodejs, "-n", ns);
		assert.match(sentence, /Function "broken" does not get ready\. .*SyntaxError/s);
	});

	describe("given by the command's options", { concurrency: true }, () => {
		const context = { ...started, folder, nodejs, done, fails };
		testOptions(context);
		testMessages(context);
		testServerless(context);
	});
});

/** Returns when a Function's objects were made and its pod got on, in s after the Function. */
async function stepsOf(ns: string): Promise<string> {
	const fn = await get("Function", ns, "hello");
	const [deployment, set, pod] = await Promise.all(["Deployment", "ReplicaSet", "Pod"].map(async (kind) => (await list(kind, ns))[0]));
	const since = (time = ""): string => `${(Date.parse(time) - Date.parse(fn?.metadata.creationTimestamp ?? "")) / 1000} s`;
	const { conditions = [] } = (pod?.status ?? {}) as { conditions?: { type: string; lastTransitionTime: string }[] };
	const steps = conditions.map(({ type, lastTransitionTime }) => `${type} ${since(lastTransitionTime)}`);
	const made = [deployment, set, pod].map(
		(object, index) => `${["Deployment", "ReplicaSet", "Pod"][index]} ${since(object?.metadata.creationTimestamp)}`,
	);
	return [...made, ...steps].join(", ");
}

const sourceOf = (runtime: string): ((version: string) => [file: string, text: string]) => {
	const source = SOURCES[runtime.replace(/[\d.]+$/, "")];
	assert.ok(source, `SOURCES has nothing for ${runtime}`);
	return source;
};
