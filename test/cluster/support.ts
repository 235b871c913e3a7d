// What the tests on a cluster share: requests, a namespace of their own, the controller in this
// process, and a stand-in for kubelets.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe } from "node:test";
import { pino } from "pino";
import type { Condition, KubeObject, Resource, Status } from "../../kubeless-controller/src/api/types.ts";
import { Controller, type ControllerOptions } from "../../kubeless-controller/src/controller.ts";
import { type Answer, Api, isStatus } from "../../kubeless-controller/src/kube/api.ts";
import { type Cluster, loadCluster } from "../../kubeless-controller/src/kube/credentials.ts";
import { listPath, objectPath } from "../../kubeless-controller/src/kube/kinds.ts";
import { Metrics } from "../../kubeless-controller/src/metrics.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";

interface Given {
	readonly kubeconfig: string;
	readonly server: string;
	readonly binary: string;
	/** First port of the control plane: the tests may use PORT + 10 and above. */
	readonly port: number;
}

const given = process.env["KUBELESS_CLUSTER"];
export const cluster = (given ? JSON.parse(given) : {}) as Given;

/** Tests that need the control plane which `npm run test:cluster` starts. */
export function describeCluster(what: string, tests: () => void): void {
	describe(what, { skip: given === undefined && "npm run test:cluster starts the control plane" }, tests);
}

let loaded: Cluster | undefined;
export const admin = (): Cluster => (loaded ??= loadCluster({ kubeconfig: cluster.kubeconfig }));
let adminApi: Api | undefined;
export const api = (): Api => (adminApi ??= new Api(admin()));

/** Returns a cluster with the token of a service account. */
export async function asAccount(ns: string, name: string): Promise<Cluster> {
	const { stdout, stderr } = await kubectl(["create", "token", name, "-n", ns]);
	assert.notEqual(stdout, "", stderr);
	const full = admin();
	return {
		...full,
		async credentials() {
			const { dispatcher } = await full.credentials();
			return { dispatcher, headers: { Authorization: `Bearer ${stdout.trim()}` } };
		},
	};
}

export interface Ran {
	readonly status: number;
	readonly stdout: string;
	readonly stderr: string;
}

export const kubectl = (args: readonly string[], input = ""): Promise<Ran> =>
	runProgram(cluster.binary, ["kubectl", "--kubeconfig", cluster.kubeconfig, ...args], input);

export function runProgram(program: string, args: readonly string[], input = ""): Promise<Ran> {
	const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
	const text = { stdout: "", stderr: "" };
	for (const stream of ["stdout", "stderr"] as const)
		child[stream].setEncoding("utf8").on("data", (chunk: string) => (text[stream] += chunk));
	child.stdin.end(input);
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (status) => resolve({ status: status ?? 1, ...text }));
	});
}

/** Returns the name of a new namespace, which is deleted with the owner. */
export async function namespace(owner: Owner): Promise<string> {
	const name = `test-${randomBytes(4).toString("hex")}`;
	await api().send("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
	owner.after(async () => {
		await api()
			.send("DELETE", `/api/v1/namespaces/${name}`)
			.catch(() => {});
	});
	return name;
}

export const HELLO = { runtime: "nodejs24", handler: "hello.handler", function: "exports.handler = () => 'hello';" };

export const create = (object: KubeObject): Promise<KubeObject> =>
	api()
		.send("POST", listPath(kindPath(object.kind), object.metadata.namespace ?? ""), { body: object })
		.then(({ body }) => body);

export function fn(namespace: string, name: string, spec: object = HELLO, metadata: object = {}): KubeObject {
	return { apiVersion: "kubeless.io/v1beta1", kind: "Function", metadata: { name, namespace, ...metadata }, spec };
}

export function trigger(kind: string, namespace: string, name: string, spec: object, metadata: object = {}): KubeObject {
	return { apiVersion: "kubeless.io/v1beta1", kind, metadata: { name, namespace, ...metadata }, spec };
}

export const get = (kind: string, namespace: string, name: string): Promise<KubeObject | undefined> =>
	api().find(path(kind, namespace, name));
export const list = (kind: string, namespace: string): Promise<KubeObject[]> =>
	api()
		.get<{ items: KubeObject[] }>(listPath(kindPath(kind), namespace))
		.then(({ items }) => items);

export async function patch(kind: string, namespace: string, name: string, body: object): Promise<void> {
	await api().send("PATCH", path(kind, namespace, name), { body, type: "application/merge-patch+json" });
}

export async function remove(kind: string, namespace: string, name: string): Promise<void> {
	await api()
		.send("DELETE", path(kind, namespace, name))
		.catch((error) => {
			if (!isStatus(error, 404)) throw error;
		});
}

/** Kinds that only the tests use. */
const OTHERS: Readonly<Record<string, { apiVersion: string; plural: string }>> = {
	Event: { apiVersion: "events.k8s.io/v1", plural: "events" },
	ReplicaSet: { apiVersion: "apps/v1", plural: "replicasets" },
	ResourceQuota: { apiVersion: "v1", plural: "resourcequotas" },
	Job: { apiVersion: "batch/v1", plural: "jobs" },
};

function kindPath(kind: string): { apiVersion: string; plural: string } {
	if (OTHERS[kind]) return OTHERS[kind];
	const [, apiVersion = "", plural = ""] = /^\/apis?\/(.+)\/namespaces\/x\/([a-z]+)\/y$/.exec(objectPath(kind, "x", "y")) ?? [];
	return { apiVersion, plural };
}

const path = (kind: string, namespace: string, name: string): string => `${listPath(kindPath(kind), namespace)}/${name}`;

export function conditionOf(object: KubeObject | undefined, type: string): Condition | undefined {
	return (object as Resource<unknown> | undefined)?.status?.conditions?.find((condition) => condition.type === type);
}

/** Resolves with the object when a condition of its current generation has the reason. */
export function condition(
	kind: string,
	namespace: string,
	name: string,
	type: string,
	reason: string,
	ms = 30_000,
): Promise<Resource<never> & { status: Status }> {
	let last: KubeObject | undefined;
	return poll(
		async () => {
			last = await get(kind, namespace, name);
			const found = conditionOf(last, type);
			return found?.reason === reason && found.observedGeneration === last?.metadata.generation
				? (last as Resource<never> & { status: Status })
				: undefined;
		},
		() => `${kind} ${name} has no condition ${type} with reason ${reason}: ${JSON.stringify(last?.status)}`,
		ms,
	);
}

/** Resolves with the object when it is there and the test passes. */
export function eventually<T extends KubeObject>(
	kind: string,
	namespace: string,
	name: string,
	passes: (object: T) => boolean = () => true,
): Promise<T> {
	let last: KubeObject | undefined;
	return poll(
		async () => {
			last = await get(kind, namespace, name);
			return last && passes(last as T) ? (last as T) : undefined;
		},
		() => `${kind} ${name} is not as expected: ${JSON.stringify(last)}`,
		30_000,
	);
}

/**
 * Resolves when the object is gone. The garbage collector of Kubernetes removes it in about 2 s,
 * but stops for up to a minute when a CRD comes or goes.
 */
export async function gone(kind: string, namespace: string, name: string): Promise<void> {
	await poll(
		async () => ((await get(kind, namespace, name)) === undefined ? true : undefined),
		() => `${kind} ${name} is still there`,
		120_000,
	);
}

export interface Running {
	readonly metrics: Metrics;
	/** The log's lines. */
	readonly lines: string[];
	/** Resolves when all objects are known and passes run. */
	started(): Promise<void>;
	stop(): Promise<void>;
}

/** Starts a controller in this process, without leader election: it ends with the owner. */
export function startController(owner: Owner, options: Partial<ControllerOptions> & { cluster?: Cluster } = {}): Running {
	const lines: string[] = [];
	const metrics = new Metrics();
	const stop = new AbortController();
	const controller = new Controller({
		api: new Api(options.cluster ?? admin()),
		log: pino({ level: "debug" }, { write: (line: string) => void lines.push(line) }),
		metrics,
		identity: "test",
		configNamespace: "kubeless",
		configName: "kubeless-config",
		concurrency: 16,
		imageOverrides: {},
		backoff: { minBackoffMs: 100, maxBackoffMs: 2000 },
		...options,
	});
	const ended = controller.run(stop.signal).catch((error: Error) => void lines.push(`ended: ${error.message}`));
	const running: Running = {
		metrics,
		lines,
		started: async () =>
			void (await poll(
				() => controller.started || undefined,
				() => `the controller does not start: ${lines.join("")}`,
				30_000,
			)),
		stop: () => {
			stop.abort();
			return ended;
		},
	};
	owner.after(running.stop);
	return running;
}

/** Notes the requests of a controller, and fails them on demand. */
export class RecordingApi extends Api {
	/** Method and path of each request but watches. */
	readonly sent: string[] = [];
	/** The statuses that were written, by the resource's namespace and name. */
	readonly statuses: { readonly of: string; readonly status: Status }[] = [];
	/**
	 * Throws for a request that must fail. @param done whether the API server has worked on it already
	 */
	onRequest: (method: string, path: string, done: boolean) => void = () => {};

	override async send<T = KubeObject>(...[method, path, request]: Parameters<Api["send"]>): Promise<Answer<T>> {
		this.sent.push(`${method} ${path}`);
		this.onRequest(method, path, false);
		const { metadata, status } = (request?.body ?? {}) as Partial<Resource<unknown>>;
		if (path.endsWith("/status") && metadata && status) this.statuses.push({ of: `${metadata.namespace}/${metadata.name}`, status });
		const answer = await super.send<T>(method, path, request);
		this.onRequest(method, path, true);
		return answer;
	}
}

export type PodState = "ready" | { readonly [field: string]: unknown };

/**
 * Sets the status of a namespace's pods as a kubelet would: there is no node. @param decide what
 * becomes of a pod
 */
export function standIn(owner: Owner, namespace: string, decide: (pod: KubeObject) => PodState | undefined = () => "ready"): void {
	const stop = new AbortController();
	const done = (async () => {
		while (!stop.signal.aborted) {
			for (const pod of await list("Pod", namespace).catch(() => [])) {
				const state = decide(pod);
				const wanted = state === "ready" ? readyStatus(pod) : state;
				// The scheduler finds no node and writes so into the status, before or after us.
				const scheduled =
					(pod.status as { conditions?: Condition[] }).conditions?.find(({ type }) => type === "PodScheduled")?.status === "True";
				if (!wanted || (scheduled && pod.metadata.annotations?.["test/status"] === JSON.stringify(wanted))) continue;
				const { name } = pod.metadata;
				await api()
					.send("PATCH", `${path("Pod", namespace, name)}/status`, { body: { status: wanted }, type: "application/merge-patch+json" })
					.then(() => patch("Pod", namespace, name, { metadata: { annotations: { "test/status": JSON.stringify(wanted) } } }))
					.catch((error) => {
						if (!isStatus(error, 404, 409)) throw error;
					});
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	})();
	owner.after(async () => {
		stop.abort();
		await done;
	});
}

function readyStatus({ spec }: KubeObject): object {
	const { containers, initContainers = [] } = spec as {
		containers: { name: string; image: string }[];
		initContainers?: { name: string; image: string }[];
	};
	const common = { restartCount: 0, imageID: "test", ready: true };
	const time = "2026-01-01T00:00:00Z";
	return {
		phase: "Running",
		conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
			type,
			status: "True",
			lastTransitionTime: time,
		})),
		containerStatuses: containers.map(({ name, image }) => ({
			...common,
			name,
			image,
			started: true,
			state: { running: { startedAt: time } },
		})),
		initContainerStatuses: initContainers.map(({ name, image }) => ({
			...common,
			name,
			image,
			state: { terminated: { exitCode: 0, reason: "Completed", startedAt: time, finishedAt: time } },
		})),
	};
}

/** Asserts that values differ in nothing that matters. */
export const same = (actual: unknown, expected: unknown): void => assert.deepEqual(actual, expected);
