import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { parseConfig } from "../../kubeless-controller/src/api/config.ts";
import type { FunctionSpec, KubelessFunction } from "../../kubeless-controller/src/api/types.ts";
import { metricOf, scaled } from "../src/autoscale.ts";
import { UsageError } from "../src/errors.ts";
import { chosen } from "../src/function/history.ts";
import { applyFlags, emptyFunction, type FunctionFlags, type Given } from "../src/function/object.ts";
import { type Source, sourceOf } from "../src/source.ts";
import { cronJobTrigger, httpTrigger, messageTrigger } from "../src/trigger/objects.ts";
import { scheduleFault } from "../src/trigger/schedule.ts";
import { assertFunctionName, assertName, pairs } from "../src/values.ts";

const { runtimes } = parseConfig();
const given = (source?: Source, deps?: string): Given => ({
	runtimes,
	listed: true,
	...(source && { source }),
	...(deps !== undefined && { deps }),
});
const hello = sourceOf("dir/hello.js", Buffer.from("exports.handler = () => 1"));
const CHECKSUM = "sha256:48f90d598df773b2354975a2379b46a03b0fb47efcf2277c9afbdbcb786934b8";
const deploy = (flags: FunctionFlags, what: Given = given(hello)): FunctionSpec =>
	applyFlags(emptyFunction("hello", "default"), flags, what).spec;
const update = (spec: FunctionSpec, flags: FunctionFlags, what: Given = given()): FunctionSpec =>
	applyFlags({ ...emptyFunction("hello", "default"), spec }, flags, what).spec;
const identity = { name: "x", namespace: "default" };

describe("flags become a Function", () => {
	test("a file alone gives runtime, handler, content type and checksum", () => {
		assert.deepEqual(applyFlags(emptyFunction("hello", "ns"), {}, given(hello)), {
			apiVersion: "kubeless.io/v1beta1",
			kind: "Function",
			metadata: { name: "hello", namespace: "ns", labels: { "created-by": "kubeless", function: "hello" } },
			spec: {
				runtime: "nodejs26",
				handler: "hello.handler",
				function: "exports.handler = () => 1",
				"function-content-type": "text",
				checksum: CHECKSUM,
			},
		});
	});

	test("every flag has its place in the object", () => {
		const flags: FunctionFlags = {
			runtime: "nodejs24",
			handler: "hello.other",
			env: ["A=1,B=2", "C=a,b"],
			label: ["team=x"],
			secrets: ["key"],
			nodeSelectors: ["disk=ssd"],
			serviceAccount: "robot",
			memory: "128Mi",
			cpu: "500m",
			runtimeImage: "me/mine:1",
			imagePullPolicy: "Always",
			timeout: "10",
			port: "9000",
			servicePort: "80",
			headless: true,
		};
		const { metadata, spec } = applyFlags(emptyFunction("hello", "ns"), flags, given(hello, "{}"));
		assert.deepEqual(metadata.labels, { "created-by": "kubeless", function: "hello", team: "x" });
		assert.deepEqual(spec, {
			runtime: "nodejs24",
			handler: "hello.other",
			function: "exports.handler = () => 1",
			"function-content-type": "text",
			checksum: CHECKSUM,
			deps: "{}",
			timeout: "10",
			service: { clusterIP: "None", ports: [{ name: "http-function-port", protocol: "TCP", port: 80, targetPort: 9000 }] },
			deployment: {
				spec: {
					template: {
						spec: {
							serviceAccountName: "robot",
							nodeSelector: { disk: "ssd" },
							volumes: [{ name: "key-vol", secret: { secretName: "key" } }],
							containers: [
								{
									image: "me/mine:1",
									imagePullPolicy: "Always",
									env: [
										{ name: "A", value: "1" },
										{ name: "B", value: "2" },
										{ name: "C", value: "a,b" },
									],
									resources: { limits: { memory: "128Mi", cpu: "500m" }, requests: { memory: "128Mi", cpu: "500m" } },
									volumeMounts: [{ name: "key-vol", mountPath: "/key" }],
								},
							],
						},
					},
				},
			},
		});
	});

	test("the content type follows from the file", () => {
		const type = (place: string, bytes = Buffer.from("x")) => sourceOf(place, bytes).contentType;
		assert.equal(type("a.py"), "text");
		assert.equal(type("a.zip"), "base64+zip");
		assert.equal(type("a.tar.gz"), "base64+compressedtar");
		assert.equal(type("a.tgz"), "base64+compressedtar");
		assert.equal(type("a.tar.bz2"), "base64+compressedtar");
		assert.equal(type("a.tar.xz"), "base64+compressedtar");
		assert.equal(type("a.jar", Buffer.from([0xff, 0xfe, 0])), "base64");
		assert.equal(type("https://example.com/a.py?x=1"), "url");
		assert.equal(type("https://example.com/a.zip"), "url+zip");
		assert.equal(type("-"), "text");
		assert.equal(sourceOf("https://example.com/a.py", Buffer.from("x")).function, "https://example.com/a.py");
	});

	test("an archive that has the file of dependencies gets +deps, unless dependencies are given", () => {
		const archive = sourceOf("a.tar.gz", gzipSync("…requirements.txt…"));
		const flags = { runtime: "python3.13", handler: "a.handler" };
		assert.equal(deploy(flags, given(archive))["function-content-type"], "base64+compressedtar+deps");
		assert.equal(deploy(flags, given(archive, "x"))["function-content-type"], "base64+compressedtar");
		assert.equal(deploy(flags, given(sourceOf("a.zip", Buffer.from("PK…main.py"))))["function-content-type"], "base64+zip");
	});
});

describe("an update", () => {
	const before: FunctionSpec = {
		runtime: "python3.13",
		handler: "a.b",
		function: "x",
		timeout: "7",
		service: { ports: [{ name: "web", port: 80, targetPort: 9000 }] },
		deployment: {
			spec: {
				replicas: 2,
				template: {
					spec: {
						containers: [
							{
								env: [
									{ name: "A", value: "1" },
									{ name: "B", valueFrom: { secretKeyRef: {} } },
								],
								image: "me/mine:1",
							},
							{ name: "sidecar" },
						],
					},
				},
			},
		},
	};

	test("keeps everything that no flag names", () => {
		assert.deepEqual(update(before, {}), before);
		assert.deepEqual(update(before, { timeout: "8" }), { ...before, timeout: "8" });
	});

	test("merges variables: it sets, keeps and removes them", () => {
		const pod = update(before, { env: ["C=3", "A-"] }).deployment?.spec?.template?.spec;
		assert.deepEqual(pod?.containers, [
			{
				env: [
					{ name: "B", valueFrom: { secretKeyRef: {} } },
					{ name: "C", value: "3" },
				],
				image: "me/mine:1",
			},
			{ name: "sidecar" },
		]);
	});

	test("changes the function's port and keeps the Service's own", () => {
		assert.deepEqual(update(before, { port: "9001" }).service?.ports, [{ name: "web", protocol: "TCP", port: 80, targetPort: 9001 }]);
		const { service: _, ...plain } = before;
		assert.deepEqual(update(plain, { port: "9001" }).service?.ports?.[0]?.port, 9001);
	});

	test("takes an object of Kubeless 1.0 with nulls in it", () => {
		const old = { ...before, deployment: { spec: { strategy: {}, template: { spec: { containers: null } } } } } as unknown as FunctionSpec;
		const changed = update(old, { env: ["A=1"], memory: "1Gi", runtimeImage: "me/mine:2" });
		assert.equal(changed.deployment?.spec?.template?.spec?.containers?.[0]?.image, "me/mine:2");
	});

	test("a Secret is mounted once, and NAME- unmounts it", () => {
		const once = update(update(before, { secrets: ["key"] }), { secrets: ["key"] });
		assert.equal(once.deployment?.spec?.template?.spec?.volumes?.length, 1);
		const none = update(once, { secrets: ["key-"] }).deployment?.spec?.template?.spec;
		assert.deepEqual([none?.volumes, none?.containers?.[0]?.volumeMounts], [[], []]);
	});
});

describe("a mistake in a flag is one sentence with the cure", () => {
	const cases: [string, FunctionFlags, Given, RegExp][] = [
		[
			"no runtime",
			{ handler: "a.b" },
			given(sourceOf("a.txt", Buffer.from("x"))),
			/^The runtime is missing\. Give --runtime, one of: .*python3\.13/,
		],
		["an unknown runtime", { runtime: "cobol1" }, given(hello), /^Invalid runtime: cobol1\. Supported runtimes are: ballerina/],
		[
			"a handler without a dot",
			{ handler: "other" },
			given(hello),
			/^The handler "other" has no dot\. Give FILE\.FUNCTION: --handler hello\.other$/,
		],
		["a handler with two dots", { handler: "a.b.c" }, given(hello), /^handler "a\.b\.c" must be FILE\.FUNCTION/],
		["no handler", {}, given(sourceOf("a.js", Buffer.from("x"))), /^The handler is missing\. Give --handler a\.FUNCTION/],
		["no file", { runtime: "nodejs24", handler: "a.b" }, given(), /^The function's file is missing\. Give --from-file/],
		["a variable without a value", { env: ["A"] }, given(hello), /^--env A is not a pair\. Write --env NAME=VALUE/],
		["memory that is no quantity", { memory: "much" }, given(hello), /^--memory much is not a quantity\. Give one such as 128Mi/],
		["a port that is too large", { port: "70000" }, given(hello), /^--port 70000 is not a port\. Give a number from 1 to 65535\.$/],
		["a timeout that is no number", { timeout: "5s" }, given(hello), /^--timeout 5s is not a number of seconds\. Give one such as 180\.$/],
		["an unknown pull policy", { runtimeImage: "x", imagePullPolicy: "Sometimes" }, given(hello), /Give Always, IfNotPresent or Never/],
	];
	for (const [what, flags, known, message] of cases) {
		test(what, () =>
			assert.throws(
				() => deploy(flags, known),
				(error) => error instanceof UsageError && message.test(error.message),
			),
		);
	}

	test("a runtime is not judged if the cluster's list cannot be read", () => {
		assert.equal(deploy({ runtime: "cobol1" }, { ...given(hello), listed: false }).runtime, "cobol1");
	});
});

test("a pair is NAME=VALUE, NAME:VALUE or NAME-, and a value may have all of these characters", () => {
	assert.deepEqual(pairs(["A=1,B:2,C-", "D=x,y", "E=a=b:c", "F=", "G=a-"], "--env"), [
		["A", "1"],
		["B", "2"],
		["C", undefined],
		["D", "x,y"],
		["E", "a=b:c"],
		["F", ""],
		["G", "a-"],
	]);
});

describe("flags become triggers", () => {
	test("an HTTPTrigger, and one kind of certificate takes the place of the other", () => {
		const made = httpTrigger(identity, {
			functionName: "f",
			path: "/a",
			hostname: "h",
			gateway: "nginx",
			tlsSecret: "s",
			corsEnable: true,
		});
		assert.deepEqual(made, {
			apiVersion: "kubeless.io/v1beta1",
			kind: "HTTPTrigger",
			metadata: { ...identity, labels: { "created-by": "kubeless" } },
			spec: { "function-name": "f", path: "a", "host-name": "h", gateway: "nginx", "tls-secret": "s", "cors-enable": true },
		});
		const { spec } = httpTrigger(identity, { enableTLSAcme: true }, made.spec);
		assert.deepEqual(spec, { "function-name": "f", path: "a", "host-name": "h", gateway: "nginx", tls: true, "cors-enable": true });
		assert.throws(() => httpTrigger(identity, {}), /--function-name is missing\. Give --function-name NAME\./);
	});

	test("a CronJobTrigger, with any JSON value as the payload, or none", () => {
		const made = cronJobTrigger(identity, { function: "f", schedule: "*/5 * * * *", payload: "[1]" });
		assert.deepEqual(made.spec, { "function-name": "f", schedule: "*/5 * * * *", payload: [1] });
		assert.deepEqual(cronJobTrigger(identity, { schedule: "@hourly" }, made.spec).spec, { ...made.spec, schedule: "@hourly" });
		assert.equal("payload" in cronJobTrigger(identity, { function: "f", schedule: "@daily" }).spec, false);
		assert.throws(() => cronJobTrigger(identity, { function: "f", schedule: "5 *" }), /--schedule "5 \*" is not a schedule\. Give MINUTE/);
		assert.throws(
			() => cronJobTrigger(identity, { function: "f", schedule: "@daily", payload: "{a}" }),
			/The payload is not JSON: \{a\}\./,
		);
	});

	test("a KafkaTrigger with its delivery", () => {
		const made = messageTrigger("KafkaTrigger", identity, {
			triggerTopic: "t",
			functionSelector: "a=b,c=d",
			servers: "k:9092",
			delivery: "at-least-once",
			maxAttempts: "3",
			concurrency: "2",
		});
		assert.deepEqual(made.spec, {
			topic: "t",
			functionSelector: { matchLabels: { a: "b", c: "d" } },
			servers: "k:9092",
			delivery: { mode: "at-least-once", maxAttempts: 3, concurrency: 2 },
		});
		const changed = messageTrigger("KafkaTrigger", identity, { deadLetter: "dead", replicas: "0" }, made.spec).spec;
		assert.deepEqual(changed, { ...made.spec, replicas: 0, delivery: { ...made.spec.delivery, deadLetter: "dead" } });
		assert.throws(() => messageTrigger("NATSTrigger", identity, { functionSelector: "a=b" }), /--trigger-topic is missing/);
		assert.throws(
			() => messageTrigger("NATSTrigger", identity, { triggerTopic: "t" }),
			/--function-selector is missing\. Give labels of the functions, such as --function-selector function=hello\./,
		);
	});
});

describe("an autoscaler", () => {
	const flags = { min: "1", max: "3", value: "70" } as const;
	test("by CPU, in the form of autoscaling/v2", () => {
		const metrics = [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } }];
		assert.deepEqual(scaled("f", {}, { ...flags, metric: "cpu" }), {
			horizontalPodAutoscaler: { spec: { minReplicas: 1, maxReplicas: 3, metrics } },
		});
		assert.deepEqual(metricOf({ metrics }), ["cpu", "70"]);
	});

	test("by calls, with the monitor that its metric needs", () => {
		const spec = scaled("f", {}, { ...flags, metric: "qps" });
		assert.equal(spec.monitor, "service");
		assert.deepEqual(metricOf((spec.horizontalPodAutoscaler as { spec: object }).spec), ["qps", "70"]);
	});

	test("of Kubeless 1.0 is listed, too", () => {
		assert.deepEqual(metricOf({ metrics: [{ type: "Resource", resource: { name: "cpu", targetAverageUtilization: 60 } }] }), ["cpu", "60"]);
	});

	test("cannot have fewer pods at most than at least", () => {
		assert.throws(() => scaled("f", {}, { ...flags, min: "4", metric: "cpu" }), /--max 3 is less than --min 4\./);
	});
});

describe("a rollback", () => {
	const revision = (number: number, spec: FunctionSpec) => ({
		apiVersion: "apps/v1",
		kind: "ControllerRevision",
		metadata: { name: String(number) },
		revision: number,
		data: { spec },
	});
	const fn = { metadata: { name: "f" }, spec: { function: "b", suspend: false } } as unknown as KubelessFunction;

	test("goes to the version before the current one, or to the one that is named", () => {
		const known = [revision(3, { function: "b" }), revision(2, { function: "a" }), revision(1, { function: "0" })];
		assert.equal(chosen(fn, known).revision, 2);
		assert.equal(chosen(fn, known, "1").revision, 1);
		assert.throws(() => chosen(fn, known, "9"), /Function "f" has no revision 9\. Give --to-revision one of: 3, 2, 1\./);
		assert.throws(() => chosen(fn, known.slice(0, 1)), /Function "f" has no earlier version/);
	});
});

describe("a cron schedule", () => {
	for (const good of ["* * * * *", "*/5 0-23/2 1,15 jan-MAR sun", "0 0 ? 12 6", "5/15 * * * *", "@hourly", "@every 1h30m"])
		test(`"${good}" is accepted`, () => assert.equal(scheduleFault(good), undefined));
	const bad: [string, string][] = [
		["* * * *", "is not a schedule"],
		["@fortnightly", "is not a schedule"],
		["60 * * * *", 'is not a schedule: MINUTE is "60", and it goes from 0 to 59'],
		["0 0 0 * *", 'is not a schedule: DAY is "0", and it goes from 1 to 31'],
		["0 0 * 13 *", 'is not a schedule: MONTH is "13", and it goes from 1 to 12'],
		["0 0 * * 7", 'is not a schedule: WEEKDAY is "7", and it goes from 0 to 6'],
		["0 5-3 * * *", 'is not a schedule: HOUR is "5-3", and it goes from 0 to 23'],
		["*/0 * * * *", 'is not a schedule: MINUTE is "*/0", and it goes from 0 to 59'],
		["1,, * * * *", 'is not a schedule: MINUTE is "", and it goes from 0 to 59'],
	];
	for (const [schedule, fault] of bad) test(`"${schedule}" is refused`, () => assert.equal(scheduleFault(schedule), fault));
});

test("a name in a request's path is one name", () => {
	for (const name of ["", ".", "..", "a/b", "a?b", "a%2fb", "A", "-a", "a".repeat(254)])
		assert.throws(() => assertName("Function", name), UsageError, name);
	assert.doesNotThrow(() => assertName("HTTPTrigger", "a.example.com"));
	assert.throws(() => assertName("Namespace", "a.b"), UsageError);
	for (const name of ["1a", "a.b", "a".repeat(64)]) assert.throws(() => assertFunctionName(name), UsageError, name);
	assert.doesNotThrow(() => assertFunctionName("a".repeat(63)));
});
