// pool/ holds all workers of the function and lends them to calls. This file is the lending: a call
// goes to a worker with room, or waits in the queue, or is refused. generation.ts starts and
// replaces workers, scaling.ts decides how many, read-ahead.ts what a busy worker may be sent.
import type { SentCall, StartWorker, Worker } from "../worker/contract.ts";
import type { PoolEvents } from "./events.ts";
import { countReady, Generations } from "./generation.ts";
import { Overload } from "./overload.ts";
import type { PoolCall } from "./pool-call.ts";
import { Queue } from "./queue.ts";
import { ReadAhead } from "./read-ahead.ts";
import { Scaling, type ScalingOptions } from "./scaling.ts";
import { type Slot, takesCalls } from "./slot.ts";

export interface PoolOptions extends ScalingOptions {
	/** calls that may wait */
	readonly queueLength: number;
	/** how long a call may wait and run, in ms */
	readonly timeoutMs: number;
	/** Returns true if the function's files are those that serve. */
	readonly isCurrent: () => boolean;
	/** A worker has loaded files that do not serve yet: they are to be loaded for all workers. */
	readonly changed: () => void;
}

/** How long after its deadline a call may take to end before its worker counts as stuck, in ms. */
const STUCK_AFTER_MS = 50;
/** How long a call stands in the queue before another process is started for it, in ms. */
const STANDING_MS = 5;
/** How often processes that were not needed are ended, in ms. */
const IDLE_CHECK_MS = 30_000;

export class Pool {
	readonly #queueLength: number;
	readonly #queue = new Queue<PoolCall>((call) => call.queued);
	readonly #readAhead = new ReadAhead();
	readonly #overload: Overload;
	readonly #scaling: Scaling;
	readonly #generations: Generations;
	#waiting = 0;
	#watch: NodeJS.Timeout | undefined;
	#idleCheck: NodeJS.Timeout | undefined;

	constructor(options: PoolOptions) {
		this.#queueLength = options.queueLength;
		this.#overload = new Overload(options.timeoutMs);
		this.#scaling = new Scaling(options);
		this.#generations = new Generations({
			min: options.min,
			isCurrent: options.isCurrent,
			changed: options.changed,
			room: (slot) => this.#hasEnded(slot),
			ready: (slot) => this.#feed(slot),
			returned: (calls) => this.#takeBack(calls as readonly PoolCall[]),
		});
		if (!this.#scaling.scales) return;
		this.#idleCheck = setInterval(() => {
			for (const slot of this.#scaling.spare(this.#generations.serving)) this.#generations.retire(slot, "idle");
		}, IDLE_CHECK_MS);
		this.#idleCheck.unref();
	}

	report(events: PoolEvents): void {
		this.#generations.events.report(events);
	}

	/** calls that wait for a worker */
	get waiting(): number {
		return this.#waiting;
	}

	/** workers that take calls */
	get ready(): number {
		return countReady(this.#generations.serving);
	}

	/** all workers, those that are loading or about to end included */
	get workers(): Worker[] {
		return this.#generations.all.map(({ worker }) => worker);
	}

	/** False once starting workers is hopeless: only a new container may help. */
	get healthy(): boolean {
		return this.#generations.restarts.healthy;
	}

	/** @see Generations.load */
	load(start: StartWorker): Promise<void> {
		return this.#generations.load(start);
	}

	/** Sends a call to a worker, queues it, or refuses it. */
	submit(call: PoolCall): void {
		const slot = this.#free(call);
		if (slot) return this.#lend(slot, call);
		if (this.#waiting >= this.#queueLength) return call.refuse("QUEUE_FULL");
		if (!this.#overload.admits(this.waitMs)) return call.refuse("OVERLOADED");
		call.toQueue();
		this.#enqueue(call, "last");
	}

	/**
	 * Returns how long a further call must expect to wait for a worker, in ms; 0 if that is not known.
	 */
	get waitMs(): number {
		let running = 0;
		let concurrency = 0;
		for (const { worker, expiredCalls } of this.#generations.serving) {
			if (expiredCalls > 0) continue;
			running += worker.inFlight;
			concurrency = worker.concurrency;
		}
		// Before there are all processes that the queue will bring, it stands for them.
		const coming = this.#scaling.coming(this.#generations.serving, this.#readAhead.mean) * concurrency;
		return this.#overload.waitMs(this.#waiting, running === 0 ? 0 : running + coming);
	}

	/** Notes that a call has held its worker for `ms`; `cut`: it was given up before its answer. */
	took(ms: number, cut: boolean): void {
		this.#overload.took(ms, cut);
	}

	/**
	 * Cancels a call: it leaves the queue, or its worker gets a cancel. To be called once, before the
	 * call ends.
	 */
	cancel(call: PoolCall): void {
		if (call.queued) this.#waiting--;
		else call.sent?.cancel();
	}

	/** The caller reads again. */
	resume(call: PoolCall): void {
		call.sent?.resume();
	}

	/** Gives up a call that ran out of time. */
	expire(call: PoolCall): void {
		const { sent, sentAt, queuedAt } = call;
		this.cancel(call);
		const slot = sent && this.#generations.all.find(({ worker }) => worker === sent.worker);
		if (!sent || !slot) return;
		const waited = sentAt - queuedAt;
		// A call that waited long has not run for FUNC_TIMEOUT yet: that it is still open is no sign of a
		// stuck worker.
		if (waited > STUCK_AFTER_MS) setTimeout(() => this.#suspect(slot, sent), waited);
		else this.#suspect(slot, sent);
	}

	/**
	 * A call has run for FUNC_TIMEOUT: a worker that does not end it soon is stuck, and is replaced.
	 */
	#suspect(slot: Slot, sent: SentCall): void {
		if (!sent.open) return;
		slot.expiredCalls++;
		setTimeout(() => {
			slot.expiredCalls--;
			if (!sent.open) return this.#feed(slot);
			if (!this.#generations.serving.has(slot)) return;
			this.#generations.retire(slot, "timeout");
			this.#generations.fill();
		}, STUCK_AFTER_MS);
	}

	/** Ends all workers after the calls they hold; resolves when the last process has ended. */
	stop(): Promise<void> {
		clearTimeout(this.#watch);
		clearInterval(this.#idleCheck);
		return this.#generations.stop();
	}

	/** Ends all workers now. */
	kill(): void {
		this.#generations.kill();
	}

	#free(call: PoolCall): Slot | undefined {
		let best: Slot | undefined;
		for (const slot of this.#generations.serving) {
			if (!this.#hasRoom(slot, call)) continue;
			// One call at a time: the first with room, so that fast functions stay on few processes.
			if (slot.worker.concurrency === 1) return slot;
			if (!best || slot.worker.inFlight < best.worker.inFlight) best = slot;
		}
		return best;
	}

	#hasRoom(slot: Slot, call: PoolCall): boolean {
		if (!takesCalls(slot)) return false;
		const beyond = slot.worker.inFlight - slot.worker.concurrency;
		return beyond < 0 || this.#readAhead.allows(slot, beyond, call);
	}

	#lend(slot: Slot, call: PoolCall): void {
		const { worker } = slot;
		if (worker.inFlight === 0) {
			if (this.#scaling.scales) this.#scaling.becomesBusy(this.#generations.serving);
			if (worker.ahead > 0) this.#readAhead.begun(slot);
		} else if (worker.ahead > 0) this.#watchOver();
		if (!slot.used) {
			slot.used = true;
			this.#generations.restarts.used();
		}
		call.toWorker();
		call.sent = worker.send(call);
	}

	/** Gives waiting calls to a worker with room. */
	#feed(slot: Slot): void {
		while (this.#waiting > 0) {
			const next = this.#queue.peek();
			if (!next || !this.#hasRoom(slot, next)) return;
			this.#queue.shift();
			this.#waiting--;
			if (this.#overload.hasTime(next.queuedAt, performance.now())) this.#lend(slot, next);
			else next.refuse("OVERLOADED");
		}
	}

	#hasEnded(slot: Slot): void {
		if (slot.worker.ahead > 0) this.#readAhead.ended(slot);
		this.#feed(slot);
	}

	/** Queues calls that their worker did not begin before all others. */
	#takeBack(calls: readonly PoolCall[]): void {
		for (const call of calls.toReversed()) {
			call.sent = undefined;
			call.toQueue();
			if (this.#generations.stopping) call.answer.fail("WORKER_DIED", "its worker ended before it was begun");
			else this.#enqueue(call, "first");
		}
		for (const slot of this.#generations.serving) this.#feed(slot);
	}

	#enqueue(call: PoolCall, place: "first" | "last"): void {
		this.#waiting++;
		if (place === "first") this.#queue.unshift(call);
		else this.#queue.push(call);
		this.#watchOver();
	}

	/** Looks at the queue and at the calls ahead once more, as long as there are any. */
	#watchOver(): void {
		// Pending answers are read first: a loader that was busy itself must not take its workers for
		// slow.
		this.#watch ??= setTimeout(() => setImmediate(this.#look), STANDING_MS);
	}

	#look = (): void => {
		this.#watch = undefined;
		if (this.#generations.stopping) return;
		const now = performance.now();
		const ahead = this.#readAhead.recallFromSlow(this.#generations.all, now);
		this.#grow(now);
		if (ahead || (this.#waiting > 0 && this.#scaling.scales)) this.#watchOver();
	};

	#grow(now: number): void {
		const next = this.#queue.peek();
		if (!next || now - next.queuedAt < STANDING_MS) return;
		const slots = this.#generations.serving;
		// One at a time: #look comes back as long as calls wait.
		if (this.#scaling.wanted(slots, this.#waiting, this.#readAhead.mean) > 0 && this.#scaling.hasRoom(slots)) this.#generations.add();
	}
}
