// Calls ahead: a worker that takes one call at a time is sent further calls while it is busy, if
// calls are quick, and they are taken back if it is slow (docs/adr/0007-calls-ahead.md).
import type { WorkerCall } from "../worker/contract.ts";
import type { Slot } from "./slot.ts";

/**
 * Calls are sent ahead up to this much work, in ms: the time a call may wait for those before it.
 */
const MAX_AHEAD_MS = 2;
/** A longer call counts as this long, in ms: a worker that once waited for the CPU is not slow. */
const MAX_COUNTED_MS = 5;
/** The weight of one call in the moving mean. */
const WEIGHT = 1 / 16;
/**
 * Calls with more bytes are not sent ahead: the wire must have room for the frame that takes the
 * others back.
 */
const MAX_CALL_BYTES = 2048;
/**
 * How long a worker may be inside one call before those sent ahead are taken back, in ms: longer
 * than a working process usually waits for a busy CPU.
 */
const RECALL_AFTER_MS = 20;
/** How long a call may run before it counts in the mean although it has not ended, in ms. */
const COUNT_UNENDED_AFTER_MS = 100;

export class ReadAhead {
	/**
	 * the moving mean of the time that calls take, in ms; a function counts as slow until it has
	 * proved to be fast
	 */
	mean = MAX_COUNTED_MS;

	/**
	 * True if a worker that holds as many calls as it runs at once may be sent this one, too.
	 * `beyond`: calls sent ahead by now.
	 */
	allows({ worker }: Slot, beyond: number, call: WorkerCall): boolean {
		return beyond < worker.ahead && beyond < Math.floor(MAX_AHEAD_MS / this.mean) && sizeOf(call) <= MAX_CALL_BYTES;
	}

	/** Notes that an idle worker is sent a call. */
	begun(slot: Slot): void {
		slot.movedAt = performance.now();
	}

	/** Notes that a worker has ended a call. */
	ended(slot: Slot): void {
		const now = performance.now();
		this.#took(now - slot.movedAt);
		slot.movedAt = now;
	}

	/** Takes back what was sent ahead to slow workers. Returns true while calls are ahead anywhere. */
	recallFromSlow(slots: Iterable<Slot>, now: number): boolean {
		let ahead = false;
		for (const { worker, movedAt } of slots) {
			if (worker.ahead === 0 || worker.inFlight === 0) continue;
			const inside = now - movedAt;
			// A call that never ends would not count otherwise.
			if (inside >= COUNT_UNENDED_AFTER_MS) this.#took(inside);
			if (worker.inFlight <= worker.concurrency) continue;
			ahead = true;
			if (inside >= RECALL_AFTER_MS) worker.recall();
		}
		return ahead;
	}

	#took(ms: number): void {
		this.mean += (Math.min(ms, MAX_COUNTED_MS) - this.mean) * WEIGHT;
	}
}

/** Returns the bytes of a call's headers and body. */
function sizeOf({ headers, body }: WorkerCall): number {
	let size = body?.length ?? 0;
	for (const text of headers) size += text.length + 2;
	return size;
}
