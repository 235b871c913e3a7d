import assert from "node:assert/strict";
import { request as plainRequest, createServer as plainServer } from "node:http";
import { test } from "node:test";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import { TIMING } from "../../kubeless-controller/src/kube/reflector.ts";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import {
	admin,
	asAccount,
	cluster,
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

const FILES = ["ConfigMap", "Service", "Deployment"];
const message = (object: KubeObject, type = "Configured"): string => conditionOf(object, type)?.message ?? "";

describeCluster("a Function with a mistake", () => {
	const owner = suiteOwner();

	/** Specs that the schema accepts, and the condition that each one gets. */
	const mistakes: Record<string, { spec: object; reason: string; says: RegExp }> = {
		"no runtime": { spec: { handler: "a.b", function: "x" }, reason: "NoRuntime", says: /Set spec\.runtime/ },
		"no text": { spec: { runtime: "nodejs24", handler: "a.b" }, reason: "NoFunction", says: /spec\.function is empty/ },
		"a wrong quantity": {
			spec: { ...HELLO, deployment: { spec: { template: { spec: { containers: [{ resources: { limits: { memory: "lots" } } }] } } } } },
			reason: "InvalidObject",
			says: /quantities must match/,
		},
		"a field that does not exist": {
			spec: { ...HELLO, deployment: { spec: { template: { spec: { nodeSelectr: { a: "b" } } } } } },
			reason: "InvalidObject",
			says: /\.spec\.template\.spec\.nodeSelectr: field not declared in schema/,
		},
		"a port out of range": { spec: { ...HELLO, service: { ports: [{ port: 99_999 }] } }, reason: "InvalidObject", says: /99999/ },
	};
	for (const [what, { spec, reason, says }] of Object.entries(mistakes)) {
		test(`such as ${what} is reported once in its status and in an Event, without fast retries`, async (t) => {
			const ns = await namespace(owner);
			const api = new RecordingApi(admin());
			startController(t, { api });
			await create(fn(ns, "wrong", spec));
			assert.match(message(await condition("Function", ns, "wrong", "Configured", reason)), says);
			const events = async () => (await list("Event", ns)).filter((event) => event["reason"] === reason);
			await poll(
				async () => ((await events()).length > 0 ? true : undefined),
				() => "there is no event",
			);
			assert.equal((await events()).length, 1);
			const statuses = api.sent.filter((sent) => sent.includes(`/namespaces/${ns}/functions/wrong/status`));
			assert.equal(statuses.length, 1, api.sent.join("\n"));
			await patch("Function", ns, "wrong", { spec: { ...HELLO, deployment: null, service: null } });
			await condition("Function", ns, "wrong", "Configured", "Configured");
		});
	}

	test("the schema and the policy refuse what cannot work, each with a sentence", async (t) => {
		const ns = await namespace(owner);
		const running = startController(t);
		await running.started();
		await eventually("ConfigMap", "kubeless", "kubeless-runtimes");
		const refused: Record<string, [object, RegExp]> = {
			a: [{ ...HELLO, runtime: "cobol85" }, /runtime cobol85 is unknown\. Use one of: .*nodejs24/],
			b: [{ ...HELLO, handler: "nodot" }, /handler must be FILE\.FUNCTION/],
			c: [{ ...HELLO, checksum: "sha256:12" }, /checksum must be sha256: and 64 hexadecimal digits/],
			d: [{ ...HELLO, timeout: "soon" }, /timeout must be a number of seconds/],
			e: [{ ...HELLO, "function-content-type": "jar" }, /function-content-type must be text, base64 or url/],
			f: [{ runtime: "nodejs24" }, /a runtime needs a handler/],
			g: [{ ...HELLO, "function-contenttype": "text" }, /unknown field "spec.function-contenttype"/],
			"1st": [HELLO, /a Function's name must be/],
		};
		for (const [name, [spec, says]] of Object.entries(refused)) {
			const { status, stderr } = await kubectl(["create", "-f", "-"], JSON.stringify(fn(ns, name, spec)));
			assert.equal(status, 1, name);
			assert.match(stderr, says);
		}
		const image = { spec: { template: { spec: { containers: [{ image: "example/cobol" }] } } } };
		const { status, stderr } = await kubectl(
			["create", "-f", "-"],
			JSON.stringify(fn(ns, "image", { ...HELLO, runtime: "cobol85", deployment: image })),
		);
		assert.equal(status, 0, stderr);
	});

	test("a warning of the API server stands in the status", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		const labeled = await kubectl(["label", "namespace", ns, "pod-security.kubernetes.io/warn=restricted"]);
		assert.equal(labeled.status, 0, labeled.stderr);
		const container = { securityContext: { capabilities: { add: ["SYS_TIME"] } } };
		await create(fn(ns, "rooted", { ...HELLO, deployment: { spec: { template: { spec: { containers: [container] } } } } }));
		assert.match(
			message(await condition("Function", ns, "rooted", "Configured", "ConfiguredPartly")),
			/warns: would violate PodSecurity "restricted:latest"/,
		);
		await create(fn(ns, "plain"));
		await condition("Function", ns, "plain", "Configured", "Configured");
	});

	test("reports why its pods do not get ready", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		const terminated = (exitCode: number, reason: string, text: string) => ({ terminated: { exitCode, reason, message: text } });
		const status = (name: string, state: object, more: object = {}) => ({
			name,
			image: "x",
			imageID: "",
			ready: false,
			restartCount: 2,
			state,
			...more,
		});
		const pending = { phase: "Pending", conditions: [{ type: "PodScheduled", status: "True" }] };
		const waiting = (reason: string, text = "") => ({ waiting: { reason, message: text } });
		const cases: Record<string, { pod: object; type: string; reason: string; says: RegExp }> = {
			install: {
				pod: {
					...pending,
					initContainerStatuses: [
						status("install", waiting("CrashLoopBackOff"), { lastState: terminated(1, "Error", "no package lodahs") }),
					],
				},
				type: "Built",
				reason: "InstallFailed",
				says: /install ended with exit code 1: no package lodahs/,
			},
			pull: {
				pod: { ...pending, containerStatuses: [status("pull", waiting("ImagePullBackOff", "not found"))] },
				type: "Ready",
				reason: "ImagePullBackOff",
				says: /image of container pull cannot be pulled: not found/,
			},
			crash: {
				pod: {
					...pending,
					containerStatuses: [
						status("crash", waiting("CrashLoopBackOff"), { lastState: terminated(1, "Error", "SyntaxError in hello.js") }),
					],
				},
				type: "Ready",
				reason: "CrashLoopBackOff",
				says: /exit code 1 \(2 restarts\): SyntaxError in hello.js/,
			},
			memory: {
				pod: {
					...pending,
					containerStatuses: [status("memory", waiting("CrashLoopBackOff"), { lastState: terminated(137, "OOMKilled", "") })],
				},
				type: "Ready",
				reason: "OOMKilled",
				says: /needed more memory than its limit/,
			},
		};
		standIn(t, ns, ({ metadata }) => cases[metadata.labels?.["function"] ?? ""]?.pod as never);
		for (const [name, { type, reason, says }] of Object.entries(cases)) {
			await create(fn(ns, name));
			assert.match(message(await condition("Function", ns, name, type, reason), type), says);
		}
	});
});

describeCluster("a cluster that refuses", () => {
	const owner = suiteOwner();

	test("by a quota is reported, and the Function works when the quota is raised", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		await create({
			apiVersion: "v1",
			kind: "ResourceQuota",
			metadata: { name: "none", namespace: ns },
			spec: { hard: { "count/services": "0" } },
		});
		await eventually<KubeObject & { status?: { hard?: object } }>("ResourceQuota", ns, "none", ({ status }) => status?.hard !== undefined);
		await create(fn(ns, "hello"));
		assert.match(message(await condition("Function", ns, "hello", "Configured", "QuotaExceeded")), /exceeded quota: none/);
		assert.equal(await get("Deployment", ns, "hello"), undefined, "a failed step ends the pass");
		await remove("ResourceQuota", ns, "none");
		await condition("Function", ns, "hello", "Configured", "Configured");
	});

	test("by a quota for pods is reported with the ReplicaSet's message", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		await create({ apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "none", namespace: ns }, spec: { hard: { pods: "0" } } });
		await eventually<KubeObject & { status?: { hard?: object } }>("ResourceQuota", ns, "none", ({ status }) => status?.hard !== undefined);
		await create(fn(ns, "hello"));
		assert.match(message(await condition("Function", ns, "hello", "Ready", "QuotaExceeded"), "Ready"), /exceeded quota/);
	});

	test("by a missing right is reported, everything else works", async (t) => {
		const ns = await namespace(owner);
		const role = JSON.parse((await kubectl(["get", "clusterrole", "kubeless-controller", "-o", "json"])).stdout);
		const name = `narrow-${ns}`;
		const rules = role.rules.filter(({ apiGroups }: { apiGroups: string[] }) => !apiGroups.includes("autoscaling"));
		const rbac = "rbac.authorization.k8s.io";
		const account = { kind: "ServiceAccount", name, namespace: ns };
		const objects = [
			{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: ns } },
			{ apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules },
			{
				apiVersion: `${rbac}/v1`,
				kind: "ClusterRoleBinding",
				metadata: { name },
				roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
				subjects: [account],
			},
		];
		const made = await kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
		assert.equal(made.status, 0, made.stderr);
		owner.after(async () => void (await kubectl(["delete", "clusterrole,clusterrolebinding", name])));
		const limited = await asAccount(ns, name);
		startController(t, { cluster: limited });
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		await patch("Function", ns, "hello", { spec: { horizontalPodAutoscaler: { spec: { maxReplicas: 3 } } } });
		assert.match(
			message(await condition("Function", ns, "hello", "Configured", "Forbidden")),
			/cannot .* resource "horizontalpodautoscalers"/,
		);
	});

	test("accepts everything that a Function's life needs with the rights in deploy/", async (t) => {
		const ns = await namespace(owner);
		const running = startController(t, { cluster: await asAccount("kubeless", "kubeless-controller") });
		standIn(t, ns);
		await create(
			fn(ns, "hello", { ...HELLO, horizontalPodAutoscaler: { spec: { maxReplicas: 3 } } }, { finalizers: ["kubeless.io/function"] }),
		);
		await condition("Function", ns, "hello", "Ready", "Ready");
		await patch("Function", ns, "hello", { spec: { horizontalPodAutoscaler: null, timeout: "3" } });
		await gone("HorizontalPodAutoscaler", ns, "hello");
		await remove("Function", ns, "hello");
		await gone("Deployment", ns, "hello");
		await running.stop();
		assert.doesNotMatch(running.lines.join(""), /forbidden/i);
	});
});

describeCluster("a controller", () => {
	const owner = suiteOwner();

	test("that fails before or after any of its writes leaves a state that the next one completes", async (t) => {
		let points = 0;
		for (let point = 1; ; point++) {
			const ns = await namespace(owner);
			await create(fn(ns, "hello", { ...HELLO, horizontalPodAutoscaler: { spec: { maxReplicas: 3 } } }));
			for (const done of [false, true]) {
				let writes = 0;
				const broken = new RecordingApi(admin());
				broken.onRequest = (method, path, after) => {
					if (method === "GET" || !path.includes(`/namespaces/${ns}/`) || after !== done) return;
					// From then on nothing gets through: the process is dead.
					if (++writes >= point) throw new Error("crash point");
				};
				const running = startController(t, { api: broken, backoff: { minBackoffMs: 60_000, maxBackoffMs: 60_000 } });
				await poll(
					async () => (writes >= point || (await settled(ns)) ? true : undefined),
					() => `write ${point} does not come`,
					20_000,
				);
				await running.stop();
				points += writes >= point ? 1 : 0;
			}
			const next = startController(t);
			const found = await condition("Function", ns, "hello", "Configured", "Configured");
			for (const kind of [...FILES, "HorizontalPodAutoscaler"]) {
				assert.equal(
					(await get(kind, ns, "hello"))?.metadata.ownerReferences?.[0]?.uid,
					found.metadata.uid,
					`${kind} after write ${point}`,
				);
			}
			await next.stop();
			if (point >= 8) break;
		}
		assert.ok(points >= 8, `only ${points} points were reached`);
	});

	const settled = async (ns: string): Promise<boolean> =>
		conditionOf(await get("Function", ns, "hello"), "Ready")?.reason === "Unschedulable";

	test("follows kubeless-config while it runs, and keeps the last one that can be read", async (t) => {
		const ns = await namespace(owner);
		const running = startController(t);
		const container = { env: [{ name: "FROM_CONFIG", value: "1" }] };
		const config = (deployment: string) => patch("ConfigMap", "kubeless", "kubeless-config", { data: { deployment } });
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		const hasVariable = ({ spec }: KubeObject): boolean => JSON.stringify(spec).includes("FROM_CONFIG");
		await config(JSON.stringify({ spec: { template: { spec: { containers: [container] } } } }));
		await eventually("Deployment", ns, "hello", hasVariable);
		await config('{"spec": {}, "spec": {}}');
		await poll(
			() => (running.lines.some((line) => /Map keys must be unique/.test(line)) ? true : undefined),
			() => "the fault is not logged",
		);
		await create(fn(ns, "other"));
		await eventually("Deployment", ns, "other", hasVariable);
		await config("{}");
		await eventually("Deployment", ns, "hello", (deployment) => !hasVariable(deployment));
	});

	test("ends when functions-namespace changes, and works on that namespace alone after its restart", async (t) => {
		const [ns, other] = [await namespace(owner), await namespace(owner)];
		const restrict = (value: string) => patch("ConfigMap", "kubeless", "kubeless-config", { data: { "functions-namespace": value } });
		t.after(() => restrict(""));
		const first = startController(t);
		await first.started();
		await restrict(ns);
		await poll(
			() => (first.lines.some((line) => line === "ended: functions-namespace has changed") ? true : undefined),
			() => "it does not end",
		);
		await startController(t).started();
		await create(fn(other, "hello"));
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		assert.equal((await get("Function", other, "hello"))?.status, undefined);
	});

	test("goes on after a restart of the API server", async (t) => {
		const ns = await namespace(owner);
		startController(t);
		await create(fn(ns, "before"));
		await condition("Function", ns, "before", "Configured", "Configured");
		await new Promise<void>((resolve, reject) => {
			plainRequest({ host: "127.0.0.1", port: cluster.port + 5, method: "POST", agent: false }, (answer) =>
				answer.resume().on("end", resolve),
			)
				.on("error", reject)
				.end();
		});
		await poll(
			() => create(fn(ns, "after")).catch(() => undefined),
			() => "the API server does not answer",
			30_000,
		);
		await condition("Function", ns, "after", "Configured", "Configured");
		await remove("Deployment", ns, "before");
		await eventually("Deployment", ns, "before");
	});

	test("finds out that a watch has gone silent, and what happened meanwhile", async (t) => {
		const ns = await namespace(owner);
		const proxy = await pausableProxy(t);
		const behind = {
			...admin(),
			server: `http://127.0.0.1:${proxy.port}`,
			credentials: async () => ({ headers: {}, dispatcher: undefined }),
		};
		const running = startController(t, { cluster: behind, timing: { ...TIMING, silenceMs: 2000 } });
		await running.started();
		proxy.pause();
		await create(fn(ns, "hello"));
		await condition("Function", ns, "hello", "Configured", "Configured");
		assert.match(running.lines.join(""), /silent for 2000 ms/);
	});
});

/**
 * A proxy to the API server whose watches can be made to hang without an end, as a lost connection
 * does.
 */
async function pausableProxy(owner: Owner): Promise<{ port: number; pause(): void }> {
	const { headers, dispatcher } = await admin().credentials();
	const { request } = await import("undici");
	let epoch = 0;
	const server = plainServer(async (asked, answer) => {
		const started = epoch;
		const chunks: Buffer[] = [];
		for await (const chunk of asked) chunks.push(chunk as Buffer);
		const ended = new AbortController();
		answer.once("close", () => ended.abort());
		try {
			const upstream = await request(cluster.server + asked.url, {
				method: asked.method as "GET",
				headers: { ...headers, accept: "application/json", "content-type": asked.headers["content-type"] ?? "application/json" },
				body: chunks.length > 0 ? Buffer.concat(chunks) : null,
				signal: ended.signal,
				bodyTimeout: 0,
				...(dispatcher && { dispatcher }),
			});
			answer.writeHead(upstream.statusCode, { "content-type": "application/json" });
			answer.flushHeaders();
			const isWatch = asked.url?.includes("watch=true");
			for await (const chunk of upstream.body) if (!isWatch || started === epoch) answer.write(chunk);
			answer.end();
		} catch {
			answer.destroy();
		}
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address() as { port: number };
	owner.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { port: address.port, pause: () => void epoch++ };
}
