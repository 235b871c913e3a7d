import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { startCommand } from "../support/commands.ts";
import { startFake } from "../support/fake.ts";
import { assertCounted, load, statuses } from "../support/load.ts";
import { startLoader } from "../support/loader.ts";
import { missing } from "../support/needs.ts";
import { processesOf, untilGone, untilWatched, workersOf } from "../support/processes.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { startServer } from "../support/servers.ts";

everyRuntime("a worker that ends", ({ serve }) => {
	test("a worker killed under load is replaced: its calls are answered 502, all others 200", async (t) => {
		const loader = await serve(t, "sleeps", { FUNC_WORKERS: "2" });
		await loader.figuresWhen("two workers", (figures) => figures.of("function_workers_ready") === 2);
		const calls = load(loader, 60, 8, () => ({ body: "60" }));
		await loader.figuresWhen("calls on both workers", ({ inFlight }) => inFlight === 8);
		process.kill(workersOf(loader)[0] as number, "SIGKILL");
		const outcomes = await calls;
		const counts = statuses(outcomes);
		assert.ok(
			outcomes.every(({ got }) => got?.status === 502 || got?.text === "slept"),
			JSON.stringify(counts),
		);
		assert.ok((counts[502] ?? 0) <= 8, `only the calls of one worker may fail: ${JSON.stringify(counts)}`);
		await assertCounted(loader, outcomes);
		const figures = await loader.figuresWhen("the replacement", (one) => one.of("function_workers_ready") >= 2);
		assert.equal(figures.exits("signal"), 1);
		assert.ok(figures.of("function_worker_starts_total") >= 3);
		assert.equal(figures.of('function_failures_total{method="POST"}'), counts[502] ?? 0);
	});

	test("a worker that its own function kills: the call is answered 502, and the loader starts another worker", async (t) => {
		const loader = await serve(t, "dies");
		assert.equal((await loader.ask()).status, 502);
		await loader.figuresWhen("a new worker", (figures) => figures.of("function_workers_ready") === 1);
		assert.equal((await loader.figures()).exits("signal"), 1);
		assert.equal((await loader.ask("/readyz")).status, 200);
	});

	test("a worker stopped by SIGSTOP is replaced: its call is answered 408, those that waited for it 503, later calls are served", async (t) => {
		const loader = await serve(t, "sleeps", { FUNC_TIMEOUT: "2.5", FUNC_CONCURRENCY: "1" });
		assert.equal((await loader.ask({ body: "1" })).text, "slept");
		process.kill(workersOf(loader)[0] as number, "SIGSTOP");
		const stuck = await Promise.all([1, 2, 3].map(() => loader.ask({ body: "1" })));
		assert.deepEqual(stuck.map(({ status }) => status).sort(), [408, 503, 503]);
		// These calls arrive while the stopped worker has expired calls; they wait for its replacement.
		const later = await Promise.all([1, 2, 3].map(() => loader.ask({ body: "1" })));
		assert.deepEqual(
			later.map(({ status }) => status),
			[200, 200, 200],
		);
		const figures = await loader.figuresWhen("the worker's end", (one) => one.exits("timeout") === 1);
		assert.equal(figures.of("function_timeouts_total"), 1);
		assert.equal(figures.rejections("overloaded"), 2);
	});

	test("a process started by the function ends also if the loader is killed, and no process is left", async (t) => {
		const loader = await serve(t, "spawns");
		const child = Number((await loader.ask()).text);
		assert.ok(processesOf(loader.marker).includes(child), "the function's own process runs");
		await untilWatched(loader);
		loader.signal("SIGKILL");
		await untilGone(loader.marker);
	});

	test("a process started by the function ends with the loader, and no process is left", async (t) => {
		const loader = await serve(t, "spawns");
		const child = Number((await loader.ask()).text);
		assert.ok(processesOf(loader.marker).includes(child), "the function's own process runs");
		assert.equal((await loader.stop()).code, 0);
		await untilGone(loader.marker);
	});
});

everyRuntime("a loader that is killed", ({ serve }) => {
	test("a loader that is killed leaves no worker behind", async (t) => {
		const loader = await serve(t, "sleeps");
		const held = loader.ask({ body: "30000" }).catch(() => "cut");
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		loader.signal("SIGKILL");
		assert.equal(await held, "cut");
		await untilGone(loader.marker);
	});
});

/** Functions that end their process during a call in a way that the worker cannot catch. */
const ENDS: Record<string, { file: string; source: string; reason: string }> = {
	"nodejs: process.reallyExit": {
		file: "f.js",
		source: "exports.h = ({ data }) => (data === 'end' ? process.reallyExit(7) : 'fine')",
		reason: "exit",
	},
	"nodejs: process.abort": {
		file: "f.js",
		source: "exports.h = ({ data }) => (data === 'end' ? process.abort() : 'fine')",
		reason: "signal",
	},
	"python: os._exit": {
		file: "f.py",
		source: "import os\n\ndef h(event, context):\n    return os._exit(7) if event['data'] == b'end' else 'fine'\n",
		reason: "exit",
	},
	"python: a segmentation fault": {
		file: "f.py",
		source: "import ctypes\n\ndef h(event, context):\n    return ctypes.string_at(0) if event['data'] == b'end' else 'fine'\n",
		reason: "signal",
	},
};

for (const [what, { file, source, reason }] of Object.entries(ENDS)) {
	test(`${what}: the call is answered 502, the next calls are served, and the exit is counted as ${reason}`, async (t) => {
		const env = { MOD_NAME: "f", FUNC_RUNTIME: what.split(":")[0] as string };
		const loader = await startLoader(t, { files: { [file]: source }, env });
		assert.equal((await loader.ask({ body: "end" })).status, 502);
		const outcomes = await load(loader, 20, 5, () => ({}));
		assert.deepEqual(statuses(outcomes), { 200: 20 });
		assert.equal((await loader.figures()).exits(reason), 1);
		await loader.said(({ code }) => code === "WORKER_DIED");
	});
}

test("a worker that exits with code 0 during its calls is treated as dead: the calls are answered 502", async (t) => {
	const loader = await startFake(t);
	const held = loader.ask("/hang");
	await loader.figuresWhen("the held call", ({ inFlight }) => inFlight === 1);
	assert.equal((await loader.ask("/exit0")).status, 502);
	assert.equal((await held).status, 502);
	assert.equal((await loader.ask({ body: "served on" })).text, "served on");
	assert.equal((await loader.figures()).exits("exit"), 1);
});

test("a call is not sent to another worker if its worker is killed", async (t) => {
	const loader = await startFake(t, { FUNC_WORKERS: "2" });
	await loader.figuresWhen("two workers", (figures) => figures.of("function_workers_ready") === 2);
	assert.equal((await loader.ask("/kill")).status, 502);
	assert.equal((await loader.figures()).exits("signal"), 1, "the second worker must not get the call that killed the first");
});

test("an HTTP server ends if the loader is killed", async (t) => {
	const loader = await startServer(t);
	await untilWatched(loader);
	loader.signal("SIGKILL");
	await untilGone(loader.marker);
});

test("an HTTP server ends if the loader is killed after its watchdog was killed", async (t) => {
	const loader = await startServer(t);
	const former = await untilWatched(loader);
	process.kill(former, "SIGKILL");
	await untilWatched(loader, former);
	loader.signal("SIGKILL");
	await untilGone(loader.marker);
});

test("an HTTP server ends if the loader is killed and its watchdog cannot open files", { skip: missing("prlimit") }, async (t) => {
	const loader = await startServer(t);
	const watchdog = await untilWatched(loader);
	assert.equal(spawnSync("prlimit", [`--pid=${watchdog}`, "--nofile=1"]).status, 0);
	loader.signal("SIGKILL");
	await untilGone(loader.marker);
});

test("a command and the processes that it has started end if the loader is killed", async (t) => {
	const loader = await startCommand(t);
	void loader.ask("/sleep-below").catch(() => {}); // the loader is killed
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	await untilWatched(loader);
	assert.ok(workersOf(loader).length > 0, "the command runs");
	loader.signal("SIGKILL");
	await untilGone(loader.marker);
});
