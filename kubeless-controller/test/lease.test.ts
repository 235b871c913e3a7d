import assert from "node:assert/strict";
import { test } from "node:test";
import { poll } from "../../test/support/poll.ts";
import { type Api, ApiError } from "../src/kube/api.ts";
import { Lease } from "../src/kube/lease.ts";

type Stored = { metadata: { resourceVersion: string }; spec: { holderIdentity: string; renewTime: string; leaseTransitions: number } };

/** The Lease's part of an API server, in memory: a write with an old version is refused. */
function server() {
	let stored: Stored | undefined;
	let version = 0;
	let reachable: boolean | "silent" = true;
	const answers = (): Promise<void> => {
		if (!reachable) throw new Error("unreachable");
		return reachable === "silent" ? new Promise(() => {}) : Promise.resolve();
	};
	const api = {
		async find() {
			await answers();
			return structuredClone(stored);
		},
		async get() {
			await answers();
			return structuredClone(stored);
		},
		async send(method: string, _: string, { body }: { body: Stored }) {
			await answers();
			const conflict = method === "POST" ? stored !== undefined : stored?.metadata.resourceVersion !== body.metadata.resourceVersion;
			if (conflict) throw new ApiError(409, "Conflict", "conflict");
			stored = { ...structuredClone(body), metadata: { ...body.metadata, resourceVersion: String(++version) } };
			return { body: stored, warnings: [] };
		},
	} as unknown as Api;
	const reach = (value: boolean | "silent"): void => {
		reachable = value;
	};
	return { api, now: () => stored?.spec, reach };
}

const timing = { durationMs: 120, renewDeadlineMs: 60, retryMs: 10 };
const ignore = (): void => {};

test("one of several replicas gets the Lease, and the next one when it is released", async () => {
	const { api, now } = server();
	const leases = ["a", "b", "c"].map((identity) => new Lease({ api, namespace: "n", name: "l", identity, ...timing }));
	const stop = new AbortController();
	const winner = await Promise.race(leases.map((lease) => lease.acquire(stop.signal, ignore).then(() => lease)));
	assert.equal(leases.filter(({ holds }) => holds).length, 1);
	const keeping = winner.keep(stop.signal);
	const times = new Set<string>();
	await poll(
		() => (times.add(now()?.renewTime ?? "").size > 5 ? true : undefined),
		() => "the Lease is not renewed",
	);
	assert.equal(leases.filter(({ holds }) => holds).length, 1);
	assert.equal(now()?.leaseTransitions, 1);
	stop.abort();
	await keeping;
	await winner.release();
	assert.equal(now()?.holderIdentity, "");
	const next = leases.find((lease) => lease !== winner) as Lease;
	await next.acquire(new AbortController().signal, ignore);
	assert.equal(now()?.leaseTransitions, 2);
});

test("a Lease whose holder is gone is taken when its duration has passed", async () => {
	const { api, now } = server();
	await new Lease({ api, namespace: "n", name: "l", identity: "gone", ...timing }).acquire(new AbortController().signal, ignore);
	const other = new Lease({ api, namespace: "n", name: "l", identity: "other", ...timing });
	await other.acquire(new AbortController().signal, ignore);
	assert.equal(now()?.holderIdentity, "other");
	assert.ok(other.holds);
});

test("a holder that cannot renew gives up before others may take the Lease", async () => {
	const { api, reach } = server();
	const lease = new Lease({ api, namespace: "n", name: "l", identity: "a", ...timing });
	await lease.acquire(new AbortController().signal, ignore);
	reach(false);
	await assert.rejects(lease.keep(new AbortController().signal), /lost the Lease l: unreachable/);
	assert.equal(lease.holds, false);
});

test("a holder whose renewal gets no answer gives up, too", async () => {
	const { api, reach } = server();
	const lease = new Lease({ api, namespace: "n", name: "l", identity: "a", ...timing });
	await lease.acquire(new AbortController().signal, ignore);
	reach("silent");
	await assert.rejects(lease.keep(new AbortController().signal), /lost the Lease l: the API server does not answer/);
	assert.equal(lease.holds, false);
});
