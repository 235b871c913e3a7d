// The workers by generation. A generation is all workers of one state of the function's files: one
// serves, one may be loading, and workers of earlier ones finish their calls.
import { availableParallelism } from "node:os";
import type { ExitReason, LoadFailure, StartWorker, WorkerCall } from "../worker/contract.ts";
import { EventBuffer } from "./events.ts";
import { Restarts } from "./restarts.ts";
import { countLoading, type Slot, takesCalls } from "./slot.ts";

/** The code of a load that was overtaken by a newer one: no message for the user. */
export const SUPERSEDED = "SUPERSEDED";

/** The pool around the generations. */
export interface GenerationsHost {
	/** processes that always run */
	readonly min: number;
	/** Returns true if the function's files are those that serve. */
	readonly isCurrent: () => boolean;
	/** A worker has loaded files that do not serve yet: they are to be loaded for all workers. */
	changed(): void;
	/** A call ended in this worker. */
	room(slot: Slot): void;
	/** A worker is ready for calls. */
	ready(slot: Slot): void;
	returned(calls: readonly WorkerCall[]): void;
}

interface Generation {
	readonly start: StartWorker;
	readonly slots: Set<Slot>;
	/** settles when the first worker is ready, or cannot be */
	readonly loaded: PromiseWithResolvers<void>;
}

/**
 * Workers of the serving generation that load at the same time. More would not be ready sooner, and
 * would take the CPU from the loader. The first worker of a new generation is not limited: those
 * before it may hang.
 */
export const MAX_LOADING = 2 * availableParallelism();

/** The time between the ends of two replaced workers, in ms: an exit costs CPU time too. */
const ENDS_EVERY_MS = 10;

const NONE: ReadonlySet<Slot> = new Set();

export class Generations {
	readonly restarts = new Restarts();
	readonly events = new EventBuffer();
	readonly #host: GenerationsHost;
	/** retired workers that still finish calls */
	readonly #leaving = new Set<Slot>();
	#serving: Generation | undefined;
	#loading: Generation | undefined;
	#restart: NodeJS.Timeout | undefined;
	/** a worker was started: no other one is until the event loop has had as much time for the rest */
	#pause: NodeJS.Timeout | undefined;
	#stopped: PromiseWithResolvers<void> | undefined;

	constructor(host: GenerationsHost) {
		this.#host = host;
	}

	get stopping(): boolean {
		return this.#stopped !== undefined;
	}

	/** The workers that get calls, those still loading included. */
	get serving(): ReadonlySet<Slot> {
		return this.#serving?.slots ?? NONE;
	}

	get all(): Slot[] {
		return [...this.serving, ...(this.#loading?.slots ?? NONE), ...this.#leaving];
	}

	/**
	 * Loads a state of the function. When its first worker is ready it serves all further calls;
	 * earlier workers finish what they hold.
	 * @throws {LoadFailure} if it could not be loaded; the previous state serves on
	 */
	load(start: StartWorker): Promise<void> {
		if (this.stopping) return Promise.reject({ code: SUPERSEDED, message: "the loader is stopping" } satisfies LoadFailure);
		const overtaken = this.#loading;
		this.#loading = { start, slots: new Set(), loaded: Promise.withResolvers() };
		if (overtaken) {
			const why = "a newer state was loaded instead";
			overtaken.loaded.reject({ code: SUPERSEDED, message: why } satisfies LoadFailure);
			for (const { worker } of overtaken.slots) worker.kill("replaced", why);
		}
		const { loaded } = this.#loading;
		loaded.promise.catch(() => {}); // the caller may not have attached its own handler when it fails
		this.fill();
		return loaded.promise;
	}

	/** Starts one more worker of the state that serves, if one can be started now. */
	add(): void {
		if (this.#serving && !this.#loading && this.#pause === undefined && this.#mayLoadMore) this.#add(this.#serving);
	}

	/** Starts what is missing, one worker after the other. */
	fill(): void {
		if (this.stopping || this.#pause !== undefined) return;
		const generation = this.#incomplete;
		if (generation !== undefined) this.#add(generation);
	}

	get #mayLoadMore(): boolean {
		return countLoading(this.serving) < MAX_LOADING;
	}

	get #incomplete(): Generation | undefined {
		const loading = this.#loading;
		const serving = this.#serving;
		if (loading?.slots.size === 0) return loading;
		if (!serving || serving.slots.size >= this.#host.min || !this.#mayLoadMore) return undefined;
		// It would load the files that are being loaded, and could not serve beside the others.
		return loading && countReady(serving.slots) > 0 ? undefined : serving;
	}

	/** Takes a worker out of service: it finishes its calls and ends. */
	retire(slot: Slot, reason: ExitReason): void {
		this.#leave(this.#serving, slot, reason);
	}

	/** Ends all workers after the calls they hold; resolves when the last process has ended. */
	stop(): Promise<void> {
		this.#stopped ??= Promise.withResolvers();
		clearTimeout(this.#restart);
		for (const { worker } of this.all) {
			if (worker.concurrency > 0) worker.retire("stopped");
			else worker.kill("stopped", "it was still loading");
		}
		if (this.all.length === 0) this.#stopped.resolve();
		return this.#stopped.promise;
	}

	/** Ends all workers now. */
	kill(): void {
		this.#stopped ??= Promise.withResolvers();
		clearTimeout(this.#restart);
		for (const { worker } of this.all) worker.kill("stopped", "the loader was stopped at once");
	}

	#add(generation: Generation): void {
		const startedAt = performance.now();
		const worker = generation.start({
			ready: () => this.#ready(generation, slot),
			room: () => this.#host.room(slot),
			returned: (calls) => this.#host.returned(calls),
			failed: (failure) => {
				if (generation === this.#loading) generation.loaded.reject(failure);
				else this.events.tell((events) => events.failed(failure));
			},
			gone: (reason, why) => this.#gone(generation, slot, reason, why),
			line: (stream, text, call, cut) => this.events.tell((events) => events.line(stream, text, call, cut)),
		});
		const slot: Slot = { worker, startedAt, used: false, isLeaving: false, expiredCalls: 0, movedAt: startedAt };
		generation.slots.add(slot);
		// A start blocks the event loop for 2 to 30 ms, and probes and answers wait for one at most:
		// after the timer, the loop reads the sockets, and only then are immediates run.
		this.#pause = setTimeout(() => setImmediate(this.#resume), performance.now() - startedAt);
		this.events.tell((events) => events.started(worker));
	}

	#resume = (): void => {
		this.#pause = undefined;
		this.fill();
	};

	#ready(generation: Generation, slot: Slot): void {
		const ms = performance.now() - slot.startedAt;
		this.events.tell((events) => events.ready(slot.worker, ms));
		this.restarts.ready();
		if (generation === this.#loading) this.#takeOver(generation);
		else if (!this.#host.isCurrent()) {
			this.#host.changed();
			// Callers must not get answers of the new files beside answers of the previous ones. If no other
			// worker serves, there is no such answer.
			if (countReady(generation.slots) > 1) return this.#leave(generation, slot, "replaced");
		}
		this.fill();
		this.#host.ready(slot);
	}

	#takeOver(generation: Generation): void {
		const previous = this.#serving;
		this.#serving = generation;
		this.#loading = undefined;
		clearTimeout(this.#restart);
		this.restarts.replaced();
		if (previous) this.#leaveInTurn(previous);
		if (previous) this.events.tell((events) => events.reloaded("taken"));
		generation.loaded.resolve();
	}

	#leave(generation: Generation | undefined, slot: Slot, reason: ExitReason): void {
		generation?.slots.delete(slot);
		this.#putOut(slot);
		this.#end(slot, reason);
	}

	#putOut(slot: Slot): void {
		slot.isLeaving = true;
		this.#leaving.add(slot);
	}

	#end({ worker }: Slot, reason: ExitReason): void {
		if (worker.concurrency > 0) worker.retire(reason);
		else worker.kill(reason, "it was still loading and is not needed any more");
	}

	/** Takes all workers out of service at once, and ends one after the other. */
	#leaveInTurn({ slots }: Generation): void {
		const all = [...slots];
		slots.clear();
		for (const slot of all) this.#putOut(slot);
		const endNext = (): void => {
			const slot = all.shift();
			if (slot === undefined) return;
			this.#end(slot, "replaced");
			setTimeout(endNext, ENDS_EVERY_MS);
		};
		endNext();
	}

	#gone(generation: Generation, slot: Slot, reason: ExitReason, why: string): void {
		generation.slots.delete(slot);
		this.#leaving.delete(slot);
		this.events.tell((events) => events.gone(slot.worker, reason, why));
		if (this.stopping) {
			if (this.all.length === 0) this.#stopped?.resolve();
		} else if (generation === this.#loading) {
			this.#loading = undefined;
			if (this.#serving) this.events.tell((events) => events.reloaded("failed"));
			generation.loaded.reject({ code: "HANDLER_FAILED_TO_LOAD", message: why } satisfies LoadFailure);
			this.fill();
		} else if (generation === this.#serving && generation.slots.size < this.#host.min) {
			const wait = this.restarts.ended(slot);
			clearTimeout(this.#restart);
			this.#restart = setTimeout(() => this.fill(), wait);
		}
	}
}

/** Returns how many workers of these take calls. */
export function countReady(slots: Iterable<Slot>): number {
	let ready = 0;
	for (const slot of slots) if (takesCalls(slot)) ready++;
	return ready;
}
