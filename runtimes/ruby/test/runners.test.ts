import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { WireEnd } from "../../../test/support/wire-end.ts";
import { needsRuby, start, startAny } from "./worker.ts";

const needsProc = { skip: existsSync("/proc/self/status") ? false : "there is no /proc" };

describe("Ruby: calls at the same time", needsRuby, () => {
	test("FUNC_CONCURRENCY calls run at once", async (t) => {
		const worker = startAny(t, { FUNC_CONCURRENCY: "20" });
		assert.equal((await worker.started()).concurrency, 20);
		const began = Date.now();
		const ids = Array.from({ length: 20 }, () => worker.begin({ body: "sleep 0.3; 'slept'" }));
		for (const id of ids) assert.equal((await worker.answer(id)).text, "slept");
		assert.ok(Date.now() - began < 2000);
	});

	test("a call is answered while another one computes", async (t) => {
		const worker = startAny(t);
		await worker.started();
		const busy = worker.begin({ body: "limit = Process.clock_gettime(0) + 1.5; nil while Process.clock_gettime(0) < limit; 'busy'" });
		await wait(50);
		assert.equal((await worker.ask({ body: "'quick'" })).text, "quick");
		assert.ok(!worker.frames.some(({ line }) => line.id === busy), "the quick call waited for the busy one");
		assert.equal((await worker.answer(busy)).text, "busy");
	});

	test("a handler that ends its thread (Thread.exit) is replaced by a new thread", async (t) => {
		const worker = startAny(t, { FUNC_CONCURRENCY: "2" });
		for (let round = 0; round < 8; round++) await worker.ask({ body: "sleep 0.01; Thread.exit" });
		const ids = [0, 1].map(() => worker.begin({ body: "sleep 0.05; 'slept'" }));
		for (const id of ids) assert.equal((await worker.answer(id)).text, "slept");
		assert.equal(await worker.stop(), 0);
	});

	test("fast calls stay on few threads while other processes use all CPUs", needsProc, async (t) => {
		const worker = start(t, { "f.rb": "def handler(event, context)\n  'x'\nend" });
		await worker.ask();
		const hogs = Array.from({ length: 2 * availableParallelism() }, () => spawn(process.execPath, ["-e", "for (;;);"]));
		t.after(() => hogs.map((hog) => hog.kill("SIGKILL")));
		let most = 0;
		for (let round = 0; round < 60; round++) {
			const calls = Array.from({ length: 64 }, () => worker.begin());
			await worker.answer(calls.at(-1) as number);
			most = Math.max(most, threads(worker));
		}
		assert.ok(most <= 6, `${most} threads`); // main, monitor, reader and a few hand-overs
	});

	test("threads that are no longer needed end", needsProc, async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "KubelessWorker::Runners.idle_s = 0.1; ''" });
		const body = "sleep 0.1; Thread.list.size.to_s";
		const counts = await Promise.all(Array.from({ length: 20 }, () => worker.ask({ body })));
		assert.ok(Math.max(...counts.map(({ text }) => Number(text))) > 10);
		while (threads(worker) > 4) await worker.ask({ body: "sleep 0.01; ''" });
		assert.equal((await worker.ask({ body: "'still here'" })).text, "still here");
		assert.equal(await worker.stop(), 0);
	});

	test("variables of the thread end with the call that set them", async (t) => {
		const worker = startAny(t, { FUNC_CONCURRENCY: "1" });
		const set =
			"Thread.current[:user] = 'Ada'; Thread.current.thread_variable_set(:user, 'Ada'); Fiber[:user] = 'Ada' if Fiber.respond_to?(:[]); 'set'";
		const read = "[Thread.current[:user], Thread.current.thread_variable_get(:user), Fiber.respond_to?(:[]) ? Fiber[:user] : nil].inspect";
		for (let round = 0; round < 4; round++) {
			for (const body of [set, `${set}; raise 'after'`]) await worker.ask({ body });
			assert.equal((await worker.ask({ body: read })).text, "[nil, nil, nil]");
		}
	});
});

const threads = (worker: WireEnd): number => readdirSync(`/proc/${worker.child.pid}/task`).length;
