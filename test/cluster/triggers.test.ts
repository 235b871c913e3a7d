import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import { suiteOwner } from "../support/owner.ts";
import { installCrd } from "./add-ons.ts";
import {
	condition,
	conditionOf,
	create,
	describeCluster,
	eventually,
	fn,
	gone,
	HELLO,
	kubectl,
	list,
	namespace,
	patch,
	remove,
	startController,
	trigger,
} from "./support.ts";

type Spec<T> = KubeObject & { spec: T };
type CronJob = Spec<{
	schedule: string;
	timeZone?: string;
	jobTemplate: {
		spec: {
			backoffLimit: number;
			template: { metadata: { labels: object }; spec: { containers: { env: { name: string; value: string }[] }[] } };
		};
	};
}>;
type Deployment = Spec<{ template: { spec: { containers: { env: { name: string; value: string }[] }[] } } }>;
const variable = (env: { name: string; value: string }[] | undefined, name: string) => env?.find((entry) => entry.name === name)?.value;

describeCluster("a trigger on a cluster", () => {
	const owner = suiteOwner();
	before(() => startController(owner, { addOnsMs: 1000 }).started());

	test("HTTPTrigger: becomes an Ingress once its function is there, and ends with it", async () => {
		const ns = await namespace(owner);
		await create(
			trigger("HTTPTrigger", ns, "web", {
				"function-name": "hello",
				"host-name": "hello.test",
				path: "x",
				gateway: "nginx",
				"tls-secret": "cert",
			}),
		);
		await condition("HTTPTrigger", ns, "web", "Configured", "FunctionNotFound");
		await create(fn(ns, "hello", { ...HELLO, service: { ports: [{ name: "http-function-port", port: 80, targetPort: 8080 }] } }));
		const found = await condition("HTTPTrigger", ns, "web", "Ready", "Applied");
		assert.equal(found.status.url, "https://hello.test/x");
		const ingress = await eventually<Spec<object>>("Ingress", ns, "web");
		assert.deepEqual(ingress.spec, {
			ingressClassName: "nginx",
			rules: [
				{
					host: "hello.test",
					http: {
						paths: [
							{ path: "/x(/|$)(.*)", pathType: "ImplementationSpecific", backend: { service: { name: "hello", port: { number: 80 } } } },
						],
					},
				},
			],
			tls: [{ hosts: ["hello.test"], secretName: "cert" }],
		});
		await patch("HTTPTrigger", ns, "web", { spec: { "host-name": "other.test" }, metadata: { annotations: { "example.com/a": "b" } } });
		await eventually(
			"Ingress",
			ns,
			"web",
			({ spec, metadata }) => JSON.stringify(spec).includes("other.test") && metadata.annotations?.["example.com/a"] === "b",
		);
		await patch("HTTPTrigger", ns, "web", { spec: { gateway: "kong", "basic-auth-secret": "users" } });
		assert.match(
			conditionOf(await condition("HTTPTrigger", ns, "web", "Configured", "BasicAuthUnsupported"), "Configured")?.message ?? "",
			/needs a KongPlugin/,
		);
		await remove("Function", ns, "hello");
		await gone("Ingress", ns, "web");
	});

	test("HTTPTrigger: becomes an HTTPRoute when the Gateway API is there and a Gateway is named", async () => {
		const ns = await namespace(owner);
		await create(fn(ns, "hello"));
		const spec = { "function-name": "hello", "host-name": "hello.test", path: "x", gateway: "infra/public", "cors-enable": true };
		await create(trigger("HTTPTrigger", ns, "web", spec));
		await condition("HTTPTrigger", ns, "web", "Configured", "NoGatewayAPI");
		await installCrd(owner, "httproutes");
		const route = await eventually("HTTPRoute", ns, "web");
		const { parentRefs, hostnames, rules } = (
			route as Spec<{ parentRefs: object[]; hostnames: string[]; rules: { filters: { type: string }[]; backendRefs: object[] }[] }>
		).spec;
		assert.partialDeepStrictEqual(parentRefs, [{ namespace: "infra", name: "public" }]);
		assert.deepEqual(hostnames, ["hello.test"]);
		assert.deepEqual(
			rules[0]?.filters.map(({ type }) => type),
			["URLRewrite", "CORS"],
		);
		assert.partialDeepStrictEqual(rules[0]?.backendRefs, [{ name: "hello", port: 8080 }]);
		await condition("HTTPTrigger", ns, "web", "Ready", "WaitingForGateway");
		const parents = [
			{
				parentRef: { name: "public" },
				controllerName: "example.com/gateway",
				conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }],
			},
		];
		const status = await kubectl([
			"patch",
			"httproute",
			"web",
			"-n",
			ns,
			"--subresource=status",
			"--type=merge",
			"-p",
			JSON.stringify({ status: { parents } }),
		]);
		assert.equal(status.status, 0, status.stderr);
		await condition("HTTPTrigger", ns, "web", "Ready", "Accepted");
		await patch("HTTPTrigger", ns, "web", { spec: { "basic-auth-secret": "users" } });
		await condition("HTTPTrigger", ns, "web", "Configured", "BasicAuthUnsupported");
		await patch("HTTPTrigger", ns, "web", { spec: { "basic-auth-secret": "", gateway: "nginx" } });
		await eventually("Ingress", ns, "web");
		await gone("HTTPRoute", ns, "web");
	});

	test("CronJobTrigger: two of one function have a CronJob each, with any payload", async () => {
		const ns = await namespace(owner);
		const payload = { text: 'it\'s "quoted"\n$(HOME) $x', n: [1, null] };
		await create(fn(ns, "hello", { ...HELLO, timeout: "30" }));
		await create(
			trigger("CronJobTrigger", ns, "one", { "function-name": "hello", schedule: "* * * * *", payload, timeZone: "Europe/Berlin" }),
		);
		await create(trigger("CronJobTrigger", ns, "two", { "function-name": "hello", schedule: "@hourly", suspend: true }));
		const one = await eventually<CronJob>("CronJob", ns, "one");
		const two = await eventually<CronJob>("CronJob", ns, "two");
		assert.equal(one.spec.timeZone, "Europe/Berlin");
		assert.equal(two.spec.schedule, "@hourly");
		const { backoffLimit, template } = one.spec.jobTemplate.spec;
		assert.equal(backoffLimit, 0);
		assert.ok(!("function" in template.metadata.labels), "the pods are not in the function's Service");
		const env = template.spec.containers[0]?.env;
		assert.deepEqual(JSON.parse(variable(env, "PAYLOAD")?.replaceAll("$$", "$") ?? ""), payload);
		assert.equal(variable(env, "FUNCTION_URL"), `http://hello.${ns}.svc.cluster.local:8080`);
		await condition("CronJobTrigger", ns, "two", "Ready", "Suspended");
		await patch("CronJobTrigger", ns, "one", { spec: { schedule: "61 * * * *" } });
		assert.match(
			conditionOf(await condition("CronJobTrigger", ns, "one", "Configured", "InvalidObject"), "Configured")?.message ?? "",
			/spec.schedule/,
		);
		await remove("CronJobTrigger", ns, "one");
		await gone("CronJob", ns, "one");
		await eventually("CronJob", ns, "two");
	});

	test("a Function's ScaledObject and PodMonitor are made when KEDA and the Prometheus operator are there", {
		timeout: 120_000,
	}, async () => {
		const ns = await namespace(owner);
		const triggers = [{ type: "cron", metadata: { timezone: "UTC", start: "0 8 * * *", end: "0 18 * * *", desiredReplicas: "1" } }];
		await create(fn(ns, "hello", { ...HELLO, monitor: "pod", scaledObject: { minReplicaCount: 0, triggers } }));
		const missing = await condition("Function", ns, "hello", "Configured", "ConfiguredPartly");
		assert.match(conditionOf(missing, "Configured")?.message ?? "", /KEDA is not installed.*PodMonitor is not installed/);
		await installCrd(owner, "scaledobjects");
		await installCrd(owner, "podmonitors");
		const scaled = await eventually("ScaledObject", ns, "hello");
		assert.deepEqual(scaled.spec, { minReplicaCount: 0, triggers, scaleTargetRef: { name: "hello" } });
		await eventually("PodMonitor", ns, "hello");
		await condition("Function", ns, "hello", "Configured", "Configured");
	});

	for (const [kind, source] of [
		["KafkaTrigger", "kafka"],
		["NATSTrigger", "nats"],
	] as const) {
		test(`${kind}: has one consumer that follows topic, selector and functions`, async () => {
			const ns = await namespace(owner);
			await create(trigger(kind, ns, "events", { topic: "a$b", functionSelector: { matchLabels: { on: "events" } } }));
			await condition(kind, ns, "events", "Configured", "FunctionNotFound");
			await create(fn(ns, "one", HELLO, { labels: { on: "events" } }));
			await create(fn(ns, "other"));
			const env = ({ spec }: Deployment, name: string) => variable(spec.template.spec.containers[0]?.env, name);
			const functions = (deployment: Deployment): string[] =>
				JSON.parse(env(deployment, "TRIGGER_TARGETS") ?? "[]").map(({ function: name }: { function: string }) => name);
			const first = await eventually<Deployment>("Deployment", ns, `events-${source}`);
			assert.deepEqual(functions(first), ["one"]);
			assert.equal(env(first, "TRIGGER_TOPIC"), "a$$b");
			await patch("Function", ns, "other", { metadata: { labels: { on: "events" } } });
			await eventually<Deployment>("Deployment", ns, `events-${source}`, (deployment) => functions(deployment).length === 2);
			await patch(kind, ns, "events", {
				spec: {
					topic: "c",
					functionSelector: {
						matchLabels: { on: null },
						matchExpressions: [
							{ key: "function", operator: "DoesNotExist" },
							{ key: "on", operator: "Exists" },
						],
					},
				},
			});
			await eventually<Deployment>("Deployment", ns, `events-${source}`, (deployment) => env(deployment, "TRIGGER_TOPIC") === "c");
			await remove(kind, ns, "events");
			await gone("Deployment", ns, `events-${source}`);
			assert.equal((await list("Deployment", ns)).length, 2);
		});
	}
});
