import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { statuses } from "../support/load.ts";
import { startLoader } from "../support/loader.ts";
import { everyRuntime } from "../support/runtimes.ts";

/** How late an answer at the time limit may be on a busy machine, in `ms`. */
const LATE_MS = 1000;

function assertTimedOut({ status, ms, headers }: { status: number; ms: number; headers: object }, limitMs: number): void {
	assert.equal(status, 408);
	assert.ok(ms >= limitMs - 20, `answered after ${ms} ms, before the time limit`);
	assert.ok(ms < limitMs + LATE_MS, `answered after ${ms} ms, too long after the time limit`);
	assert.equal((headers as { "access-control-allow-origin": string })["access-control-allow-origin"], "*");
}

everyRuntime("the time limit", ({ serve }) => {
	test("ends a call that sleeps with 408 and harms no other", async (t) => {
		const loader = await serve(t, "sleeps", { FUNC_TIMEOUT: "1.5" });
		const slow = loader.ask({ body: "60000" });
		const [first, second] = await Promise.all([loader.ask({ body: "100" }), loader.ask({ body: "200" })]);
		assert.deepEqual([first.text, second.text], ["slept", "slept"]);
		assertTimedOut(await slow, 1500);
		assert.equal((await loader.ask({ body: "1" })).text, "slept");
		const figures = await loader.figures();
		assert.equal(figures.of("function_timeouts_total"), 1);
		assert.equal(figures.of('function_failures_total{method="POST"}'), 1);
		assert.equal(figures.of('function_calls_total{method="POST"}'), 4);
	});
});

/** A loop that never waits, in the languages whose workers are one process for many calls. */
const LOOPS: Record<string, { file: string; source: string }> = {
	nodejs: { file: "f.js", source: "exports.h = (event) => { if (event.data === 'loop') for (;;); return 'fine' }" },
	python: { file: "f.py", source: "def h(event, context):\n    while event['data'] == b'loop':\n        pass\n    return 'fine'\n" },
};

for (const [id, { file, source }] of Object.entries(LOOPS)) {
	test(`${id}: a function in a busy loop gets 408, /healthz stays quick, and later calls are served`, async (t) => {
		const env = { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: id, FUNC_TIMEOUT: "2" };
		const loader = await startLoader(t, { files: { [file]: source }, env });
		assert.equal((await loader.ask()).text, "fine");
		const loop = loader.ask({ body: "loop" });
		const probes: number[] = [];
		for (let probe = 0; probe < 15; probe++) {
			const { status, ms } = await loader.ask("/healthz");
			assert.equal(status, 200);
			probes.push(ms);
		}
		const median = probes.sort((a, b) => a - b)[7] as number;
		assert.ok(median < 100, `/healthz took ${median} ms`);
		assertTimedOut(await loop, 2000);
		assert.equal((await loader.ask()).text, "fine");
	});
}

test("nodejs: a promise that never settles gets 408, and later calls are served", async (t) => {
	const source = "exports.h = (event) => event.data === 'never' ? new Promise(() => {}) : String(process.pid)";
	const env = { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs", FUNC_TIMEOUT: "1.5" };
	const loader = await startLoader(t, { files: { "f.js": source }, env });
	assertTimedOut(await loader.ask({ body: "never" }), 1500);
	assert.equal((await loader.ask()).status, 200);
});

describe("a worker stuck in a busy loop", () => {
	test("with 20 calls in flight: each gets its one answer, and calls that come later are served at once", async (t) => {
		const loader = await startFake(t, { FUNC_TIMEOUT: "2" });
		const held = Array.from({ length: 20 }, () => loader.ask("/slow?5000"));
		await loader.figuresWhen("20 calls", ({ inFlight }) => inFlight === 20);
		const busy = await loader.ask("/busy");
		assertTimedOut(busy, 2000);
		const outcomes = await Promise.all(held);
		assert.deepEqual(
			outcomes.map(({ status }) => status),
			Array(20).fill(408),
		);
		const later = await Promise.all(Array.from({ length: 20 }, (_, number) => loader.ask({ body: String(number) })));
		assert.deepEqual(statuses(later.map((got, number) => ({ got, number }))), { 200: 20 });
		assert.ok(later.every(({ text }, number) => text === String(number)));
		const figures = await loader.figuresWhen("the stuck worker's end", (one) => one.exits("timeout") === 1);
		assert.equal(figures.of("function_timeouts_total"), 21);
		assert.equal(figures.inFlight, 0);
	});

	test("finishes the calls it can: one that only will not let go of a call keeps its others", async (t) => {
		const loader = await startFake(t, { FUNC_TIMEOUT: "1.2" });
		const stubborn = loader.ask("/stubborn");
		const begun = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 600));
		// Held by the worker when it comes into doubt, due 600 ms after that.
		const other = loader.ask("/slow?900");
		assertTimedOut(await stubborn, 1200);
		assert.equal((await other).text, "slow", `after ${performance.now() - begun} ms`);
		await loader.figuresWhen("the end of the worker in doubt", (one) => one.exits("timeout") === 1);
	});

	test("a call that waits for a worker has no more time than one that runs", async (t) => {
		const loader = await startFake(t, { FUNC_TIMEOUT: "0.8", FAKE_CONCURRENCY: "1" });
		const [first, second] = await Promise.all([loader.ask("/hang"), loader.ask("/slow?10")]);
		assertTimedOut(first, 800);
		// It had to wait for the worker, which ends the first at the same time.
		assert.ok(second.status === 503 || second.status === 200);
		const figures = await loader.figures();
		assert.equal(figures.inFlight, 0);
		assert.equal(figures.of("function_queue_length"), 0);
	});
});
