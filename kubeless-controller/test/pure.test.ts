import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { outdated } from "../generate.ts";
import { metricV2 } from "../src/api/autoscaling.ts";
import { parseConfig } from "../src/api/config.ts";
import { contentOf, splitHandler, targetPort } from "../src/api/function.ts";
import { shortName, withoutNulls } from "../src/api/names.ts";
import { revisionSpec, rolledBack } from "../src/api/revisions.ts";
import { parseRuntimes, withImages } from "../src/api/runtimes.ts";
import type { FunctionSpec, KafkaTrigger, KubelessFunction } from "../src/api/types.ts";
import { mergeDeployments } from "../src/function/merge.ts";
import { configMapData, prepareCommand } from "../src/function/steps.ts";
import { readSettings } from "../src/settings.ts";
import { nextStatus } from "../src/status.ts";
import { matcher } from "../src/trigger/consumer.ts";
import { triggerEnvironment } from "../src/trigger/environment.ts";
import type { World } from "../src/trigger/world.ts";

const DIGEST = "a".repeat(64);
const python = { depName: "requirements.txt", suffix: ".py" };
const node = { depName: "package.json", suffix: ".js" };

describe("the prepare step", () => {
	const cases: [string, FunctionSpec, typeof python, string][] = [
		[
			"a text with a checksum",
			{ handler: "helloget.foo", function: "x", checksum: `sha256:${DIGEST}`, "function-content-type": "text" },
			python,
			`echo '${DIGEST}  /src/helloget.py' > /tmp/func.sha256 && sha256sum -c /tmp/func.sha256 && cp /src/helloget.py /kubeless/helloget.py && cp /src/requirements.txt /kubeless`,
		],
		[
			"a zip in base64",
			{ handler: "index.foo", function: "x", checksum: `sha256:${DIGEST}`, "function-content-type": "base64+zip" },
			node,
			`base64 -d < /src/index > /tmp/func.decoded && echo '${DIGEST}  /tmp/func.decoded' > /tmp/func.sha256 && sha256sum -c /tmp/func.sha256 && unzip -o /tmp/func.decoded -d /kubeless && cp /src/package.json /kubeless`,
		],
		[
			"a tar at a URL, with its dependencies",
			{ handler: "index.foo", function: "https://example.com/f.tar.gz", "function-content-type": "url+compressedtar+deps" },
			node,
			"curl 'https://example.com/f.tar.gz' -L --silent --output /tmp/func.fromurl && tar xf /tmp/func.fromurl -C /kubeless",
		],
		[
			"a URL with a quote, which stays one word of the shell",
			{ handler: "index.foo", function: "https://example.com/'$(id)'", "function-content-type": "url" },
			{ depName: "", suffix: ".sh" },
			"curl 'https://example.com/'\\''$(id)'\\''' -L --silent --output /tmp/func.fromurl && cp /tmp/func.fromurl /kubeless/index.sh",
		],
	];
	for (const [what, spec, runtime, command] of cases) test(`unpacks ${what}`, () => assert.equal(prepareCommand(spec, runtime), command));

	test("finds an empty file of dependencies in /src, and the function even if its module is called handler", () => {
		assert.deepEqual(configMapData({ handler: "hello.foo", function: "x" }, python), {
			handler: "hello.foo",
			"hello.py": "x",
			"requirements.txt": "",
		});
		assert.deepEqual(
			configMapData({ handler: "handler.foo", function: "eA==", "function-content-type": "base64+zip" }, { depName: "", suffix: ".js" }),
			{ handler: "eA==" },
		);
	});
});

test("a handler, a content type and a port are read as Kubeless 1.0 reads them", () => {
	assert.deepEqual(splitHandler("a.b"), { module: "a", name: "b" });
	for (const wrong of ["", "a", "a.b.c", ".b", "a.", "a/b.c"]) assert.throws(() => splitHandler(wrong), /must be FILE\.FUNCTION/, wrong);
	assert.deepEqual(contentOf(""), { source: "text", archive: "none", bundlesDeps: false });
	assert.deepEqual(contentOf("url+zip+deps"), { source: "url", archive: "zip", bundlesDeps: true });
	for (const wrong of ["zip", "text,zip", "base64+rar"]) assert.throws(() => contentOf(wrong), /is unknown/);
	assert.equal(targetPort({ service: { ports: [{ port: 80, targetPort: 9000 }] } }), 9000);
	assert.equal(targetPort({ service: { ports: [{ port: 80, targetPort: "named" }] } }), 8080);
	assert.equal(targetPort({ service: { ports: [{ port: 81 }] } }), 81);
});

test("kubeless-config's Deployment lies below a function's: its values win, containers merge by position, lists join", () => {
	const own = { spec: { replicas: 2, template: { spec: { containers: [{ env: [{ name: "A", value: "own" }], image: "" }] } } } };
	const defaults = {
		metadata: { annotations: { a: "b" } },
		spec: {
			replicas: 1,
			template: {
				spec: {
					containers: [
						{
							image: "default",
							env: [
								{ name: "A", value: "x" },
								{ name: "B", value: "y" },
							],
							resources: { limits: { cpu: "1" } },
						},
						{ name: "second" },
					],
					tolerations: [{ key: "k" }],
				},
			},
		},
	};
	assert.deepEqual(mergeDeployments(own, defaults), {
		metadata: { annotations: { a: "b" } },
		spec: {
			replicas: 2,
			template: {
				spec: {
					containers: [
						{
							image: "default",
							env: [
								{ name: "A", value: "own" },
								{ name: "B", value: "y" },
							],
							resources: { limits: { cpu: "1" } },
						},
						{ name: "second" },
					],
					tolerations: [{ key: "k" }],
				},
			},
		},
	});
	const mounts = mergeDeployments(
		{ spec: { template: { spec: { containers: [{ volumeMounts: [{ name: "v", mountPath: "/a" }] }] } } } },
		{
			spec: {
				template: {
					spec: {
						containers: [
							{
								volumeMounts: [
									{ name: "v", mountPath: "/a" },
									{ name: "v", mountPath: "/b" },
								],
							},
						],
					},
				},
			},
		},
	);
	assert.deepEqual(mounts.spec?.template?.spec?.containers?.[0]?.volumeMounts, [
		{ name: "v", mountPath: "/a" },
		{ name: "v", mountPath: "/b" },
	]);
	assert.deepEqual(mergeDeployments({}, {}), {});
});

test("metrics of autoscaling/v2beta1 become those of autoscaling/v2, which pass unchanged", () => {
	const selector = { matchLabels: { a: "b" } };
	const cases: [object, object][] = [
		[
			{ type: "Resource", resource: { name: "memory", targetAverageValue: "1Gi" } },
			{ type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
		],
		[
			{ type: "Pods", pods: { metricName: "m", targetAverageValue: "1", selector } },
			{ type: "Pods", pods: { metric: { name: "m", selector }, target: { type: "AverageValue", averageValue: "1" } } },
		],
		[
			{ type: "External", external: { metricName: "m", metricSelector: selector, targetValue: "5" } },
			{ type: "External", external: { metric: { name: "m", selector }, target: { type: "Value", value: "5" } } },
		],
	];
	for (const [old, v2] of cases) {
		assert.deepEqual(metricV2(old as never), v2);
		assert.deepEqual(metricV2(v2 as never), v2);
	}
	const object = {
		type: "Object",
		object: { describedObject: { kind: "Service", name: "s" }, metric: { name: "m" }, target: { type: "Value", value: "1" } },
	};
	assert.deepEqual(metricV2(object), object);
	assert.deepEqual(metricV2({ type: "ContainerResource", containerResource: {} }), { type: "ContainerResource", containerResource: {} });
});

test("names stay within their limit and differ", () => {
	assert.equal(shortName("a", "deps"), "a-deps");
	const long = "x".repeat(63);
	const [one, two] = [shortName(long, "deps"), shortName(long, "other")];
	assert.ok(one.length <= 63 && two.length <= 63 && one !== two, `${one} ${two}`);
	assert.match(shortName(`${"y".repeat(50)}-${"z".repeat(10)}`, "", 52), /^y+-[0-9a-f]{8}$/);
});

test("nulls go in all depths, empty objects stay", () => {
	assert.deepEqual(withoutNulls({ a: null, b: { c: null, d: {} }, e: [null, { f: null }], g: 0, h: "" }), {
		b: { d: {} },
		e: [{}],
		g: 0,
		h: "",
	});
});

describe("kubeless-config", () => {
	test("has a list of runtimes built in, whose images answer /readyz", () => {
		const { runtimes, provisionImage } = parseConfig({ registry: "registry.example/k" });
		const found = runtimes.find(({ name }) => name === "nodejs24");
		assert.equal(found?.suffix, ".js");
		assert.deepEqual(found?.readinessProbe, { httpGet: { path: "/readyz" } });
		assert.match(found?.images[0]?.image ?? "", /^registry\.example\/k\/nodejs-installer:24-v/);
		assert.equal(provisionImage, "registry.example/k/provision:latest");
	});

	test("may be YAML or JSON, with field names in any case, and images replaced by variables", () => {
		const text =
			"- ID: python\n  DepName: requirements.txt\n  versions:\n  - version: 3.10\n    Images:\n    - {Phase: runtime, image: a}\n    imagePullSecrets: [{ImageSecret: s}]\n";
		assert.throws(() => parseRuntimes(text.replace("python", "python3x")), /must be an ID of letters/);
		const [python] = parseRuntimes(text.replace("3.10", '"3.10"'));
		assert.equal(python?.name, "python3.10");
		assert.deepEqual(python?.pullSecrets, ["s"]);
		assert.equal(withImages([python as never], "kubeless", { "PYTHON3.10_RUNTIME": "b" })[0]?.images[0]?.image, "b");
	});

	test("with a fault is refused with a sentence", () => {
		assert.throws(() => parseConfig({ "runtime-images": "[" }), /runtime-images is not YAML/);
		assert.throws(() => parseConfig({ "runtime-images": "{}" }), /must be a list/);
		assert.throws(() => parseConfig({ deployment: "[]" }), /must be a Deployment/);
		assert.throws(() => parseConfig({ deployment: '{"sepc": {}}' }), /unknown field "sepc"/);
		assert.throws(() => parseConfig({ deployment: '{"spec": {}, "spec": {}}' }), /Map keys must be unique/);
	});
});

test("a label selector matches as Kubernetes matches, and an empty one nothing", () => {
	const matches = (selector: Parameters<typeof matcher>[0], labels: Record<string, string>): boolean => matcher(selector)(labels);
	assert.equal(matches({}, { a: "b" }), false);
	assert.equal(matches({ matchLabels: {}, matchExpressions: null }, { a: "b" }), false);
	assert.equal(matches({ matchLabels: { a: "b" } }, { a: "b", c: "d" }), true);
	assert.equal(matches({ matchLabels: { a: "b" } }, { a: "c" }), false);
	assert.equal(matches({ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }, { a: "b" }), true);
	assert.equal(matches({ matchExpressions: [{ key: "a", operator: "NotIn", values: ["b"] }] }, {}), true);
	assert.equal(matches({ matchExpressions: [{ key: "a", operator: "Exists" }] }, {}), false);
	assert.equal(matches({ matchExpressions: [{ key: "a", operator: "DoesNotExist" }] }, {}), true);
});

test("a status that says the same is not written again, and a condition keeps its time until its status changes", () => {
	const [noon, later] = [new Date("2026-01-01T12:00:00Z"), new Date("2026-01-01T13:00:00Z")];
	const is = (status: "True" | "False", reason: string) => ({ conditions: [{ type: "Ready", status, reason, message: "" }] });
	const first = nextStatus(undefined, is("False", "Starting"), 1, noon);
	assert.equal(nextStatus(first, is("False", "Starting"), 1, later), undefined);
	assert.equal(nextStatus(first, is("False", "Crashed"), 1, later)?.conditions?.[0]?.lastTransitionTime, "2026-01-01T12:00:00Z");
	assert.equal(nextStatus(first, is("True", "Ready"), 1, later)?.conditions?.[0]?.lastTransitionTime, "2026-01-01T13:00:00Z");
	assert.equal(nextStatus(first, is("False", "Starting"), 2, later)?.observedGeneration, 2);
});

test("a version has neither replicas nor suspend, and a rollback keeps the current ones", () => {
	const old = revisionSpec({ handler: "a.b", suspend: true, deployment: { spec: { replicas: 3, a: 1 } } });
	assert.deepEqual(old, { handler: "a.b", deployment: { spec: { a: 1 } } });
	assert.deepEqual(rolledBack({ handler: "c.d", suspend: false, deployment: { spec: { replicas: 5 } } }, old), {
		handler: "a.b",
		suspend: false,
		deployment: { spec: { a: 1, replicas: 5 } },
	});
	assert.deepEqual(rolledBack({ handler: "c.d" }, old), old);
});

test("all wrong settings are named in one message", () => {
	assert.throws(() => readSettings({ PORT: "x", KUBELESS_CONCURRENCY: "0" }), /PORT must be .* not "x"; KUBELESS_CONCURRENCY must be/);
	assert.deepEqual(readSettings({ "PYTHON3.13_RUNTIME": "a" }).imageOverrides, { "PYTHON3.13_RUNTIME": "a" });
});

test("deploy/ has what generate.ts writes", () => assert.deepEqual(outdated(), [], "run: node kubeless-controller/generate.ts"));

test("TRIGGER-ENVIRONMENT.md has a row for each variable", () => {
	const page = readFileSync(new URL("../TRIGGER-ENVIRONMENT.md", import.meta.url), "utf8");
	const documented = [...page.matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)].flatMap(([, names = ""]) => names.match(/[A-Z_]+/g) ?? []);
	const world: World = { config: parseConfig(), has: () => false, fn: () => undefined, functions: () => [] };
	const resource = { metadata: { name: "a", namespace: "b", uid: "c" }, spec: { topic: "t" } } as KafkaTrigger;
	const functions = [{ metadata: { name: "f", namespace: "b" }, spec: { timeout: "5" } } as KubelessFunction];
	const made = (["kafka", "nats"] as const).map((source) => triggerEnvironment(source, resource, functions, world));
	assert.deepEqual([...new Set(made.flat().map(({ name }) => name))].sort(), documented.sort());
	assert.deepEqual(JSON.parse(made[0]?.find(({ name }) => name === "TRIGGER_TARGETS")?.value ?? ""), [
		{ function: "f", url: "http://f.b.svc.cluster.local:8080", group: "b_a_f_t", timeout: 5 },
	]);
});
