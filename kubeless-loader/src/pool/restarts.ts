import type { Slot } from "./slot.ts";

/**
 * Exponential back-off between restarts, in ms. Capped lower for workers that had served a call, so
 * that one crashing request cannot take the function down for 10 s.
 */
const BACK_OFF_MS = { first: 100, max: 10_000, maxIfUsed: 1000 };
/** A worker that ran this long was no failed start, in ms. */
const LIVED_MS = 5000;
/**
 * Consecutive failed starts after which /healthz fails, so that Kubernetes restarts the container.
 */
const MAX_FAILED_STARTS = 10;

/**
 * Counts workers that ended soon after their start: how long to wait before the next, and whether
 * starting is hopeless.
 */
export class Restarts {
	/** ends in a row of workers that had not run for long */
	#ends = 0;
	/** starts in a row that never became ready */
	#failedStarts = 0;
	/**
	 * workers in a row that became ready and ended soon without a call: no caller's request can be the
	 * reason
	 */
	#unusedEnds = 0;

	/** False once starting workers is hopeless: only a new container may help. */
	get healthy(): boolean {
		return this.#failedStarts < MAX_FAILED_STARTS && this.#unusedEnds < MAX_FAILED_STARTS;
	}

	/** A worker is ready. */
	ready(): void {
		this.#failedStarts = 0;
	}

	/** A worker is sent its first call. */
	used(): void {
		this.#unusedEnds = 0;
	}

	/** A new state of the function serves. */
	replaced(): void {
		this.#ends = 0;
	}

	/**
	 * Counts the end of a worker. Returns how long to wait before its replacement is started, in ms.
	 */
	ended({ worker, used, startedAt }: Slot): number {
		if (performance.now() - startedAt > LIVED_MS) this.#ends = this.#unusedEnds = 0;
		else if (worker.concurrency > 0 && !used) this.#unusedEnds++;
		if (worker.concurrency === 0) this.#failedStarts++; // it never became ready
		const max = used ? BACK_OFF_MS.maxIfUsed : BACK_OFF_MS.max;
		const wait = this.#ends === 0 ? 0 : Math.min(max, BACK_OFF_MS.first * 2 ** (this.#ends - 1));
		this.#ends++;
		return wait;
	}
}
