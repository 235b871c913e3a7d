import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../src/api/config.ts";
import type { KubelessFunction, KubeObject, Status } from "../src/api/types.ts";
import type { Api } from "../src/kube/api.ts";
import { Applier } from "../src/kube/applier.ts";
import { Cache } from "../src/kube/cache.ts";
import { reconcile } from "../src/reconcile.ts";
import { subjects } from "../src/subjects.ts";

const fn: KubelessFunction = {
	apiVersion: "kubeless.io/v1beta1",
	kind: "Function",
	metadata: { name: "hello", namespace: "demo", uid: "uid-1", generation: 2, resourceVersion: "10" },
	spec: { runtime: "nodejs24", handler: "hello.handler", function: "x" },
};

/** A Deployment that serves, as the watch has delivered it. */
const serving = (generation: number): KubeObject => ({
	apiVersion: "apps/v1",
	kind: "Deployment",
	metadata: {
		name: "hello",
		namespace: "demo",
		generation,
		ownerReferences: [{ apiVersion: fn.apiVersion, kind: "Function", name: "hello", uid: "uid-1" }],
	},
	spec: { replicas: 1 },
	status: { observedGeneration: generation, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
});

/**
 * Runs one pass. Returns the status that it wrote. @param applied the Deployment's generation after
 * it was applied
 */
async function pass(cached: KubeObject, applied: number): Promise<Status | undefined> {
	let written: Status | undefined;
	const api = {
		find: async (path: string) => (path.includes("/functions/") ? fn : undefined),
		async apply(path: string, object: KubeObject) {
			if (path.endsWith("/status")) written = object.status as Status;
			const generation = object.kind === "Deployment" ? { generation: applied } : {};
			return { body: { ...object, metadata: { ...object.metadata, ...generation, resourceVersion: "11" } }, warnings: [] };
		},
		send: async () => ({ body: {}, warnings: [] }),
	} as unknown as Api;
	const cache = new Cache();
	cache.set(cached);
	const applier = new Applier(api, cache);
	const subject = subjects({ api, applier, cache, config: () => parseConfig(), has: () => false })["Function"];
	assert.ok(subject);
	await reconcile(fn, subject, { api, applier, written: new Map(), onCondition: () => {} });
	return written;
}

const ready = (status: Status | undefined) => status?.conditions?.find(({ type }) => type === "Ready");

test("a Function is not Ready by the status of the version before, which the cache still has", async () => {
	assert.equal(ready(await pass(serving(1), 2))?.status, "False");
});

test("a Function is Ready by the status of the version that was applied", async () => {
	assert.equal(ready(await pass(serving(2), 2))?.status, "True");
});
