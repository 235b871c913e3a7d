// The Helm chart: what it renders against deploy/base, what each value changes, and that the API
// server takes it and the controller works with its rights.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import type { Fields } from "../../kubeless-controller/src/api/types.ts";
import { type Manifest, root } from "../platform/manifests.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { binary } from "./binary.ts";
import {
	api,
	asAccount,
	cluster,
	condition,
	create,
	describeCluster,
	eventually,
	fn,
	get,
	gone,
	HELLO,
	kubectl,
	list,
	namespace,
	type Ran,
	remove,
	runProgram,
	same,
	standIn,
	startController,
	trigger,
} from "./support.ts";

/** Runs Helm against the control plane. */
const helm = (...args: string[]): Promise<Ran> => runProgram(binary("helm"), ["--kubeconfig", cluster.kubeconfig, ...args]);

const CHART = join(root, "deploy/helm/kubeless");
const objects = (text: string): Manifest[] => parseAllDocuments(text).flatMap((document) => (document.contents ? [document.toJS()] : []));

/** Renders the chart as a release in the namespace `kubeless`. @param values arguments of --set */
async function rendered(...values: string[]): Promise<Manifest[]> {
	const sets = values.flatMap((value) => ["--set", value]);
	const { status, stdout, stderr } = await helm("template", "kubeless", CHART, "--namespace", "kubeless", "--include-crds", ...sets);
	assert.equal(status, 0, stderr);
	return objects(stdout);
}

function only(from: readonly Manifest[], kind: string, name?: string): Manifest {
	const found = from.filter((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
	assert.equal(found.length, 1, `${kind} ${name ?? ""}: ${found.length}`);
	return found[0] as Manifest;
}

const container = (from: readonly Manifest[]): Manifest => only(from, "Deployment").spec.template.spec.containers[0];
const settings = (from: readonly Manifest[]): Fields => only(from, "ConfigMap")["data"];

/** What each value changes. */
const VALUES: Readonly<Record<string, { set: string; shows: (from: readonly Manifest[]) => void }>> = {
	"image.registry": {
		set: "r.example/k",
		shows: (from) => {
			assert.match(String(container(from)["image"]), /^r\.example\/k\/controller:v\d/);
			assert.equal(settings(from)["registry"], "r.example/k");
		},
	},
	"image.tag": { set: "v9", shows: (from) => assert.equal(container(from)["image"], "kubeless/controller:v9") },
	"image.pullPolicy": { set: "Always", shows: (from) => assert.equal(container(from)["imagePullPolicy"], "Always") },
	imagePullSecret: {
		set: "pull",
		shows: (from) => {
			assert.deepEqual(only(from, "Deployment").spec.template.spec.imagePullSecrets, [{ name: "pull" }]);
			assert.equal(settings(from)["image-pull-secret"], "pull");
		},
	},
	replicas: {
		set: "1",
		shows: (from) => {
			assert.equal(only(from, "Deployment").spec.replicas, 1);
			assert.ok(!from.some(({ kind }) => kind === "PodDisruptionBudget"), "a budget would keep the only pod on its node");
		},
	},
	"resources.requests.cpu": { set: "1", shows: (from) => assert.equal(container(from).resources.requests.cpu, 1) },
	"resources.requests.memory": {
		set: "64Mi",
		shows: (from) => assert.equal(container(from).resources.requests.memory, "64Mi"),
	},
	"resources.limits.memory": {
		set: "2Gi",
		shows: (from) => assert.equal(container(from).resources.limits.memory, "2Gi"),
	},
	functionsNamespace: {
		set: "mine",
		shows: (from) => {
			assert.ok(!from.some(({ kind }) => /^ClusterRole/.test(kind)), "rights in all namespaces");
			assert.equal(only(from, "Role", "kubeless-controller-functions").metadata.namespace, "mine");
			assert.equal(only(from, "RoleBinding", "kubeless-controller-functions").metadata.namespace, "mine");
			assert.equal(settings(from)["functions-namespace"], "mine");
			const { spec } = only(from, "ValidatingAdmissionPolicyBinding");
			assert.deepEqual(spec.matchResources.namespaceSelector.matchLabels, { "kubernetes.io/metadata.name": "mine" });
		},
	},
	gateway: { set: "gateways/main", shows: (from) => assert.equal(settings(from)["gateway"], "gateways/main") },
	"config.kafka-brokers": { set: "kafka:9092", shows: (from) => assert.equal(settings(from)["kafka-brokers"], "kafka:9092") },
	admissionPolicy: { set: "false", shows: (from) => assert.ok(!from.some(({ kind }) => /^ValidatingAdmission/.test(kind))) },
};

/** Returns the paths of all values, such as image.tag. */
function paths(values: Fields, prefix = ""): string[] {
	return Object.entries(values).flatMap(([name, value]) =>
		typeof value === "object" && value !== null && Object.keys(value).length > 0
			? paths(value as Fields, `${prefix}${name}.`)
			: [prefix + name],
	);
}

describeCluster("the Helm chart", () => {
	const owner = suiteOwner();
	let base: Manifest[];

	before(async () => {
		const { stdout, stderr } = await kubectl(["kustomize", join(root, "deploy/base")]);
		base = objects(stdout);
		assert.ok(base.length > 0, stderr);
	});

	test("has nothing that helm lint finds", async () => {
		const { status, stdout, stderr } = await helm("lint", CHART, "--strict");
		assert.equal(status, 0, stdout + stderr);
	});

	test("renders by default what deploy/base has", async () => {
		const chart = await rendered();
		const crds = (from: readonly Manifest[]) =>
			from.filter(({ kind }) => kind === "CustomResourceDefinition").sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
		same(crds(chart), crds(base));
		for (const kind of ["ServiceAccount", "Role", "RoleBinding", "PodDisruptionBudget"]) same(only(chart, kind), only(base, kind));
		same(only(chart, "ClusterRole")["rules"], only(base, "ClusterRole")["rules"]);
		same(only(chart, "ClusterRoleBinding")["subjects"], only(base, "ClusterRoleBinding")["subjects"]);
		same(only(chart, "ValidatingAdmissionPolicy").spec, only(base, "ValidatingAdmissionPolicy").spec);
		const { policyName, ...binding } = only(chart, "ValidatingAdmissionPolicyBinding").spec;
		assert.equal(policyName, only(chart, "ValidatingAdmissionPolicy").metadata.name);
		same({ ...binding, policyName: "kubeless-functions" }, only(base, "ValidatingAdmissionPolicyBinding").spec);
		const deployment = only(chart, "Deployment");
		const { imagePullPolicy, ...controller } = container(chart);
		assert.equal(imagePullPolicy, "IfNotPresent");
		deployment.spec.template.spec.containers = [controller];
		same(deployment, only(base, "Deployment"));
		const kinds = (from: readonly Manifest[]) => [...new Set(from.map(({ kind }) => kind))].sort();
		same(
			kinds(chart),
			kinds(base).filter((kind) => kind !== "Namespace"), // helm install --create-namespace makes it
		);
	});

	test("has a case here for every value", () => {
		const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8"));
		same(
			paths(values).filter((path) => !Object.keys(VALUES).some((name) => `${name}.`.startsWith(`${path}.`))),
			[],
		);
	});

	for (const [name, { set, shows }] of Object.entries(VALUES)) {
		test(`with ${name}=${set} shows it, and the API server takes all objects`, async (t) => {
			const ns = await namespace(t);
			const value = name === "functionsNamespace" ? ns : set;
			const from = await rendered(`${name}=${value}`);
			if (value === set) shows(from);
			else shows(JSON.parse(JSON.stringify(from).replaceAll(ns, set)));
			const crds = new Set(["CustomResourceDefinition"]);
			const items = from.filter(({ kind }) => !crds.has(kind));
			const applied = await kubectl(
				["apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server", "-f", "-"],
				JSON.stringify({ apiVersion: "v1", kind: "List", items }),
			);
			assert.equal(applied.status, 0, applied.stderr);
		});
	}

	test("installed for one namespace, gives the controller all rights that functions and triggers there need", async (t) => {
		const [ns, functions] = [await namespace(owner), await namespace(owner)];
		const release = ["kubeless-test", CHART, "--namespace", ns, "--set", `functionsNamespace=${functions}`];
		const installed = await helm("install", ...release);
		assert.equal(installed.status, 0, installed.stderr);
		t.after(() => helm("uninstall", "kubeless-test", "--namespace", ns).then(() => {}));
		const running = startController(t, { cluster: await asAccount(ns, "kubeless-controller"), configNamespace: ns });
		await running.started();
		standIn(t, functions);
		await create(fn(functions, "hello", { ...HELLO, horizontalPodAutoscaler: { spec: { maxReplicas: 3 } } }, { labels: { a: "b" } }));
		await condition("Function", functions, "hello", "Ready", "Ready");
		const triggers = [
			trigger("HTTPTrigger", functions, "web", { "function-name": "hello", gateway: "nginx" }),
			trigger("CronJobTrigger", functions, "tick", { "function-name": "hello", schedule: "@hourly" }),
			trigger("KafkaTrigger", functions, "feed", { topic: "t", functionSelector: { matchLabels: { a: "b" } } }),
			trigger("NATSTrigger", functions, "feed", { topic: "t", functionSelector: { matchLabels: { a: "b" } } }),
		];
		for (const object of triggers) {
			await create(object);
			await condition(object.kind, functions, object.metadata.name, "Configured", "Configured");
		}
		const other = JSON.stringify(fn(functions, "other", { ...HELLO, runtime: "cobol85" }));
		// The API server takes a moment to apply a new policy.
		const refused = await poll(
			async () => {
				const one = await kubectl(["create", "--dry-run=server", "-f", "-"], other);
				return one.status === 0 ? undefined : one;
			},
			() => "a Function of an unknown runtime is accepted",
		);
		// In a whole run, `kubeless install` has installed the same policy for all namespaces, which may
		// answer first.
		assert.match(refused.stderr, new RegExp(`'kubeless-functions(-${ns})?' denied request: runtime cobol85 is unknown`));
		await remove("Function", functions, "hello");
		await gone("Deployment", functions, "hello");
		assert.doesNotMatch(running.lines.join(""), /forbidden/i);

		const upgraded = await helm("upgrade", ...release, "--set", "replicas=1");
		assert.equal(upgraded.status, 0, upgraded.stderr);
		await eventually("Deployment", ns, "kubeless-controller", ({ spec }) => (spec as { replicas: number }).replicas === 1);
		await running.stop();
		const removed = await helm("uninstall", "kubeless-test", "--namespace", ns);
		assert.equal(removed.status, 0, removed.stderr);
		await gone("Deployment", ns, "kubeless-controller");
		assert.equal((await list("KafkaTrigger", functions)).length, 1, "triggers and their CRDs stay");
		assert.equal(await get("Deployment", ns, "kubeless-controller"), undefined);
		assert.ok(await api().find("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/functions.kubeless.io"));
	});
});
