// Objects as Kubeless 1.0 left them: its CRDs had no schema, its command wrote nulls and empty
// objects, its controller made the objects by plain updates. They must go on working, and must be
// deletable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { kubeless } from "../../kubeless-cli/test/shell.ts";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import {
	api,
	cluster,
	condition,
	create,
	describeCluster,
	eventually,
	fn,
	get,
	gone,
	kubectl,
	namespace,
	remove,
	standIn,
	startController,
	trigger,
} from "./support.ts";

/** A Function's spec as the Go encoder of `kubeless function deploy` wrote it. */
const goSpec = (name: string): Record<string, unknown> => ({
	handler: "hello.handler",
	function: "exports.handler = () => 'hello';",
	"function-content-type": "text",
	checksum: "sha256:d251999dcbfdeccec385606fd0aec385b214cfc74ede8b6c9e47af71728f6e9a",
	runtime: "nodejs24",
	timeout: "180",
	deps: "",
	deployment: {
		metadata: { creationTimestamp: null },
		spec: {
			strategy: {},
			template: {
				metadata: { creationTimestamp: null },
				spec: {
					containers: [
						{
							name: "",
							env: [{ name: "A", value: "1" }],
							resources: { limits: { memory: "128Mi" }, requests: { memory: "128Mi" } },
							imagePullPolicy: "Always",
							volumeMounts: null,
						},
					],
					volumes: null,
				},
			},
		},
		status: {},
	},
	service: {
		ports: [{ name: "http-function-port", protocol: "TCP", port: 8080, targetPort: 8080 }],
		selector: { function: name },
		type: "ClusterIP",
	},
	horizontalPodAutoscaler: {
		metadata: { creationTimestamp: null },
		spec: { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 },
		status: { currentReplicas: 0, desiredReplicas: 0, currentMetrics: null, conditions: null },
	},
});

type Deployment = KubeObject & {
	spec: { template: { spec: { containers: { image: string; env: { name: string; value: string }[] }[] } } };
};

describeCluster("objects of Kubeless 1.0", () => {
	const owner = suiteOwner();

	test("a Function as its command wrote it becomes ready", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		standIn(t, ns);
		const { status, stderr } = await kubectl(
			["create", "-f", "-"],
			JSON.stringify(fn(ns, "hello", goSpec("hello"), { creationTimestamp: null })),
		);
		assert.equal(status, 0, stderr);
		await condition("Function", ns, "hello", "Ready", "Ready");
		const { spec } = await eventually<Deployment>("Deployment", ns, "hello");
		assert.equal(spec.template.spec.containers[0]?.env.find(({ name }) => name === "FUNC_MEMORY_LIMIT")?.value, "128Mi");
		assert.equal(await get("HorizontalPodAutoscaler", ns, "hello"), undefined);
	});

	test("triggers as its command wrote them work", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		await create(fn(ns, "hello", goSpec("hello"), { labels: { a: "b" } }));
		const http = {
			"host-name": "h.test",
			"function-name": "hello",
			tls: false,
			"tls-secret": "",
			path: "",
			"basic-auth-secret": "",
			gateway: "nginx",
			"cors-enable": false,
		};
		const objects = [
			trigger("HTTPTrigger", ns, "web", http, { creationTimestamp: null, finalizers: ["kubeless.io/httptrigger"] }),
			trigger("CronJobTrigger", ns, "cron", { schedule: "* * * * *", "function-name": "hello", payload: {} }, { creationTimestamp: null }),
			trigger("KafkaTrigger", ns, "events", { topic: "t", functionSelector: { matchLabels: { a: "b" } } }, { creationTimestamp: null }),
			trigger(
				"NATSTrigger",
				ns,
				"events",
				{ topic: "t", functionSelector: { matchLabels: { a: "b" }, matchExpressions: null } },
				{ creationTimestamp: null },
			),
		];
		const { status, stderr } = await kubectl(["create", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"));
		assert.equal(status, 0, stderr);
		for (const [kind, name] of [
			["Ingress", "web"],
			["CronJob", "cron"],
			["Deployment", "events-kafka"],
			["Deployment", "events-nats"],
		] as const) {
			await eventually(kind, ns, name);
		}
		await remove("HTTPTrigger", ns, "web");
		await gone("HTTPTrigger", ns, "web");
	});

	test("its objects are taken over: what it set and is not wanted any more goes, what others set stays", async (t) => {
		const ns = await namespace(owner);
		const made = (await create(fn(ns, "hello", { ...goSpec("hello"), suspend: true }))) as KubeObject & { metadata: { uid: string } };
		const metadata = {
			name: "hello",
			namespace: ns,
			labels: { "created-by": "kubeless", function: "hello" },
			ownerReferences: [{ apiVersion: "kubeless.io/v1beta1", kind: "Function", name: "hello", uid: made.metadata.uid }],
		};
		const env = [
			{ name: "OLD", value: "1" },
			{ name: "A", value: "0" },
		];
		const template = {
			metadata: { labels: metadata.labels },
			spec: { containers: [{ name: "hello", image: "kubeless/nodejs@sha256:old", env }] },
		};
		const deployment = {
			apiVersion: "apps/v1",
			kind: "Deployment",
			metadata,
			spec: { selector: { matchLabels: metadata.labels }, template },
		};
		await api().send("POST", `/apis/apps/v1/namespaces/${ns}/deployments`, {
			body: deployment,
			query: { fieldManager: "kubeless-function-controller" },
		});
		const annotate = await kubectl(["annotate", "deployment", "hello", "-n", ns, "example.com/a=b"]);
		assert.equal(annotate.status, 0, annotate.stderr);
		startController(t);
		const names = ({ spec }: Deployment) => spec.template.spec.containers[0]?.env.map(({ name }) => name) ?? [];
		const taken = await eventually<Deployment>("Deployment", ns, "hello", (found) => names(found).includes("FUNC_HANDLER"));
		assert.ok(!names(taken).includes("OLD"), "a variable that only the old controller set");
		assert.equal(taken.spec.template.spec.containers.length, 1);
		assert.equal(taken.metadata.annotations?.["example.com/a"], "b");
	});

	test("the old CRDs, which had no schema, are brought to this version by kubeless install and by kubectl replace", async (t) => {
		const ns = await namespace(owner);
		const install = (): ReturnType<typeof kubeless> => kubeless(["--kubeconfig", cluster.kubeconfig, "install", "--no-wait"]);
		t.after(async () => void (await install()));
		const crds = fileURLToPath(new URL("../../deploy/base/crds.yaml", import.meta.url));
		for (const [name, bring] of Object.entries({ install, kubectl: () => kubectl(["replace", "-f", crds]) })) {
			await putOldCrd("functions", "Function");
			await poll(
				// The API server needs a moment to serve the changed schema.
				() => create(fn(ns, name, { ...goSpec(name), "old-field": 1 }, { finalizers: ["kubeless.io/function"] })).catch(() => undefined),
				() => "the old CRD is not served",
				30_000,
			);
			const brought = await bring();
			assert.match(brought.stderr, /^(?!.*(?:refuses|rror))/s);
			const crd = JSON.parse((await kubectl(["get", "crd", "functions.kubeless.io", "-o", "json"])).stdout);
			assert.ok(crd.spec.versions[0].schema, name);
			const running = startController(t);
			await condition("Function", ns, name, "Configured", "Configured");
			await running.stop();
		}
	});

	test("objects that the new schema refuses, made before there was one, can still be deleted", async (t) => {
		const ns = await namespace(owner);
		const crd = JSON.parse((await kubectl(["get", "crd", "functions.kubeless.io", "-o", "json"])).stdout);
		const [version] = crd.spec.versions;
		const open = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
		const change = (schema: object) =>
			kubectl([
				"patch",
				"crd",
				"functions.kubeless.io",
				"--type=json",
				"-p",
				JSON.stringify([{ op: "replace", path: "/spec/versions/0/schema", value: schema }]),
			]);
		t.after(() => change(version.schema));
		await change(open);
		const wild = { handler: "a.b.c", timeout: "soon", runtime: "nodejs24", extra: 1 };
		// The API server needs a moment to serve the changed schema.
		await poll(
			() => create(fn(ns, "wild", wild, { finalizers: ["kubeless.io/function"] })).catch(() => undefined),
			() => "the schema stays",
			30_000,
		);
		await change(version.schema);
		startController(t);
		await remove("Function", ns, "wild");
		await gone("Function", ns, "wild");
	});
});

/**
 * Puts a CRD of Kubeless 1.0 into etcd in place of the present one: an API server keeps such a CRD
 * from before Kubernetes 1.16, and accepts no new one.
 */
async function putOldCrd(plural: string, kind: string): Promise<void> {
	const name = `${plural}.kubeless.io`;
	const { metadata } = JSON.parse((await kubectl(["get", "crd", name, "-o", "json"])).stdout);
	const names = { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` };
	const old = {
		apiVersion: "apiextensions.k8s.io/v1beta1",
		kind: "CustomResourceDefinition",
		metadata: { name, uid: metadata.uid, creationTimestamp: metadata.creationTimestamp, generation: metadata.generation + 1 },
		spec: {
			group: "kubeless.io",
			version: "v1beta1",
			versions: [{ name: "v1beta1", served: true, storage: true }],
			scope: "Namespaced",
			names,
			conversion: { strategy: "None" },
			preserveUnknownFields: true,
		},
		status: {
			conditions: ["NamesAccepted", "Established"].map((type) => ({
				...{ type, status: "True", lastTransitionTime: metadata.creationTimestamp },
				...{ reason: "NoConflicts", message: "" },
			})),
			acceptedNames: names,
			storedVersions: ["v1beta1"],
		},
	};
	const base64 = (text: string): string => Buffer.from(text).toString("base64");
	const key = `/registry/apiextensions.k8s.io/customresourcedefinitions/${name}`;
	const put = await fetch(`http://127.0.0.1:${cluster.port}/v3/kv/put`, {
		method: "POST",
		body: JSON.stringify({ key: base64(key), value: base64(JSON.stringify(old)) }),
	});
	assert.equal(put.status, 200, await put.text());
}
