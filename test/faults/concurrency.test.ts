import assert from "node:assert/strict";
import test from "node:test";
import { assertCounted, load, statuses } from "../support/load.ts";
import { everyRuntime } from "../support/runtimes.ts";

everyRuntime("calls at once", ({ id, serve }) => {
	test("at most FUNC_CONCURRENCY calls run at once, and the other calls wait", async (t) => {
		const loader = await serve(t, "sleeps", { FUNC_CONCURRENCY: "2" });
		const begun = performance.now();
		const outcomes = load(loader, 6, 6, () => ({ body: "800" }));
		await loader.figuresWhen("four that wait", (figures) => figures.of("function_queue_length") === 4);
		assert.deepEqual(statuses(await outcomes), { 200: 6 });
		const ms = performance.now() - begun;
		assert.ok(ms >= 2390, `three rounds of 800 ms took ${ms} ms`);
		const figures = await loader.figures();
		assert.ok(figures.of("function_queue_wait_seconds_sum") > 1);
	});

	test("at least ten calls run at once by default", async (t) => {
		const loader = await serve(t, "sleeps");
		const begun = performance.now();
		const outcomes = await load(loader, 10, 10, () => ({ body: "700" }));
		assert.deepEqual(statuses(outcomes), { 200: 10 });
		assert.ok(performance.now() - begun < 3500, "the calls ran one after the other");
	});

	test("1000 calls over 200 connections each get their own answer", async (t) => {
		const loader = await serve(t, "echoes");
		const outcomes = await load(loader, 1000, 200, (number) => ({ body: `${id} ${number}`, headers: { "Content-Type": "text/plain" } }));
		assert.ok(outcomes.every(({ got, number }) => got?.text === `${id} ${number}`));
		await assertCounted(loader, outcomes);
	});
});
