import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gevent, home, minor, needsPython, start, startAny, startIn } from "./worker.ts";

const needsProc = { skip: existsSync("/proc/self/status") ? false : "there is no /proc" };

describe("Python: plain functions", needsPython, () => {
	const SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(float(event['data'] or 0))\n    return event['data']\n";

	test("a fast call does not wait for nine slow ones that were sent earlier", async (t) => {
		const worker = start(t, { "sleeps.py": SLEEPS });
		await worker.ask();
		const slow = Array.from({ length: 9 }, () => worker.begin({ body: "1" }));
		await worker.answer(worker.begin({ body: "0" }));
		assert.ok(!worker.frames.some(({ line }) => slow.includes(line.id ?? 0)));
		for (const id of slow) await worker.answer(id);
	});

	test("the concurrency is FUNC_CONCURRENCY, else CHERRYPY_NUMTHREADS, else 40", async (t) => {
		assert.equal((await start(t, { "sleeps.py": SLEEPS }).started()).concurrency, 40);
		assert.equal((await start(t, { "sleeps.py": SLEEPS }, "handler", { CHERRYPY_NUMTHREADS: "20" }).started()).concurrency, 20);
		const env = { CHERRYPY_NUMTHREADS: "20", FUNC_CONCURRENCY: "3" };
		assert.equal((await start(t, { "sleeps.py": SLEEPS }, "handler", env).started()).concurrency, 3);
	});

	test("a waiting call can be cancelled, and stop is read, while all threads run calls", async (t) => {
		const worker = start(t, { "sleeps.py": SLEEPS }, "handler", { FUNC_CONCURRENCY: "2" });
		const busy = [worker.begin({ body: "0.5" }), worker.begin({ body: "0.5" })];
		const waits = worker.begin({ body: "0" });
		worker.send({ type: "cancel", id: waits });
		const exit = worker.stop();
		assert.equal((await worker.answer(waits)).error?.code, "CANCELLED");
		for (const id of busy) assert.equal((await worker.answer(id)).text, "0.5");
		assert.equal(await exit, 0);
	});

	test("a paused generator waits, and a cancelled one is closed", async (t) => {
		const more = "def endless():\n    try:\n        while True:\n            yield 'x'\n    finally:\n        print('closed')";
		const worker = startAny(t, {}, more);
		const id = worker.begin({ body: "answer = endless()" });
		await worker.until(({ line }) => line.id === id && line.type === "head");
		worker.send({ type: "pause", id });
		await worker.ask({ body: "" });
		const chunks = () => worker.frames.filter(({ line }) => line.id === id).length;
		const count = chunks();
		await worker.ask({ body: "" }); // time in which chunks would arrive
		assert.equal(chunks(), count);
		worker.send({ type: "cancel", id });
		assert.equal((await worker.until(({ line }) => line.id === id && line.type === "error")).line.code, "CANCELLED");
		assert.equal(worker.printed("stdout", id), "closed\n");
	});

	test("no thread wakes up while there is no call", needsProc, async (t) => {
		const worker = start(t, { "sleeps.py": SLEEPS });
		await Promise.all(Array.from({ length: 10 }, () => worker.ask({ body: "0.05" })));
		const pid = worker.child.pid as number;
		// The monitor rests after 20 ms without a call. A thread that woke up regularly would never let
		// this end.
		for (let before = -1, now = switches(pid); before !== now; before = now, now = switches(pid)) await wait(300);
	});

	test("fast calls stay on few threads while other processes use all CPUs", needsProc, async (t) => {
		const worker = start(t, { "f.py": "def handler(event, context):\n    return 'x'\n" });
		await worker.ask();
		const hogs = Array.from({ length: 2 * availableParallelism() }, () => spawn(process.execPath, ["-e", "for (;;);"]));
		t.after(() => hogs.map((hog) => hog.kill("SIGKILL")));
		let most = 0;
		for (let round = 0; round < 60; round++) {
			const calls = Array.from({ length: 64 }, () => worker.begin());
			await worker.answer(calls.at(-1) as number);
			most = Math.max(most, readdirSync(`/proc/${worker.child.pid}/task`).length);
		}
		assert.ok(most <= 6, `${most} threads`); // main, monitor, reader and a few hand-overs
	});

	test("threads that are no longer needed end", needsProc, async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "sys.modules['_kubeless.runners'].IDLE_S = 0.1" });
		const threads = () => readdirSync(`/proc/${worker.child.pid}/task`).length;
		const body = "time.sleep(0.1); answer = str(threading.active_count())";
		const counts = await Promise.all(Array.from({ length: 20 }, () => worker.ask({ body })));
		assert.ok(Math.max(...counts.map(({ text }) => Number(text))) > 10);
		while (threads() > 4) await worker.ask({ body: "time.sleep(0.01)" });
		assert.equal((await worker.ask({ body: "answer = 'still here'" })).text, "still here");
		assert.equal(await worker.stop(), 0);
	});

	test("after gevent.monkey.patch_all() calls run as greenlets, many at once", { skip: minor < 8 }, async (t) => {
		const worker = startIn(t, join(home, "test/functions/gevent/green.py"), "handler", { KUBELESS_INSTALL_VOLUME: gevent() });
		assert.equal((await worker.ask({ body: "0" })).text, "0");
		const slow = Array.from({ length: 9 }, () => worker.begin({ body: "1" }));
		const fast = worker.begin({ body: "0" });
		await worker.answer(fast);
		assert.ok(!worker.frames.some(({ line }) => slow.includes(line.id ?? 0)));
		assert.equal(worker.printed("stdout", fast), "slept\n");
		const exit = worker.stop();
		for (const id of slow) assert.equal((await worker.answer(id)).text, "1");
		assert.equal(await exit, 0);
	});
});

/** How often the threads of a process have been given a processor. */
function switches(pid: number): number {
	return readdirSync(`/proc/${pid}/task`)
		.map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, "utf8"))
		.flatMap((status) => [...status.matchAll(/ctxt_switches:\s*(\d+)/g)])
		.reduce((sum, [, count]) => sum + Number(count), 0);
}
