import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { type Arrival, arrivals } from "../support/arrivals.ts";
import { startFake } from "../support/fake.ts";

const count = (all: readonly Arrival[], status: number): number => all.filter((one) => one.status === status).length;
const shown = (all: readonly Arrival[]): string =>
	JSON.stringify(Object.fromEntries([200, 408, 502, 503, 0].map((status) => [status, count(all, status)])));

describe("sustained overload", () => {
	for (const [kind, env, manifest] of [
		["many calls at once in one process", { FAKE_CONCURRENCY: "4" }, {}],
		["one call at a time in four processes", { FUNC_WORKERS: "4", FUNC_CONCURRENCY: "4" }, { concurrency: "single" }],
	] as const) {
		test(`${kind}: at three times the capacity calls are served or refused, none times out, and no worker is killed`, async (t) => {
			// 4 calls at once of 200 ms each: 20 calls a second.
			const loader = await startFake(t, { FUNC_TIMEOUT: "2", ...env }, manifest);
			await loader.figuresWhen("all workers", (one) => one.of("function_workers_ready") >= (env.FUNC_WORKERS === undefined ? 1 : 4));
			const started = (await loader.figures()).of("function_worker_starts_total");
			const seconds = 8;
			const all = await arrivals(loader.port, 60, seconds, "x", "/slow?200");
			assert.ok(count(all, 408) <= all.length / 100, shown(all));
			assert.ok(count(all, 200) >= (20 * seconds) / 2, `fewer answers than half of the capacity: ${shown(all)}`);
			assert.equal(count(all, 200) + count(all, 408) + count(all, 503), all.length, shown(all));
			const refused = all.filter(({ status }) => status === 503);
			assert.ok(refused.length > 0);
			for (const { headers } of refused) {
				assert.equal(headers["kubeless-refused"], "OVERLOADED");
				assert.match(String(headers["retry-after"]), /^[1-3]$/);
			}
			// Refused on entry, not after a wait.
			const late = refused.filter(({ at, done }) => done - at > 1500);
			assert.ok(late.length < refused.length / 4, `${late.length} of ${refused.length} refusals came after a wait`);
			const figures = await loader.figures();
			assert.equal(figures.of("function_worker_starts_total"), started, "workers were replaced");
			assert.equal(figures.rejections("overloaded"), refused.length);
			assert.equal((await loader.ask("/slow?1")).status, 200, "a call after the overload");
		});
	}
});

test("a call that waited until its time limit is answered 503, and the function is not called", async (t) => {
	const loader = await startFake(t, { FUNC_TIMEOUT: "1", FAKE_CONCURRENCY: "1" });
	const first = loader.ask("/stubborn");
	await loader.figuresWhen("the first call", ({ inFlight }) => inFlight === 1);
	const second = await loader.ask({ path: "/slow?1", method: "PUT" });
	// The first call's worker is replaced at the time limit of both: the second is served if that
	// comes first.
	if (second.status !== 200) assert.deepEqual([second.status, second.headers["kubeless-refused"]], [503, "OVERLOADED"]);
	assert.equal((await first).status, 408);
	const calls = (await loader.figures()).of('function_calls_total{method="PUT"}');
	assert.equal(calls, second.status === 200 ? 1 : 0);
});

test("a call that waited long and runs past its time limit does not cost the worker", async (t) => {
	const loader = await startFake(t, { FUNC_TIMEOUT: "1.5", FAKE_CONCURRENCY: "1" });
	const pid = (await loader.ask("/pid")).text;
	const first = loader.ask("/slow?900");
	await loader.figuresWhen("the first call", ({ inFlight }) => inFlight === 1);
	const second = loader.ask("/slow?1200");
	assert.equal((await first).status, 200);
	assert.equal((await second).status, 408);
	const third = await loader.ask("/pid");
	assert.deepEqual([third.status, third.text], [200, pid]);
	assert.equal((await loader.figures()).exits("timeout"), 0);
});

test("only the loader can say that the function did not run", async (t) => {
	const loader = await startFake(t, { REQ_MB_LIMIT: "0.001" });
	const own = await loader.ask("/claims-refusal");
	assert.deepEqual([own.status, own.headers["kubeless-refused"], own.headers["x-other"]], [503, undefined, "kept"]);
	const tooLarge = await loader.ask({ body: "x".repeat(5000) });
	assert.deepEqual([tooLarge.status, tooLarge.headers["kubeless-refused"]], [413, "BODY_TOO_LARGE"]);
	assert.equal((await loader.ask("/throw")).headers["kubeless-refused"], undefined);
});
