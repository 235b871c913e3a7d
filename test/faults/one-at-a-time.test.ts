import assert from "node:assert/strict";
import test from "node:test";
import { startFake } from "../support/fake.ts";
import { assertCounted, load, statuses } from "../support/load.ts";

const SINGLE = { concurrency: "single" };

test("one at a time: a waiting queue starts processes, up to FUNC_CONCURRENCY", async (t) => {
	const loader = await startFake(t, { FUNC_CONCURRENCY: "3" }, SINGLE);
	const outcomes = await load(loader, 24, 12, () => ({ path: "/slow?150" }));
	assert.deepEqual(statuses(outcomes), { 200: 24 });
	await assertCounted(loader, outcomes);
	const figures = await loader.figures();
	assert.equal(figures.of("function_workers_ready"), 3);
	assert.equal(figures.of("function_worker_starts_total"), 3);
});

test("one at a time: a worker is never sent a second call before it has answered the first", async (t) => {
	const loader = await startFake(t, { FUNC_CONCURRENCY: "2" }, SINGLE);
	const pids = await Promise.all(Array.from({ length: 20 }, () => loader.ask("/line")));
	assert.ok(pids.every(({ status }) => status === 200));
	const held = loader.ask("/slow?700");
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	const other = await loader.ask("/pid");
	assert.equal(other.status, 200);
	assert.ok(other.ms < 700 || (await loader.figures()).inFlight === 0);
	assert.equal((await held).text, "slow");
});

test("one at a time: quick calls stay on one process", async (t) => {
	const loader = await startFake(t, {}, SINGLE);
	for (let call = 0; call < 20; call++) assert.equal((await loader.ask({ body: "quick" })).text, "quick");
	assert.equal((await loader.figures()).of("function_worker_starts_total"), 1);
});

test("one at a time: a hung call does not block the queue and is answered 408", async (t) => {
	const loader = await startFake(t, { FUNC_TIMEOUT: "2", FUNC_CONCURRENCY: "2" }, SINGLE);
	const hung = loader.ask("/busy");
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	const outcomes = await load(loader, 10, 5, (number) => ({ body: String(number) }));
	assert.deepEqual(statuses(outcomes), { 200: 10 });
	assert.equal((await hung).status, 408);
	const figures = await loader.figuresWhen("the stuck worker's end", (one) => one.exits("timeout") === 1);
	assert.equal(figures.inFlight, 0);
});

test("one at a time: FUNC_WORKERS processes run from the start", async (t) => {
	const loader = await startFake(t, { FUNC_WORKERS: "2" }, SINGLE);
	await loader.figuresWhen("two workers", (figures) => figures.of("function_workers_ready") === 2);
});

test("many at a time: FUNC_WORKERS=auto starts one process for each CPU, and they share the calls", async (t) => {
	const loader = await startFake(t, { FUNC_WORKERS: "auto" });
	await loader.figuresWhen("a worker", (figures) => figures.of("function_workers_ready") >= 1);
	const outcomes = await load(loader, 30, 6, () => ({ path: "/slow?20" }));
	assert.deepEqual(statuses(outcomes), { 200: 30 });
	await assertCounted(loader, outcomes);
});
