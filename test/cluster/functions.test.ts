import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import {
	admin,
	condition,
	conditionOf,
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
	patch,
	RecordingApi,
	remove,
	standIn,
	startController,
} from "./support.ts";

type Deployment = KubeObject & {
	spec: {
		replicas: number;
		template: {
			metadata: { annotations: Record<string, string> };
			spec: { containers: { image: string; env: { name: string; value: string }[] }[] };
		};
	};
};
const container = (deployment: Deployment) => deployment.spec.template.spec.containers[0];
const env = (deployment: Deployment, name: string) => container(deployment)?.env.find((variable) => variable.name === name)?.value;

describeCluster("a Function on a cluster", () => {
	const owner = suiteOwner();
	const api = new RecordingApi(admin());
	before(() => startController(owner, { api }).started());

	test("becomes ConfigMap, Service and Deployment, and is Ready when a pod is", async () => {
		const ns = await namespace(owner);
		standIn(owner, ns);
		await create(fn(ns, "hello", HELLO, { labels: { team: "a" } }));
		const ready = await condition("Function", ns, "hello", "Ready", "Ready");
		assert.equal(conditionOf(ready, "Configured")?.status, "True");
		assert.equal(conditionOf(ready, "Built")?.reason, "Built");
		assert.equal(ready.status.url, `http://hello.${ns}.svc.cluster.local:8080`);
		assert.equal(ready.status.readyReplicas, 1);
		for (const kind of ["ConfigMap", "Service", "Deployment"]) {
			const object = await eventually(kind, ns, "hello");
			assert.deepEqual(object.metadata.labels, { team: "a", "created-by": "kubeless", function: "hello" }, kind);
			assert.equal(object.metadata.ownerReferences?.[0]?.uid, ready.metadata.uid, kind);
		}
		const events = await poll(
			async () => ((await list("Event", ns)).some((event) => event["reason"] === "Ready") ? true : undefined),
			() => "there is no event Ready",
		);
		assert.equal(events, true);
	});

	test("rolls out a changed text, runtime, timeout and variable", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		const first = await eventually<Deployment>("Deployment", ns, "hello");
		await patch("Function", ns, "hello", { spec: { function: "exports.handler = () => 'changed';" } });
		const content = (deployment: Deployment) => deployment.spec.template.metadata.annotations["kubeless.io/content"];
		await eventually<Deployment>("Deployment", ns, "hello", (deployment) => content(deployment) !== content(first));
		await patch("Function", ns, "hello", { spec: { runtime: "nodejs22" } });
		await eventually<Deployment>(
			"Deployment",
			ns,
			"hello",
			(deployment) => container(deployment)?.image.startsWith("kubeless/nodejs:22") ?? false,
		);
		await patch("Function", ns, "hello", {
			spec: { timeout: "5", deployment: { spec: { template: { spec: { containers: [{ env: [{ name: "A", value: "1" }] }] } } } } },
		});
		await eventually<Deployment>(
			"Deployment",
			ns,
			"hello",
			(deployment) => env(deployment, "FUNC_TIMEOUT") === "5" && env(deployment, "A") === "1",
		);
		await patch("Function", ns, "hello", { spec: { deployment: null } });
		await eventually<Deployment>("Deployment", ns, "hello", (deployment) => env(deployment, "A") === undefined);
	});

	test("is not Ready for a changed spec before a pod of the new version is", async () => {
		const ns = await namespace(owner);
		standIn(owner, ns);
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Ready", "Ready");
		await patch("Function", ns, "hello", { spec: { function: "exports.handler = () => 'changed';" } });
		await condition("Function", ns, "hello", "Ready", "Ready");
		const changed = api.statuses.filter(({ of, status }) => of === `${ns}/hello` && status.observedGeneration === 2);
		const states = changed.map(({ status }) => status.conditions?.find(({ type }) => type === "Ready")?.status);
		assert.equal(states[0], "False", JSON.stringify(changed));
		assert.deepEqual([...new Set(states)], ["False", "True"]);
	});

	test("has the replicas that kubectl scale gives the Function", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello", { ...HELLO, deployment: { spec: { replicas: 1 } } }));
		await condition("Function", ns, "hello", "Configured", "Configured");
		const { status, stderr } = await kubectl(["scale", "function", "hello", "-n", ns, "--replicas=4"]);
		assert.equal(status, 0, stderr);
		await eventually<Deployment>("Deployment", ns, "hello", ({ spec }) => spec.replicas === 4);
	});

	test("gets back an object that was deleted or changed by hand", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		for (const kind of ["Deployment", "Service", "ConfigMap"]) {
			const before = await eventually(kind, ns, "hello");
			await remove(kind, ns, "hello");
			await eventually(kind, ns, "hello", ({ metadata }) => metadata.uid !== before.metadata.uid);
		}
		await patch("ConfigMap", ns, "hello", { data: { "hello.js": "broken" } });
		await eventually("ConfigMap", ns, "hello", ({ data }) => (data as Record<string, string>)["hello.js"] === HELLO.function);
	});

	test("keeps what others set: an annotation, and the replicas of kubectl scale", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		await patch("Deployment", ns, "hello", { metadata: { annotations: { "example.com/a": "b" } }, spec: { replicas: 3 } });
		await patch("Function", ns, "hello", { spec: { timeout: "7" } });
		const changed = await eventually<Deployment>("Deployment", ns, "hello", (deployment) => env(deployment, "FUNC_TIMEOUT") === "7");
		assert.equal(changed.spec.replicas, 3);
		assert.equal(changed.metadata.annotations?.["example.com/a"], "b");
	});

	test("leaves an object of its name that Kubeless did not make, and reports the conflict", async () => {
		const ns = await namespace(owner);
		const data = { mine: "yes" };
		await create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "hello", namespace: ns }, data });
		await create(fn(ns, "hello"));
		const found = await condition("Function", ns, "hello", "Configured", "Conflict");
		assert.match(conditionOf(found, "Configured")?.message ?? "", /ConfigMap .*\/hello was not made by Kubeless/);
		assert.deepEqual((await get("ConfigMap", ns, "hello"))?.["data"], data);
		assert.equal(await get("Deployment", ns, "hello"), undefined);
		await remove("ConfigMap", ns, "hello");
		await condition("Function", ns, "hello", "Configured", "Configured");
	});

	test("leaves nothing when it is deleted, and can be made anew at once", async () => {
		const ns = await namespace(owner);
		for (let round = 0; round < 3; round++) {
			await create(fn(ns, "hello", { ...HELLO, timeout: String(round + 1) }));
			if (round > 0) await condition("Function", ns, "hello", "Configured", "Configured");
			await eventually<Deployment>("Deployment", ns, "hello", (deployment) => env(deployment, "FUNC_TIMEOUT") === String(round + 1));
			await remove("Function", ns, "hello");
		}
		for (const kind of ["Deployment", "Service", "ConfigMap"]) await gone(kind, ns, "hello");
		assert.deepEqual((await list("ControllerRevision", ns)).filter(({ metadata }) => !metadata.deletionTimestamp).length, 0);
	});

	test("is removed although it has the finalizer of Kubeless 1.0", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello", HELLO, { finalizers: ["kubeless.io/function"] }));
		await eventually("Function", ns, "hello", ({ metadata }) => (metadata.finalizers ?? []).length === 0);
		await remove("Function", ns, "hello");
		await gone("Function", ns, "hello");
	});

	test("has no pod while it is suspended, and its replicas again afterwards", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello", { ...HELLO, suspend: true, deployment: { spec: { replicas: 2 } } }));
		await condition("Function", ns, "hello", "Ready", "Suspended");
		assert.equal((await eventually<Deployment>("Deployment", ns, "hello")).spec.replicas, 0);
		await patch("Function", ns, "hello", { spec: { suspend: false } });
		await eventually<Deployment>("Deployment", ns, "hello", ({ spec }) => spec.replicas === 2);
	});

	test("passes its replicas to an autoscaler without a change of their number", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello", { ...HELLO, deployment: { spec: { replicas: 3 } } }));
		await eventually<Deployment>("Deployment", ns, "hello", ({ spec }) => spec.replicas === 3);
		const metrics = [{ type: "Resource", resource: { name: "cpu", targetAverageUtilization: 70 } }];
		await patch("Function", ns, "hello", { spec: { horizontalPodAutoscaler: { spec: { minReplicas: 3, maxReplicas: 5, metrics } } } });
		const hpa = await eventually<KubeObject & { spec: { metrics: unknown } }>("HorizontalPodAutoscaler", ns, "hello");
		assert.deepEqual(hpa.spec.metrics, [
			{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
		]);
		await patch("Function", ns, "hello", { spec: { timeout: "9" } });
		const deployment = await eventually<Deployment>("Deployment", ns, "hello", (found) => env(found, "FUNC_TIMEOUT") === "9");
		assert.equal(deployment.spec.replicas, 3);
		await patch("Function", ns, "hello", { spec: { horizontalPodAutoscaler: null } });
		await gone("HorizontalPodAutoscaler", ns, "hello");
	});

	test("keeps its last ten versions, and the current one is the newest", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		const newest = async (count: number) =>
			poll(
				async () => {
					const revisions = (await list("ControllerRevision", ns)) as (KubeObject & {
						revision: number;
						data: { spec: { timeout: string } };
					})[];
					return Math.max(0, ...revisions.map(({ revision }) => revision)) === count ? revisions : undefined;
				},
				() => `there is no revision ${count}`,
			);
		await newest(1);
		for (let version = 2; version <= 12; version++) {
			await patch("Function", ns, "hello", { spec: { timeout: String(version) } });
			await newest(version);
		}
		await patch("Function", ns, "hello", { spec: { timeout: "11" } });
		const kept = await newest(13);
		assert.equal(kept.find(({ revision }) => revision === 13)?.data.spec.timeout, "11");
		await poll(
			async () => ((await list("ControllerRevision", ns)).length <= 10 ? true : undefined),
			() => "there are more than ten revisions",
		);
	});

	test("takes at most twelve requests, and none while nothing changes", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Ready", "Unschedulable");
		const about = (name: string) => api.sent.filter((request) => request.includes(`/namespaces/${ns}/`) && request.includes(`/${name}`));
		// Another Function's pass shows that the queue has come past this one. On a slow machine the
		// pod's status may change until then.
		let sent = -1;
		for (let round = 0; round < 10 && sent !== about("hello").length; round++) {
			sent = about("hello").length;
			await create(fn(ns, `other${round}`));
			await condition("Function", ns, `other${round}`, "Ready", "Unschedulable");
		}
		assert.equal(about("hello").length, sent, "a pass that finds nothing to do sends no request");
		assert.ok(sent <= 12, api.sent.join("\n"));
	});
});
