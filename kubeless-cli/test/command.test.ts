import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { KubelessFunction, KubeObject, Status } from "../../kubeless-controller/src/api/types.ts";
import { ApiError } from "../../kubeless-controller/src/kube/api.ts";
import { candidates } from "../src/completion.ts";
import { sentenceOf } from "../src/errors.ts";
import { callRequest, escaped } from "../src/function/call.ts";
import { logPlace } from "../src/function/logs.ts";
import { dependencies, description, statusText } from "../src/function/show.ts";
import { callStatistics } from "../src/function/top.ts";
import { stateOf } from "../src/function/wait.ts";
import { installObjects } from "../src/install.ts";
import { age, Progress, table } from "../src/output.ts";
import { kubeless as program } from "../src/program.ts";
import { consumersOf } from "../src/run.ts";
import { kubeless } from "./shell.ts";

const NO_CLUSTER = fileURLToPath(new URL("./no-such-kubeconfig", import.meta.url));
const shell = () => ({ env: {}, stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() });

function fn(status?: Status): KubelessFunction {
	return {
		apiVersion: "kubeless.io/v1beta1",
		kind: "Function",
		metadata: { name: "hello", namespace: "ns", uid: "1", generation: 2, labels: { a: "b" } },
		spec: { handler: "hello.handler", runtime: "nodejs24", deps: '{"dependencies":{"a":"1","b":"^2"}}' },
		...(status && { status }),
	};
}

const status = (configured: string, built: string, ready: string, message = "Because."): Status => ({
	observedGeneration: 2,
	replicas: 1,
	readyReplicas: ready.startsWith("True") ? 1 : 0,
	conditions: Object.entries({ Configured: configured, Built: built, Ready: ready }).map(([type, text]) => {
		const [value = "", reason = ""] = text.split(" ");
		return { type, status: value as "True", reason, message };
	}),
});

describe("the command line", () => {
	const cases: [string, string[], RegExp][] = [
		["an unknown command", ["functoin"], /^Unknown command 'functoin'\. Did you mean function\? See kubeless --help\.$/],
		["an unknown option", ["function", "deploy", "x", "--foo"], /^Unknown option '--foo'\. See kubeless function deploy --help\.$/m],
		["a missing name", ["function", "delete"], /^Missing required argument 'names'\. See kubeless function delete --help\.$/m],
		[
			"a wrong choice",
			["trigger", "kafka", "create", "x", "--start", "soon"],
			/Allowed choices are latest, earliest\. See kubeless trigger kafka create --help\.$/m,
		],
		[
			"a file that does not exist",
			["function", "deploy", "x", "-f", "/no/such.py", "--dry-run"],
			/^The file \/no\/such\.py does not exist\. Give the path of a file with --from-file\.$/m,
		],
		["brokers without a topic", ["run", "x.js", "--kafka", "localhost:9092"], /^--kafka localhost:9092 is not BROKERS\/TOPIC\./m],
	];
	for (const [what, args, message] of cases) {
		test(`${what} ends with exit code 2 and one sentence`, async () => {
			const { code, stdout, stderr } = await kubeless(args);
			assert.match(stderr.trim(), message);
			assert.deepEqual([code, stdout], [2, ""]);
		});
	}

	test("a group without a command prints its help and ends with exit code 2", async () => {
		const { code, stderr } = await kubeless(["function"]);
		assert.equal(code, 2);
		assert.match(stderr, /deploy \[options\] <name>/);
	});

	test("a kubeconfig that does not exist is one sentence", async () => {
		const { code, stderr } = await kubeless(["function", "ls", "--kubeconfig", NO_CLUSTER]);
		assert.deepEqual([code, stderr], [1, `The kubeconfig ${NO_CLUSTER} does not exist. Give another --kubeconfig.\n`]);
	});

	test("a cluster that cannot be reached is one sentence", async (t) => {
		const folder = mkdtempSync(join(tmpdir(), "kubeless-config-"));
		t.after(() => rmSync(folder, { recursive: true, force: true }));
		const file = join(folder, "config");
		const clusters = [{ name: "a", cluster: { server: "https://127.0.0.1:9", "insecure-skip-tls-verify": true } }];
		const contexts = [{ name: "a", context: { cluster: "a", user: "a" } }];
		writeFileSync(file, JSON.stringify({ clusters, contexts, users: [{ name: "a", user: {} }], "current-context": "a" }));
		const away = await kubeless(["function", "ls", "--kubeconfig", file]);
		assert.deepEqual(
			[away.code, away.stderr],
			[
				1,
				"The API server https://127.0.0.1:9 cannot be reached: the connection was refused. Start the cluster, or choose another one with --context.\n",
			],
		);
		const unknown = await kubeless(["function", "ls", "--kubeconfig", file, "--context", "b"]);
		assert.deepEqual([unknown.code, unknown.stderr], [1, 'The kubeconfig has no context "b". See kubectl config get-contexts.\n']);
	});

	test("topic names its replacement", async () => {
		const { code, stderr } = await kubeless(["topic", "create", "x", "--kafka-namespace", "y"]);
		assert.equal(code, 1);
		assert.match(stderr, /kafka-topics\.sh/);
	});

	test("completion has the sub-commands, and the options of a command", async () => {
		const made = program(shell(), "0.0.0");
		assert.deepEqual(candidates(made, ["trigger", "kafka"]), ["create", "update", "delete", "list", "help"]);
		assert.ok(candidates(made, ["function", "call", "x"]).includes("--data"));
		assert.match((await kubeless(["completion", "bash"])).stdout, /complete .* kubeless$/m);
	});

	test("the README has every command and every option", () => {
		const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
		const missing = every(program(shell(), "0.0.0")).filter((words) => !readme.includes(words));
		assert.deepEqual(missing, []);
	});
});

/** Returns the command lines of all commands, and the long options of all of them. */
function every(command: Command, path = "kubeless"): string[] {
	const help = command.createHelp();
	const children = help.visibleCommands(command).filter((child) => child.name() !== "help");
	const options = help.visibleOptions(command).flatMap(({ long }) => (long && long !== "--help" ? [long] : []));
	return [...(children.length === 0 ? [path] : []), ...options, ...children.flatMap((child) => every(child, `${path} ${child.name()}`))];
}

describe("an error of the cluster is one sentence", () => {
	const cases: [string, unknown, RegExp][] = [
		["refused credentials", new ApiError(401, "Unauthorized", "Unauthorized"), /Log in again/],
		[
			"a missing right",
			new ApiError(403, "Forbidden", 'functions is forbidden: User "a" cannot list'),
			/^You have no right to do this: .* Ask for a role/,
		],
		[
			"a cluster without Kubeless",
			new ApiError(404, "NotFound", "404 page not found"),
			/^Kubeless is not installed in this cluster\. Install it with: kubeless install$/,
		],
		["a refused object", new ApiError(422, "Invalid", "spec.handler is wrong"), /^The API server refuses this: spec\.handler is wrong$/],
		[
			"a refused connection",
			Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
			/^The API server https:\/\/a cannot be reached: the connection was refused\./,
		],
		[
			"a failure of every address",
			new AggregateError([Object.assign(new Error("x"), { code: "ECONNREFUSED" })]),
			/the connection was refused/,
		],
		["an unknown host", { cause: { code: "ENOTFOUND" }, message: "" }, /its name is unknown/],
		["a certificate", Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), /its certificate is not trusted/],
	];
	for (const [what, error, message] of cases) test(what, () => assert.match(sentenceOf(error, "https://a"), message));
});

describe("the state of a function", () => {
	const cases: [string, Status | undefined, string, string][] = [
		["no controller", undefined, "waiting", "MISSING: the controller has not looked at it"],
		["ready", status("True Configured", "True Built", "True Ready"), "ready", "1/1 READY"],
		["an older generation", { ...status("True Configured", "True Built", "True Ready"), observedGeneration: 1 }, "waiting", "1/1 READY"],
		[
			"a mistake in the spec",
			status("False UnknownRuntime", "Unknown NotConfigured", "False NotConfigured"),
			"failed",
			"0/1 NOT READY: UnknownRuntime",
		],
		[
			"an API server that is away",
			status("False ApiUnreachable", "Unknown NotConfigured", "False NotConfigured"),
			"waiting",
			"0/1 NOT READY: ApiUnreachable",
		],
		[
			"a failed installation",
			status("True Configured", "False InstallFailed", "False InstallFailed"),
			"failed",
			"0/1 NOT READY: InstallFailed",
		],
		[
			"an image that is pulled again",
			status("True Configured", "False ErrImagePull", "False ErrImagePull"),
			"waiting",
			"0/1 NOT READY: ErrImagePull",
		],
		["a crash loop", status("True Configured", "True Built", "False CrashLoopBackOff"), "failed", "0/1 NOT READY: CrashLoopBackOff"],
		[
			"a missing right to make pods",
			status("True Configured", "Unknown Building", "False FailedCreate"),
			"failed",
			"0/1 NOT READY: FailedCreate",
		],
		["a start", status("True Configured", "True Built", "False Starting"), "waiting", "0/1 NOT READY: Starting"],
		["zero replicas", status("True Configured", "True Built", "False ScaledToZero"), "ready", "0/1 NOT READY: ScaledToZero"],
	];
	for (const [what, given, is, text] of cases) {
		test(what, () => assert.deepEqual([stateOf(fn(given)).is, statusText(fn(given))], [is, text]));
	}
});

test("the state of a function is a step that runs, or what is wrong with its pods", () => {
	const text = (ready: string) => stateOf(fn(status("True Configured", "Unknown Building", ready))).text;
	assert.equal(text("False Starting"), "Building: Because.");
	assert.equal(text("False Unschedulable"), "Unschedulable: Because.");
});

describe("what is printed", () => {
	test("a table has aligned columns, all lines of a cell, and more columns with wide", () => {
		const columns = [
			{ title: "NAME", of: (text: string) => text },
			{ title: "LENGTH", of: (text: string) => text.length },
			{ title: "MORE", of: () => "x", wide: true },
		];
		assert.equal(table(columns, ["hello", "a\nb"]), "NAME    LENGTH\nhello   5\na       3\nb");
		assert.equal(table(columns, ["a"], true), "NAME   LENGTH   MORE\na      1        x");
	});

	test("the dependencies of a package.json are lines, others are their text", () => {
		assert.equal(dependencies('{"dependencies":{"a":"1","b":"^2"}}'), "a: 1\nb: ^2");
		assert.equal(dependencies("requests\nflask\n"), "requests\nflask");
		assert.equal(dependencies(), "");
	});

	test("a description has the conditions with their reasons", () => {
		const text = description(fn(status("True Configured", "True Built", "False Starting", "No pod is ready yet.")));
		assert.match(text, /^Handler: {7}hello\.handler$/m);
		assert.match(text, /^Dependencies: {2}a: 1\n {15}b: \^2$/m);
		assert.match(text, /^Ready: {9}False, Starting: No pod is ready yet\.$/m);
	});

	test("an age has one unit", () => {
		const now = Date.parse("2026-01-10T00:00:00Z");
		assert.deepEqual(
			["2026-01-09T23:59:00Z", "2026-01-09T23:00:00Z", "2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", undefined].map((time) =>
				age(time, now),
			),
			["60s", "60m", "24h", "9d", ""],
		);
	});

	test("progress is one line on a terminal, and a line for each change elsewhere", () => {
		for (const [isTTY, expected] of [
			[true, "\r\u001b[Ka\r\u001b[Kb\r\u001b[K"],
			[false, "a\nb\n"],
		] as const) {
			const stderr = Object.assign(new PassThrough(), { isTTY, columns: 80 });
			const progress = new Progress({ ...shell(), stderr });
			for (const text of ["a", "a", "b"]) progress.show(text);
			progress.end();
			assert.equal(String(stderr.read()), expected);
		}
	});
});

test("a call is a GET without data, a POST with data, and JSON only for a JSON object", () => {
	assert.equal(callRequest(undefined).method, "GET");
	assert.equal(callRequest("x").method, "POST");
	assert.equal(callRequest("x", "PUT").method, "PUT");
	const type = (data: string) => [callRequest(data).headers?.["content-type"], callRequest(data).headers?.["event-type"]];
	assert.deepEqual(type('{"a":1}'), ["application/json", "application/json"]);
	for (const data of ["[1]", "null", "1", "a=b"]) assert.deepEqual(type(data), Array(2).fill("application/x-www-form-urlencoded"), data);
});

test("the path of a call stays below the function's, with its characters escaped", () => {
	assert.equal(escaped("/"), "");
	assert.equal(escaped("//x/a b?c=ä d"), "x/a%20b?c=%C3%A4%20d");
	assert.equal(escaped("a/../../../../secrets"), "secrets");
});

test("top adds the metrics of all pods, by method", () => {
	const pod = (calls: number) =>
		`# HELP x\nfunction_calls_total{method="GET"} ${calls}\nfunction_failures_total{method="GET"} 1\nfunction_duration_seconds_bucket{le="1",method="GET"} 9\nfunction_duration_seconds_sum{method="GET"} 3\nfunction_duration_seconds_count{method="GET"} ${calls}\nfunction_calls_total{method="POST"} 1`;
	assert.deepEqual(callStatistics(`${pod(2)}\n${pod(4)}`), [
		{ method: "GET", total_calls: 6, total_failures: 2, total_duration_seconds: 6, avg_duration_seconds: 1 },
		{ method: "POST", total_calls: 2, total_failures: 0, total_duration_seconds: 0, avg_duration_seconds: 0 },
	]);
});

test("logs are of a ready pod, or of the step that has failed", () => {
	const pod = (name: string, initContainerStatuses: object[], ready: boolean): KubeObject => ({
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z", labels: { "pod-template-hash": "1" } },
		status: { initContainerStatuses, containerStatuses: [{ name: "hello", ready, state: ready ? { running: {} } : { waiting: {} } }] },
	});
	const good = { name: "prepare", state: { terminated: { exitCode: 0 } } };
	const bad = { name: "install", state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 2 };
	assert.deepEqual(logPlace("hello", [pod("a", [good, bad], false), pod("b", [good], true)]), {
		pod: "b",
		container: "hello",
		step: false,
	});
	assert.deepEqual(logPlace("hello", [pod("a", [good, bad], false)]), { pod: "a", container: "install", step: true });
	assert.throws(() => logPlace("hello", []), /Function "hello" has no pod\./);
});

test("an installation in another namespace names it everywhere", () => {
	const text = JSON.stringify(installObjects("mine", "r.example/k"));
	assert.equal(text.includes('"namespace":"kubeless"'), false);
	assert.match(text, /"kind":"Namespace","metadata":\{"name":"mine"/);
	assert.match(text, /"image":"r\.example\/k\/controller:v/);
	assert.equal(installObjects("kubeless")[0]?.kind, "Namespace");
});

test("run --kafka and --nats make consumers of the local function", () => {
	const [kafka, nats] = consumersOf("dir/hello.js", { kafka: "a:9092,b:9092/orders", nats: "nats://h:4222/x.>" }, 9000);
	assert.deepEqual([kafka?.env["KAFKA_BROKERS"], kafka?.env["TRIGGER_TOPIC"]], ["a:9092,b:9092", "orders"]);
	assert.deepEqual(JSON.parse(kafka?.env["TRIGGER_TARGETS"] ?? ""), [
		{ function: "hello", url: "http://localhost:9000", group: "local_hello_orders", timeout: 180 },
	]);
	assert.throws(() => consumersOf("hello.js", { nats: "nats://h:4222/x" }, 0), /Give --port 8080\.$/);
	assert.deepEqual([nats?.env["NATS_URL"], nats?.env["TRIGGER_TOPIC"]], ["nats://h:4222", "x.>"]);
});

test("a function behind a URL is read for its checksum", async (t) => {
	const server = createServer((request, response) => {
		response.statusCode = request.url === "/hello.js" ? 200 : 404;
		response.end("exports.handler = 1");
	}).listen(0, "127.0.0.1");
	t.after(() => server.close());
	await new Promise((resolve) => server.once("listening", resolve));
	const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
	const good = await kubeless(["function", "deploy", "hello", "-f", `${url}/hello.js`, "--dry-run", "-o", "json"]);
	assert.equal(good.code, 0, good.stderr);
	const { spec } = JSON.parse(good.stdout);
	assert.deepEqual([spec.function, spec["function-content-type"], spec.handler], [`${url}/hello.js`, "url", "hello.handler"]);
	assert.match(spec.checksum, /^sha256:[0-9a-f]{64}$/);
	const bad = await kubeless(["function", "deploy", "hello", "-f", `${url}/nope.js`, "--dry-run"]);
	assert.deepEqual([bad.code, bad.stderr], [1, `${url}/nope.js cannot be read: its server answers 404. Check the URL of --from-file.\n`]);
});

test("requests to the API server have the command's own user agent", async (t) => {
	const agents = new Set<string | undefined>();
	const server = createServer((request, response) => {
		agents.add(request.headers["user-agent"]);
		response.setHeader("content-type", "application/json");
		response.end(JSON.stringify({ items: [] }));
	}).listen(0, "127.0.0.1");
	t.after(() => server.close());
	await new Promise((resolve) => server.once("listening", resolve));
	const folder = mkdtempSync(join(tmpdir(), "kubeless-agent-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
	const kubeconfig = join(folder, "config");
	writeFileSync(
		kubeconfig,
		JSON.stringify({
			"current-context": "c",
			clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
			users: [{ name: "c", user: {} }],
			contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
		}),
	);
	const { code, stderr } = await kubeless(["function", "list", "--kubeconfig", kubeconfig]);
	assert.equal(code, 0, stderr);
	assert.deepEqual([...agents], ["kubeless-cli"]);
});
