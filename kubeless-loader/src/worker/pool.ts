import { availableParallelism } from "node:os";
import type { ExitReason, LoadFailure, Worker, WorkerCall, WorkerEvents } from "./contract.ts";
import { Pace } from "./pace.ts";
import { Queue } from "./queue.ts";

/** A call as the pool sees it. */
export interface PoolCall extends WorkerCall {
	/** the worker that holds it; undefined while it waits, or when it is over */
	worker: Worker | undefined;
	/** it stands in the queue */
	waiting: boolean;
	/** when it asked for a worker, in `ms` of performance.now() */
	readonly queuedAt: number;
	/** it goes to a worker now */
	sent(): void;
	/** it has come back from its worker, which has not begun it */
	returned(): void;
}

export interface PoolOptions {
	/** processes that are always there */
	readonly least: number;
	/** processes at the most: more than `least` only where a worker takes one call at a time */
	readonly most: number;
	/** calls that may wait */
	readonly queueLength: number;
	/** whether the container's memory has room for one more worker like this one */
	readonly roomFor: (worker: Worker) => boolean;
	/** whether the function's files are what was last asked to be loaded; a worker started after a change is of no generation */
	readonly isCurrent: () => boolean;
}

export interface PoolEvents {
	started(worker: Worker): void;
	/** `ms` from start to ready */
	ready(worker: Worker, ms: number): void;
	gone(worker: Worker, reason: ExitReason, why: string): void;
	/** a replacement could not load the function; the pool tries again */
	failed(failure: LoadFailure): void;
	/** another state of the function was asked for: it serves now, or it could not be loaded */
	reloaded(result: "taken" | "failed"): void;
	line(stream: "stdout" | "stderr", text: string, call: WorkerCall | undefined): void;
}

/** Starts a worker; bound to one state of the function's file and its dependencies. */
export type StartWorker = (events: WorkerEvents) => Worker;

/** The code of a load that was overtaken by a newer one: nothing to be told to the user. */
export const SUPERSEDED = "SUPERSEDED";

/** How long a call that ran out of time may take to end before its worker counts as stuck, in `ms`. */
const STUCK_AFTER_MS = 50;
/** How long a call stands in the queue before another process is started for it, in `ms`. */
const STANDING_MS = 5;
/**
 * How long a worker may be inside one call before those sent ahead are taken back, in `ms`: longer than a process that works
 * waits for a busy CPU as a rule.
 */
const SLOW_MS = 20;
/** How long a worker may be inside one call before that counts among the times that calls take, in `ms`. */
const STUCK_MS = 100;
/** Calls that take less than this are nothing but work, in `ms`: more processes than CPUs do not make them faster. */
const WORK_MS = 1;
/** Processes for such calls: where there is one CPU, a second one for when the first is stuck. */
const WORKING_PROCESSES = Math.max(2, availableParallelism());
/** A call with more `bytes` is not sent ahead: the wire must have room for the word that takes the others back. */
const SMALL_CALL = 2048;
/** How often processes that were not needed are let go, in `ms`. */
const IDLE_CHECK_MS = 30_000;
/**
 * The wait before a replacement: nothing at first, then doubling from the one to the other, in `ms`. Shorter for those
 * that had a call: one deadly input must not keep all others from the function for long.
 */
const BACK_OFF_MS = { first: 100, most: 10_000, mostIfUsed: 1000 };
/** A worker that lived so long was no failed start, in `ms`. */
const LIVED_MS = 5000;
/** So many starts in a row without one worker that stays, and the container had better be restarted. */
const HOPELESS_STARTS = 10;

/** All workers of one state of the function's file. */
interface Generation {
	readonly start: StartWorker;
	readonly workers: Set<Worker>;
	/** settles when the first worker is ready, or cannot be */
	readonly loaded: PromiseWithResolvers<void>;
}

/** Keeps the workers: lends them to calls, replaces the dead and the stuck, swaps them for a new generation. */
export class Pool {
	readonly #options: PoolOptions;
	readonly #queue = new Queue<PoolCall>((call) => call.waiting);
	readonly #startedAt = new WeakMap<Worker, number>();
	/** when a worker last ended a call, or got one with nothing else to do, in `ms` of performance.now(); only of those that take calls ahead */
	readonly #movedAt = new WeakMap<Worker, number>();
	readonly #pace = new Pace();
	/** retired workers that still finish calls */
	readonly #leaving = new Set<Worker>();
	#current: Generation | undefined;
	#coming: Generation | undefined;
	#waiting = 0;
	#stopping = false;
	#stopped: PromiseWithResolvers<void> | undefined;
	#events: PoolEvents | undefined;
	/** deaths in a row */
	#deaths = 0;
	/** starts in a row that never got ready */
	#failedStarts = 0;
	/** workers in a row that got ready and ended soon without having had a call: nothing that a caller sent can be to blame */
	#unusedDeaths = 0;
	#restart: NodeJS.Timeout | undefined;
	#watch: NodeJS.Timeout | undefined;
	#idleCheck: NodeJS.Timeout | undefined;
	/** most workers busy at once since the last idle check */
	#peak = 0;

	constructor(options: PoolOptions) {
		this.#options = options;
		if (options.most > options.least) {
			this.#idleCheck = setInterval(() => this.#letIdleGo(), IDLE_CHECK_MS);
			this.#idleCheck.unref();
		}
	}

	/** Who is told what happens from now on; workers that are there already are told as started. */
	report(events: PoolEvents): void {
		this.#events = events;
		for (const worker of this.workers) events.started(worker);
	}

	/** Calls that wait for a worker. */
	get waiting(): number {
		return this.#waiting;
	}

	/** Workers that take calls. */
	get ready(): number {
		let ready = 0;
		for (const worker of this.#current?.workers ?? []) if (worker.open) ready++;
		return ready;
	}

	/** All processes, those on their way in or out included. */
	get workers(): Worker[] {
		return [...(this.#current?.workers ?? []), ...(this.#coming?.workers ?? []), ...this.#leaving];
	}

	/** False once starting workers is hopeless: only a new container may help. */
	get healthy(): boolean {
		return this.#failedStarts < HOPELESS_STARTS && this.#unusedDeaths < HOPELESS_STARTS;
	}

	/**
	 * Loads a function and, when its first worker is ready, gives it all calls to come; workers of the one before finish what they hold.
	 * @throws {LoadFailure} it could not be loaded; whatever served before goes on
	 */
	load(start: StartWorker): Promise<void> {
		if (this.#stopping) return Promise.reject({ code: SUPERSEDED, message: "it is being stopped" } satisfies LoadFailure);
		const overtaken = this.#coming;
		this.#coming = { start, workers: new Set(), loaded: Promise.withResolvers() };
		if (overtaken) {
			overtaken.loaded.reject({ code: SUPERSEDED, message: "a newer one came while it was loading" } satisfies LoadFailure);
			for (const worker of overtaken.workers) worker.kill("replaced", "a newer one came while it was loading");
		}
		const { loaded } = this.#coming;
		// Who called may still be busy with other things when it fails.
		loaded.promise.catch(() => {});
		this.#add(this.#coming);
		return loaded.promise;
	}

	/** Takes a call, to a worker or into the queue; false when the queue is full. */
	submit(call: PoolCall): boolean {
		const worker = this.#free(call);
		if (worker) this.#lend(worker, call);
		else {
			if (this.#waiting >= this.#options.queueLength) return false;
			this.#enqueue(call, "last");
		}
		return true;
	}

	/** Nobody waits for this call any more; its worker is told. */
	cancel(call: PoolCall): void {
		if (call.waiting) {
			call.waiting = false;
			this.#waiting--;
		} else call.worker?.cancel(call);
	}

	/** The call ran out of time: a worker that cannot let go of it is stuck, gets no new calls, and another takes its place. */
	expire(call: PoolCall): void {
		const { worker } = call;
		this.cancel(call);
		if (!worker) return;
		worker.doubts++;
		setTimeout(() => {
			worker.doubts--;
			if (!worker.holds(call)) return this.#feed(worker);
			if (!this.#current?.workers.has(worker)) return;
			this.#leave(worker, "timeout");
			this.#fill();
		}, STUCK_AFTER_MS);
	}

	/** Ends all workers after the calls they hold; resolves when the last process is gone. */
	stop(): Promise<void> {
		this.#stopping = true;
		this.#stopped ??= Promise.withResolvers();
		clearTimeout(this.#restart);
		clearTimeout(this.#watch);
		clearInterval(this.#idleCheck);
		for (const worker of this.workers) {
			if (worker.concurrency > 0) worker.retire("stopped");
			else worker.kill("stopped", "it was still loading");
		}
		if (this.workers.length === 0) this.#stopped.resolve();
		return this.#stopped.promise;
	}

	/** Ends all workers now. */
	kill(): void {
		this.#stopping = true;
		for (const worker of this.workers) worker.kill("stopped", "the loader was told to stop at once");
	}

	#free(call: PoolCall): Worker | undefined {
		let best: Worker | undefined;
		for (const worker of this.#current?.workers ?? []) {
			if (!this.#hasRoom(worker, call)) continue;
			// One at a time: the first with room, so that fast functions stay on few processes.
			if (worker.concurrency === 1) return worker;
			if (!best || worker.inFlight < best.inFlight) best = worker;
		}
		return best;
	}

	#hasRoom(worker: Worker, call: PoolCall): boolean {
		if (!worker.open) return false;
		const over = worker.inFlight - worker.concurrency;
		if (over < 0) return true;
		return over < worker.ahead && over < this.#pace.ahead && call.headBlock.length + call.bodyLength <= SMALL_CALL;
	}

	#lend(worker: Worker, call: PoolCall): void {
		const { inFlight } = worker;
		if (this.#idleCheck && inFlight === 0) this.#peak = Math.max(this.#peak, this.#busy() + 1);
		if (worker.ahead > 0) {
			if (inFlight === 0) this.#movedAt.set(worker, performance.now());
			else this.#watchOver();
		}
		call.worker = worker;
		if (!worker.used) {
			worker.used = true;
			this.#unusedDeaths = 0;
		}
		call.sent();
		worker.send(call);
	}

	/** Gives waiting calls to a worker with room. */
	#feed(worker: Worker): void {
		while (this.#waiting > 0) {
			const next = this.#queue.peek();
			if (!next || !this.#hasRoom(worker, next)) return;
			this.#queue.shift();
			next.waiting = false;
			this.#waiting--;
			this.#lend(worker, next);
		}
	}

	/** A call ended, so there is room for another. */
	#ended(worker: Worker): void {
		if (worker.ahead > 0) {
			const now = performance.now();
			this.#pace.took(now - (this.#movedAt.get(worker) ?? now));
			this.#movedAt.set(worker, now);
		}
		this.#feed(worker);
	}

	/** Their worker has not begun them and will not: they wait again, before those that came later. */
	#takeBack(calls: readonly PoolCall[]): void {
		for (const call of calls.toReversed()) {
			call.worker = undefined;
			call.returned();
			if (this.#stopping) call.answer.fail("WORKER_DIED", "its worker ended before it was begun");
			else this.#enqueue(call, "first");
		}
		for (const worker of this.#current?.workers ?? []) this.#feed(worker);
	}

	#enqueue(call: PoolCall, place: "first" | "last"): void {
		call.waiting = true;
		this.#waiting++;
		if (place === "first") this.#queue.unshift(call);
		else this.#queue.push(call);
		this.#watchOver();
	}

	#add(generation: Generation): void {
		const started = performance.now();
		const worker = generation.start({
			ready: (ready) => {
				this.#events?.ready(ready, performance.now() - started);
				this.#failedStarts = 0;
				if (generation === this.#coming) this.#takeOver(generation);
				// It has loaded what is about to take over: callers must not see the new before the old is over.
				else if (this.#coming || !this.#options.isCurrent()) return this.#leave(ready, "replaced", generation);
				this.#feed(ready);
			},
			room: (free) => this.#ended(free),
			returned: (calls) => this.#takeBack(calls as readonly PoolCall[]),
			failed: (_failed, failure) => {
				if (generation === this.#coming) generation.loaded.reject(failure);
				else this.#events?.failed(failure);
			},
			gone: (gone, reason, why) => this.#gone(generation, gone, reason, why),
			line: (stream, text, call) => this.#events?.line(stream, text, call),
		});
		generation.workers.add(worker);
		this.#startedAt.set(worker, started);
		this.#events?.started(worker);
	}

	#takeOver(generation: Generation): void {
		const before = this.#current;
		this.#current = generation;
		this.#coming = undefined;
		clearTimeout(this.#restart);
		this.#deaths = 0;
		for (const worker of before?.workers ?? []) this.#leave(worker, "replaced", before);
		this.#fill();
		if (before) this.#events?.reloaded("taken");
		generation.loaded.resolve();
	}

	#leave(worker: Worker, reason: ExitReason, generation = this.#current): void {
		generation?.workers.delete(worker);
		this.#leaving.add(worker);
		if (worker.concurrency > 0) worker.retire(reason);
		else worker.kill(reason, "it was still loading and is not needed any more");
	}

	#fill(): void {
		if (this.#stopping || !this.#current) return;
		while (this.#current.workers.size < this.#options.least) this.#add(this.#current);
	}

	#gone(generation: Generation, worker: Worker, reason: ExitReason, why: string): void {
		generation.workers.delete(worker);
		this.#leaving.delete(worker);
		this.#events?.gone(worker, reason, why);
		if (this.#stopping) {
			if (this.workers.length === 0) this.#stopped?.resolve();
			return;
		}
		if (generation === this.#coming) {
			this.#coming = undefined;
			if (this.#current) this.#events?.reloaded("failed");
			generation.loaded.reject({ code: "HANDLER_FAILED_TO_LOAD", message: why } satisfies LoadFailure);
			return;
		}
		if (generation !== this.#current || generation.workers.size >= this.#options.least) return;
		const started = this.#startedAt.get(worker) ?? 0;
		const lived = performance.now() - started > LIVED_MS;
		if (lived) this.#deaths = this.#unusedDeaths = 0;
		else if (worker.concurrency > 0 && !worker.used) this.#unusedDeaths++;
		if (worker.concurrency === 0) this.#failedStarts++; // it never got ready
		const most = worker.used ? BACK_OFF_MS.mostIfUsed : BACK_OFF_MS.most;
		const wait = this.#deaths === 0 ? 0 : Math.min(most, BACK_OFF_MS.first * 2 ** (this.#deaths - 1));
		this.#deaths++;
		clearTimeout(this.#restart);
		this.#restart = setTimeout(() => this.#fill(), wait);
	}

	/** Looks, as long as there is something that could stand. */
	#watchOver(): void {
		// What has come meanwhile is read first: a loader that was busy itself must not take its workers for slow.
		this.#watch ??= setTimeout(() => setImmediate(this.#lookForStanding), STANDING_MS);
	}

	#lookForStanding = (): void => {
		this.#watch = undefined;
		if (this.#stopping) return;
		const now = performance.now();
		let ahead = false;
		for (const worker of this.workers) {
			if (worker.ahead === 0 || worker.inFlight === 0) continue;
			const inside = now - (this.#movedAt.get(worker) ?? now);
			// A call that does not end would never count.
			if (inside >= STUCK_MS) this.#pace.took(inside);
			if (worker.inFlight <= worker.concurrency) continue;
			ahead = true;
			if (inside >= SLOW_MS) worker.recall();
		}
		this.#grow(now);
		if (ahead || (this.#waiting > 0 && this.#options.most > this.#options.least)) this.#watchOver();
	};

	/** Where a worker takes one call at a time, a queue that stands asks for more processes. */
	#grow(now: number): void {
		const generation = this.#current;
		const next = this.#queue.peek();
		if (!generation || !next || now - next.queuedAt < STANDING_MS) return;
		const most = this.#pace.mean < WORK_MS ? Math.min(this.#options.most, WORKING_PROCESSES) : this.#options.most;
		let open = 0;
		let sample: Worker | undefined;
		for (const worker of generation.workers) {
			if (worker.concurrency === 0) continue;
			open++;
			sample ??= worker;
		}
		const loading = generation.workers.size - open;
		// A worker on its way will take one of those that wait; and no more are on their way than are there, so that few stay few.
		const wanted = Math.min(this.#waiting - loading, most - generation.workers.size, open - loading);
		for (let more = 0; more < wanted && sample && this.#options.roomFor(sample); more++) this.#add(generation);
	}

	#busy(): number {
		let busy = 0;
		for (const worker of this.#current?.workers ?? []) if (worker.inFlight > 0) busy++;
		return busy;
	}

	#letIdleGo(): void {
		const workers = [...(this.#current?.workers ?? [])];
		const busy = this.#busy();
		const spare = workers.length - Math.max(this.#options.least, this.#peak, busy);
		this.#peak = busy;
		for (const worker of workers.filter((one) => one.open && one.inFlight === 0).slice(0, Math.max(0, spare))) this.#leave(worker, "idle");
	}
}
