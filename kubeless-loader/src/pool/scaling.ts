// How many processes: where a worker takes one call at a time, a queue that stands asks for more of
// them, and those that were not needed end again.
import { availableParallelism } from "node:os";
import type { Worker } from "../worker/contract.ts";
import { countLoading, type Slot, takesCalls } from "./slot.ts";

export interface ScalingOptions {
	/** processes that always run */
	readonly min: number;
	/** more than `min` only where a worker takes one call at a time */
	readonly max: number;
	/** Returns true if the container's memory has room for one more worker like this one. */
	readonly roomFor: (worker: Worker) => boolean;
}

/**
 * Calls that take less than this only compute, in ms: more processes than CPUs do not make them
 * faster.
 */
const COMPUTING_MS = 1;
/** Processes for such calls; on one CPU, a second one for when the first is stuck. */
const COMPUTING_PROCESSES = Math.max(2, availableParallelism());

export class Scaling {
	readonly options: ScalingOptions;
	/** the most workers that were busy at once since the last `spare` */
	#peak = 0;
	/** memory had no room for one more worker when that was last checked */
	#full = false;

	constructor(options: ScalingOptions) {
		this.options = options;
	}

	/** True if the number of processes changes with the load. */
	get scales(): boolean {
		return this.options.max > this.options.min;
	}

	/** Notes that an idle worker is about to be sent a call. */
	becomesBusy(slots: Iterable<Slot>): void {
		this.#peak = Math.max(this.#peak, busy(slots) + 1);
	}

	/**
	 * Returns the number of workers to start for a queue of `waiting` calls; `meanMs` is the time that
	 * calls take.
	 */
	wanted(slots: ReadonlySet<Slot>, waiting: number, meanMs: number): number {
		const max = this.#max(meanMs);
		const loading = countLoading(slots);
		const ready = slots.size - loading;
		// Each loading worker will take a waiting call. At most as many load as are ready, so that few
		// stay few.
		return Math.min(waiting - loading, max - slots.size, ready - loading);
	}

	/** Returns how many more workers a queue will bring. */
	coming(slots: ReadonlySet<Slot>, meanMs: number): number {
		return this.#full ? 0 : Math.max(0, this.#max(meanMs) - slots.size);
	}

	/** True if memory has room for one more worker, measured by one that is ready. */
	hasRoom(slots: Iterable<Slot>): boolean {
		for (const { worker } of slots) {
			if (worker.concurrency === 0) continue;
			this.#full = !this.options.roomFor(worker);
			return !this.#full;
		}
		return false;
	}

	#max(meanMs: number): number {
		return meanMs < COMPUTING_MS ? Math.min(this.options.max, COMPUTING_PROCESSES) : this.options.max;
	}

	/** Returns idle workers that were not needed since the last time. */
	spare(slots: ReadonlySet<Slot>): Slot[] {
		const nowBusy = busy(slots);
		const spare = slots.size - Math.max(this.options.min, this.#peak, nowBusy);
		this.#peak = nowBusy;
		return [...slots].filter((slot) => takesCalls(slot) && slot.worker.inFlight === 0).slice(0, Math.max(0, spare));
	}
}

function busy(slots: Iterable<Slot>): number {
	let count = 0;
	for (const { worker } of slots) if (worker.inFlight > 0) count++;
	return count;
}
