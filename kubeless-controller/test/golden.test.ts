// The objects that Functions and triggers become, as files: golden/NAME.yaml has the resource, and
// after it the objects it wants. UPDATE_GOLDEN=true writes them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { parseConfig } from "../src/api/config.ts";
import type { CronJobTrigger, HTTPTrigger, KafkaTrigger, KubelessFunction, Resource } from "../src/api/types.ts";
import { planFunction } from "../src/function/plan.ts";
import type { Plan } from "../src/plan.ts";
import { planConsumer } from "../src/trigger/consumer.ts";
import { planCronJobTrigger } from "../src/trigger/cronjob.ts";
import { planHttpTrigger } from "../src/trigger/http.ts";
import type { World } from "../src/trigger/world.ts";

const config = parseConfig({
	"runtime-images": JSON.stringify([
		{
			ID: "python",
			depName: "requirements.txt",
			fileNameSuffix: ".py",
			readinessProbeInfo: { httpGet: { path: "/readyz" } },
			versions: [
				{
					version: "3.13",
					images: [
						{
							phase: "installation",
							image: "kubeless/python-installer:3.13",
							command: "kubeless-install",
							secrets: [{ name: "pip.conf" }],
						},
						{ phase: "runtime", image: "kubeless/python:3.13", env: { PYTHONPATH: "$(KUBELESS_INSTALL_VOLUME)/lib" } },
					],
					imagePullSecrets: [{ ImageSecret: "registry" }],
				},
			],
		},
		{
			ID: "go",
			depName: "go.mod",
			fileNameSuffix: ".go",
			versions: [
				{
					version: "1.26",
					images: [
						{ phase: "compilation", image: "kubeless/go-installer:1.26", command: "kubeless-compile" },
						{ phase: "runtime", image: "kubeless/go:1.26" },
					],
				},
			],
		},
	]),
	deployment:
		'{"spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"memory": "64Mi"}}, "env": [{"name": "PROXY", "value": "default"}]}]}}}}',
});

const of = (kind: string, name: string, spec: object, metadata: object = {}): Resource<never> => ({
	apiVersion: "kubeless.io/v1beta1",
	kind,
	metadata: { name, namespace: "demo", uid: "uid-1", ...metadata },
	spec: spec as never,
});
const fn = (name: string, spec: object, metadata: object = {}) => of("Function", name, spec, metadata) as KubelessFunction;

const hello = fn("hello", {
	runtime: "python3.13",
	handler: "hello.handler",
	function: "def handler(event, context):\n  return 'hello'\n",
});

const functions: Record<string, KubelessFunction> = {
	plain: hello,
	"with-everything": fn(
		"hello",
		{
			runtime: "python3.13",
			handler: "hello.handler",
			function: "aGVsbG8=",
			"function-content-type": "base64+zip",
			checksum: "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
			deps: "requests\n",
			timeout: "2.5",
			deployment: {
				metadata: { creationTimestamp: null },
				spec: {
					replicas: 2,
					strategy: {},
					template: {
						metadata: { annotations: { "example.com/a": "b" } },
						spec: {
							serviceAccountName: "account",
							containers: [
								{
									name: "",
									env: [
										{ name: "PROXY", value: "own" },
										{ name: "KEY", valueFrom: { secretKeyRef: { name: "keys", key: "a" } } },
										{ name: "FUNC_TIMEOUT", value: "999" },
									],
									envFrom: [{ configMapRef: { name: "settings" } }],
									volumeMounts: [{ name: "keys-vol", mountPath: "/keys" }],
									resources: {},
								},
								{ name: "sidecar", image: "example/sidecar" },
							],
							volumes: [{ name: "keys-vol", secret: { secretName: "keys" } }],
						},
					},
				},
				status: {},
			},
			service: { ports: [{ name: "http-function-port", port: 80, targetPort: 9090 }], clusterIP: "None" },
			horizontalPodAutoscaler: {
				metadata: { name: "hello" },
				spec: {
					minReplicas: 1,
					maxReplicas: 3,
					scaleTargetRef: { kind: "Deployment", name: "hello" },
					metrics: [
						{ type: "Object", object: { metricName: "function_calls", target: { kind: "Service", name: "hello" }, targetValue: "10" } },
					],
				},
			},
			monitor: "service",
		},
		{ labels: { team: "a" }, annotations: { note: "n", "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
	),
	compiled: fn("hello", {
		runtime: "go1.26",
		handler: "kubeless.Handler",
		function: "https://example.com/it's.zip",
		"function-content-type": "url+zip+deps",
	}),
	"own-image": fn("hello", {
		handler: "",
		deployment: { spec: { template: { spec: { containers: [{ image: "example/own:1" }], securityContext: {} } } } },
	}),
};

const world: World = { config, has: () => true, fn: (_, name) => (name === "hello" ? hello : undefined), functions: () => [hello] };
const plans: Record<string, [Resource<unknown>, (resource: never) => Plan]> = Object.fromEntries([
	...Object.entries(functions).map(([name, resource]) => [
		`function-${name}`,
		[resource, (given: KubelessFunction) => planFunction(given, config, () => true)],
	]),
	[
		"httptrigger-gateway",
		[
			of("HTTPTrigger", "web", { "function-name": "hello", "host-name": "hello.test", path: "/a/b", gateway: "infra/public", tls: true }),
			(t: HTTPTrigger) => planHttpTrigger(t, world),
		],
	],
	[
		"httptrigger-nginx",
		[
			of("HTTPTrigger", "web", {
				"function-name": "hello",
				path: "a",
				gateway: "nginx",
				"basic-auth-secret": "users",
				"cors-enable": true,
				tls: true,
			}),
			(t: HTTPTrigger) => planHttpTrigger(t, world),
		],
	],
	[
		"cronjobtrigger",
		[
			of("CronJobTrigger", "cron", { "function-name": "hello", schedule: "*/5 * * * *", payload: { a: "$(b)" } }),
			(t: CronJobTrigger) => planCronJobTrigger(t, world),
		],
	],
	[
		"kafkatrigger",
		[
			of("KafkaTrigger", "events", {
				topic: "t",
				functionSelector: { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] },
				secret: "kafka",
				delivery: { mode: "at-least-once" },
			}),
			(t: KafkaTrigger) => planConsumer("kafka", t, world),
		],
	],
	[
		"kafkatrigger-scaled",
		[
			of("KafkaTrigger", "events", {
				topic: "t",
				functionSelector: { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] },
				replicas: 2,
				scaledObject: { minReplicaCount: 0, maxReplicaCount: 5 },
			}),
			(t: KafkaTrigger) => planConsumer("kafka", t, world),
		],
	],
]);

describe("a resource becomes the objects in its golden file", () => {
	for (const [name, [resource, plan]] of Object.entries(plans)) {
		test(name, () => {
			const { objects, notes } = plan(resource as never);
			const documents = [resource, ...objects].map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
			const text = documents.join("---\n") + notes.map((note) => `# ${note}\n`).join("");
			const file = new URL(`golden/${name}.yaml`, import.meta.url);
			// biome-ignore lint/style/noProcessEnv: a switch of this test alone
			if (process.env["UPDATE_GOLDEN"] === "true") writeFileSync(file, text);
			assert.equal(text, readFileSync(file, "utf8"));
		});
	}
});
