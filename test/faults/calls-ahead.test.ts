import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { assertCounted, load, statuses } from "../support/load.ts";
import { folder, type Loader, type LogRecord } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";

const SINGLE = { concurrency: "single" };
/** The number of quick calls after which the loader sends calls ahead. */
const QUICK = 60;

/**
 * Starts a function that the loader knows as quick, on a worker that accepts calls ahead. `begun`
 * reads the worker's journal.
 */
async function quickFunction(owner: Owner, env: Record<string, string> = {}) {
	const journal = join(folder(owner, { journal: "" }), "journal");
	const loader = await startFake(owner, { FAKE_AHEAD: "32", FUNC_CONCURRENCY: "3", FAKE_JOURNAL: journal, ...env }, SINGLE);
	const outcomes = await load(loader, QUICK, 4, (number) => ({ body: `warm ${number}` }));
	assert.deepEqual(statuses(outcomes), { 200: QUICK });
	return {
		loader,
		/** Returns how often the handler was called with each body that starts with `kind`. */
		begun(kind: string): Record<string, number> {
			const counts: Record<string, number> = {};
			for (const note of readFileSync(journal, "utf8").split("\n")) {
				const body = /^call \d+ \S+ (.*)$/.exec(note)?.[1];
				if (body?.startsWith(kind)) counts[body] = (counts[body] ?? 0) + 1;
			}
			return counts;
		},
	};
}

/** Sends one call to `path` and, at the same time, `others` calls to the echo function. */
async function withOthers(loader: Loader, path: string, others: number) {
	const first = loader.ask(path).catch((error: Error) => error);
	const echoed = await Promise.all(Array.from({ length: others }, (_, number) => loader.ask({ body: `other ${number}` })));
	return { first: await first, echoed };
}

const once = (kind: string, count: number) => Object.fromEntries(Array.from({ length: count }, (_, number) => [`${kind} ${number}`, 1]));

describe("calls sent ahead", () => {
	test("calls are sent ahead to a quick function; each begins once and gets its own answer", async (t) => {
		const { loader, begun } = await quickFunction(t);
		const outcomes = await load(loader, 600, 24, (number) => ({ body: `call ${number}` }));
		assert.ok(outcomes.every(({ got, number }) => got?.text === `call ${number}`));
		assert.deepEqual(begun("call"), once("call", 600));
		await assertCounted(loader, outcomes, QUICK);
	});

	test("calls ahead behind a slow call are withdrawn and served by another process, once each", async (t) => {
		const { loader, begun } = await quickFunction(t);
		const slow = loader.ask("/slow?4000");
		await loader.figuresWhen("the slow call", ({ inFlight }) => inFlight === 1);
		const { echoed, first } = await withOthers(loader, "/slow?4000", 12);
		assert.ok(echoed.every(({ status, text }, number) => status === 200 && text === `other ${number}`));
		assert.ok(
			echoed.every(({ ms }) => ms < 3000),
			`the others took ${echoed.map(({ ms }) => Math.round(ms)).join(", ")} ms`,
		);
		assert.equal((first as { text: string }).text, "slow");
		assert.equal((await slow).text, "slow");
		assert.deepEqual(begun("other"), once("other", 12));
	});

	test("calls ahead of a busy loop are served, and the busy call is answered 408", async (t) => {
		const { loader, begun } = await quickFunction(t, { FUNC_TIMEOUT: "3" });
		const { first, echoed } = await withOthers(loader, "/busy", 12);
		assert.equal((first as { status: number }).status, 408);
		assert.ok(echoed.every(({ status, ms }) => status === 200 && ms < 2500));
		assert.deepEqual(begun("other"), once("other", 12));
		const figures = await loader.figuresWhen("the stuck worker's end", (one) => one.exits("timeout") === 1);
		assert.equal(figures.of("function_timeouts_total"), 1);
	});

	for (const [path, how] of [
		["/exit7", "exits"],
		["/kill", "is killed"],
	] as const) {
		test(`calls ahead are served although the process ${how} in the previous call`, async (t) => {
			const { loader, begun } = await quickFunction(t);
			for (let round = 0; round < 5; round++) {
				const { first, echoed } = await withOthers(loader, path, 12);
				assert.equal((first as { status: number }).status, 502);
				assert.deepEqual(statuses(echoed.map((got, number) => ({ got, number }))), { 200: 12 });
			}
			assert.deepEqual(begun("other"), Object.fromEntries(Object.keys(once("other", 12)).map((body) => [body, 5])));
		});
	}

	test("calls ahead that the worker gives back by itself are served", async (t) => {
		const { loader, begun } = await quickFunction(t);
		const { first, echoed } = await withOthers(loader, "/give-back", 12);
		assert.equal((first as { text: string }).text, "gave back");
		assert.deepEqual(statuses(echoed.map((got, number) => ({ got, number }))), { 200: 12 });
		assert.deepEqual(begun("other"), once("other", 12));
	});

	test("no call is sent ahead to a worker that takes several calls at once", async (t) => {
		const loader = await startFake(t, { FAKE_AHEAD: "32", FAKE_CONCURRENCY: "2" });
		await load(loader, QUICK, 4, (number) => ({ body: String(number) }));
		const held = Promise.all(Array.from({ length: 4 }, () => loader.ask("/slow?500")));
		await loader.figuresWhen("two waiting calls", (figures) => figures.of("function_queue_length") === 2);
		assert.ok((await held).every(({ status }) => status === 200));
	});

	test("a large call is not sent ahead, because a full wire would delay its withdrawal", async (t) => {
		const { loader } = await quickFunction(t, { FUNC_CONCURRENCY: "1" });
		const slow = loader.ask("/slow?700");
		await loader.figuresWhen("the slow call", ({ inFlight }) => inFlight === 1);
		const large = loader.ask({ body: "x".repeat(3000) });
		await loader.figuresWhen("the large call", (figures) => figures.of("function_queue_length") === 1);
		assert.equal((await slow).status, 200);
		assert.equal((await large).text.length, 3000);
	});
});

describe("a worker that breaks the rules of calls ahead", () => {
	test("a worker that begins a withdrawn call is ended, and no caller gets a wrong answer", async (t) => {
		const { loader } = await quickFunction(t);
		const isEnd = ({ code, reason }: LogRecord) => code === "WORKER_GONE" && reason === "protocol";
		// On a busy machine calls may count as slow; then the loader sends none ahead.
		for (let attempt = 0; attempt < 100 && !loader.records.some(isEnd); attempt++) {
			if (attempt > 0) await load(loader, QUICK, 4, (number) => ({ body: `again ${number}` }));
			const { echoed } = await withOthers(loader, "/deaf-to-withdraw", 6);
			assert.ok(echoed.every(({ status, text }, number) => status === 200 && text === `other ${number}`));
		}
		const record = await loader.said(isEnd);
		assert.match(String(record.msg), /wire rule/);
	});

	test("a worker that gives back a call without ahead in its ready is ended", async (t) => {
		const loader = await startFake(t, {}, SINGLE);
		assert.equal((await loader.ask("/withdrawn")).status, 502);
		const record = await loader.said(({ code }) => code === "WORKER_GONE");
		assert.match(String(record.msg), /wire rule 5\.5/);
		assert.equal((await loader.ask({ body: "later" })).text, "later");
	});
});
