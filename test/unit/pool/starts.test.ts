import assert from "node:assert/strict";
import test from "node:test";
import { Generations, type GenerationsHost, MAX_LOADING } from "../../../kubeless-loader/src/pool/generation.ts";
import { Pool } from "../../../kubeless-loader/src/pool/pool.ts";
import type { PoolCall } from "../../../kubeless-loader/src/pool/pool-call.ts";
import type { StartWorker, Worker, WorkerCall, WorkerEvents } from "../../../kubeless-loader/src/worker/contract.ts";
import { poll } from "../../support/poll.ts";

/** A worker without a process that takes one call at a time and never ends it. */
class FakeWorker {
	readonly pid = undefined;
	readonly pids = [];
	readonly ahead = 0;
	concurrency = 0;
	inFlight = 0;
	open = false;
	isRetired = false;
	readonly #events: WorkerEvents;

	constructor(events: WorkerEvents) {
		this.#events = events;
	}

	becomeReady(): void {
		this.concurrency = 1;
		this.open = true;
		this.#events.ready();
	}

	send(_call: WorkerCall) {
		this.inFlight++;
		return { worker: this as unknown as Worker, id: 1, open: true, onceWritten: () => {}, cancel: () => {}, resume: () => {} };
	}

	endCall(): void {
		this.inFlight--;
		this.#events.room();
	}

	recall(): void {}
	retire(): void {
		this.isRetired = true;
	}
	kill(): void {}
}

/** Returns a host of generations with `min` workers. */
const host = (min: number): GenerationsHost => ({
	min,
	isCurrent: () => true,
	changed: () => {},
	room: () => {},
	ready: () => {},
	returned: () => {},
});

const poolOf = (min: number, max: number): Pool =>
	new Pool({ min, max, queueLength: 1000, timeoutMs: 60_000, roomFor: () => true, isCurrent: () => true, changed: () => {} });

/** Returns a StartWorker, its workers, and the number of starts in each turn of the event loop. */
function countedStarts(): { start: StartWorker; workers: FakeWorker[]; perTurn: number[] } {
	const workers: FakeWorker[] = [];
	const perTurn: number[] = [];
	let inThisTurn = 0;
	const start = (events: WorkerEvents): Worker => {
		// Immediates run once a turn: all starts before this one runs are in one turn.
		if (inThisTurn++ === 0)
			setImmediate(() => {
				perTurn.push(inThisTurn);
				inThisTurn = 0;
			});
		const worker = new FakeWorker(events);
		workers.push(worker);
		return worker as unknown as Worker;
	};
	return { start, workers, perTurn };
}

const started = (workers: FakeWorker[], count: number) =>
	poll(
		() => workers.length >= count || undefined,
		() => `${workers.length} of ${count} workers were started`,
	);

const call = (): PoolCall =>
	({
		queued: true,
		queuedAt: performance.now(),
		headers: [],
		toQueue: () => {},
		toWorker: () => {},
		refuse: () => {},
	}) as unknown as PoolCall;

test("a load starts at most one worker in a turn of the event loop, however often missing workers are filled up", async () => {
	const { start, workers, perTurn } = countedStarts();
	const generations = new Generations(host(8));
	void generations.load(start);
	workers[0]?.becomeReady();
	for (let count = 2; count <= 8; count++) {
		// As when several stuck workers are retired at once.
		for (let times = 0; times < 3; times++) generations.fill();
		await started(workers, count);
		workers[count - 1]?.becomeReady();
	}
	await new Promise(setImmediate);
	generations.kill();
	assert.deepEqual(
		perTurn,
		perTurn.map(() => 1),
	);
});

test("the next worker starts only when fewer than the maximum are loading", async () => {
	const { start, workers } = countedStarts();
	const generations = new Generations(host(MAX_LOADING + 3));
	void generations.load(start);
	workers[0]?.becomeReady();
	await started(workers, 1 + MAX_LOADING);
	for (let more = 1; more <= 2; more++) {
		// Time enough for a start: one follows the other after less than a turn of the event loop.
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.equal(workers.length, MAX_LOADING + more);
		workers[more]?.becomeReady();
		await started(workers, 1 + MAX_LOADING + more);
	}
	generations.kill();
});

test("a new version is loaded also while as many old workers as may load hang at loading", async () => {
	const { start, workers } = countedStarts();
	const generations = new Generations(host(1 + MAX_LOADING));
	void generations.load(start);
	workers[0]?.becomeReady();
	await started(workers, 1 + MAX_LOADING);
	void generations.load(start);
	await started(workers, 2 + MAX_LOADING);
	generations.kill();
});

test("workers that a new version replaces get no more calls at once, and end one after the other", async () => {
	const { start, workers } = countedStarts();
	const generations = new Generations(host(3));
	void generations.load(start);
	for (let count = 1; count <= 3; count++) {
		await started(workers, count);
		workers[count - 1]?.becomeReady();
	}
	const replaced = [...generations.serving];
	void generations.load(start);
	await started(workers, 4);
	workers[3]?.becomeReady();
	assert.ok(replaced.every((slot) => !generations.serving.has(slot)));
	const retired = () => workers.slice(0, 3).filter(({ isRetired }) => isRetired).length;
	assert.equal(retired(), 1);
	await poll(
		() => retired() === 3 || undefined,
		() => `${retired()} of 3 workers were retired`,
	);
	generations.kill();
});

test("a worker that a new version replaces gets no waiting call when one of its calls ends", async (t) => {
	const { start, workers } = countedStarts();
	const pool = poolOf(3, 3);
	t.after(() => pool.kill());
	void pool.load(start);
	for (let count = 1; count <= 3; count++) {
		await started(workers, count);
		workers[count - 1]?.becomeReady();
	}
	for (let calls = 0; calls < 10; calls++) pool.submit(call());
	void pool.load(start);
	await started(workers, 4);
	workers[3]?.becomeReady();
	// The second and the third one have not been asked to end yet.
	for (const worker of workers.slice(0, 3)) worker.endCall();
	assert.deepEqual(
		workers.slice(0, 4).map(({ inFlight }) => inFlight),
		[0, 0, 0, 1],
	);
});

test("a queue of many calls starts at most one worker in a turn of the event loop", async () => {
	const { start, workers, perTurn } = countedStarts();
	const pool = poolOf(4, 12);
	void pool.load(start);
	for (let count = 1; count <= 4; count++) {
		await started(workers, count);
		workers[count - 1]?.becomeReady();
	}
	for (let calls = 0; calls < 40; calls++) pool.submit(call());
	await started(workers, 4 + Math.min(4, MAX_LOADING));
	await new Promise(setImmediate);
	pool.kill();
	assert.deepEqual(
		perTurn,
		perTurn.map(() => 1),
	);
});
