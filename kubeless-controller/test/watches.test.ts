import assert from "node:assert/strict";
import test from "node:test";
import type { KubeObject } from "../src/api/types.ts";
import type { Api } from "../src/kube/api.ts";
import { ApiError } from "../src/kube/api.ts";
import { CONFIG_MAPS, MADE } from "../src/kube/kinds.ts";
import { sleep } from "../src/kube/reflector.ts";
import { Watches } from "../src/kube/watches.ts";

/** An API server with one object of each kind, which serves the add-ons that `served` returns. */
function fakeApi(served: () => string[]): Api {
	const metadata = { name: "one", namespace: "default", resourceVersion: "1" };
	return {
		get: async (path: string) => {
			const resources = served().map((kind) => ({ kind }));
			if (resources.length === 0) throw new ApiError(404, "NotFound", path);
			return { resources };
		},
		send: async () => ({ status: 200, body: { metadata: { resourceVersion: "1" }, items: [{ metadata }] } }),
		watch: async function* (_path: string, _query: unknown, _silenceMs: number, signal: AbortSignal) {
			yield { type: "BOOKMARK", object: { metadata } };
			await sleep(60_000, signal);
		},
	} as unknown as Api;
}

test("an object is known when its watch resolves", async () => {
	const stop = new AbortController();
	const watches = new Watches({ api: fakeApi(() => []), onChange: () => {}, onRestart: () => {}, timing: undefined });
	let known: KubeObject | undefined;
	await watches.one(CONFIG_MAPS, "kubeless", "kubeless-config", (now) => (known = now), stop.signal);
	stop.abort();
	assert.equal(known?.metadata.name, "one");
});

test("the kinds of an add-on are watched when the cluster gets it, and no longer when it loses it", async () => {
	const [addOn] = MADE.filter((kind) => kind.addOn) as [(typeof MADE)[number]];
	let served: string[] = [];
	const stop = new AbortController();
	const seen: string[] = [];
	const watches = new Watches({
		api: fakeApi(() => served),
		onChange: (now) => now && seen.push(now.kind),
		onRestart: () => {},
		timing: undefined,
	});
	const changes: string[] = [];
	let next = Promise.withResolvers<void>();
	const polling = watches.pollAddOns("", stop.signal, {
		everyMs: 1,
		changed: (added, gone) => {
			changes.push(`+${added} -${gone}`);
			next.resolve();
		},
		failed: (error) => next.reject(error),
	});
	served = [addOn.kind];
	await next.promise;
	assert.ok(watches.has(addOn.kind));
	assert.ok(seen.includes(addOn.kind));
	next = Promise.withResolvers<void>();
	served = [];
	await next.promise;
	assert.ok(!watches.has(addOn.kind));
	stop.abort();
	await polling;
	assert.equal(changes.length, 2, `${changes}`);
});
