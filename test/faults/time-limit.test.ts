import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { statuses } from "../support/load.ts";
import { startLoader } from "../support/loader.ts";
import { everyRuntime } from "../support/runtimes.ts";

/** The maximum delay of an answer after FUNC_TIMEOUT on a busy machine. */
const LATE_MS = 1000;

function assertTimedOut({ status, ms, headers }: { status: number; ms: number; headers: object }, limitMs: number): void {
	assert.equal(status, 408);
	assert.ok(ms >= limitMs - 20, `answered after ${ms} ms, before FUNC_TIMEOUT`);
	assert.ok(ms < limitMs + LATE_MS, `answered after ${ms} ms, too long after FUNC_TIMEOUT`);
	assert.equal((headers as { "access-control-allow-origin": string })["access-control-allow-origin"], "*");
}

everyRuntime("the time limit", ({ serve }) => {
	test("a call past FUNC_TIMEOUT is answered 408, and no other call is harmed", async (t) => {
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

/** A busy loop, in the languages whose workers run many calls in one process. */
const LOOPS: Record<string, { file: string; source: string }> = {
	nodejs: { file: "f.js", source: "exports.h = (event) => { if (event.data === 'loop') for (;;); return 'fine' }" },
	python: { file: "f.py", source: "def h(event, context):\n    while event['data'] == b'loop':\n        pass\n    return 'fine'\n" },
};

for (const [id, { file, source }] of Object.entries(LOOPS)) {
	test(`${id}: a call in a busy loop is answered 408, /healthz stays quick, and later calls are served`, async (t) => {
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

test("nodejs: a call whose promise never settles is answered 408, and later calls are served", async (t) => {
	const source = "exports.h = (event) => event.data === 'never' ? new Promise(() => {}) : String(process.pid)";
	const env = { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs", FUNC_TIMEOUT: "1.5" };
	const loader = await startLoader(t, { files: { "f.js": source }, env });
	assertTimedOut(await loader.ask({ body: "never" }), 1500);
	assert.equal((await loader.ask()).status, 200);
});

describe("a worker stuck in a busy loop", () => {
	test("a worker stuck in a busy loop with 20 other calls: each gets one answer, and later calls are served", async (t) => {
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

	test("a worker that keeps one call past FUNC_TIMEOUT still finishes its other calls", async (t) => {
		const loader = await startFake(t, { FUNC_TIMEOUT: "1.2" });
		const stubborn = loader.ask("/stubborn");
		const begun = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 600));
		// This call runs when the first one expires, and its own deadline is 600 ms later.
		const other = loader.ask("/slow?900");
		assertTimedOut(await stubborn, 1200);
		assert.equal((await other).text, "slow", `after ${performance.now() - begun} ms`);
		await loader.figuresWhen("the exit of the worker with the expired call", (one) => one.exits("timeout") === 1);
	});

	test("FUNC_TIMEOUT includes the time in which a call waits for a worker", async (t) => {
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
