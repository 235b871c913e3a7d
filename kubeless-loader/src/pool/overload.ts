// Overload: from the time that calls take, the wait that a new call must expect, and whether a call
// still has time to run.

/** The weight of one call in the moving means. */
const WEIGHT = 1 / 16;
/**
 * Nearly all calls end within the mean plus this many mean deviations (the same as TCP's timer, RFC
 * 6298 §2).
 */
const DEVIATIONS = 4;
/** Time that a call needs beyond what calls take, in ms: for passing it on, and for a busy CPU. */
const MIN_SPARE_MS = 50;
/** The wait is an estimate: a call is refused if this many times the wait leaves no time to run. */
const WAIT_MARGIN = 1.25;
/** A call that has waited for at most this part of FUNC_TIMEOUT is run in any case. */
const SHORT_WAIT = 0.1;

export class Overload {
	readonly #timeoutMs: number;
	/** moving mean of the time that calls hold their worker, in ms; undefined before the first call */
	#held: number | undefined;
	/** moving mean of the time that calls need to end by themselves, and of its deviation, in ms */
	#mean: number | undefined;
	#deviation = 0;

	constructor(timeoutMs: number) {
		this.#timeoutMs = timeoutMs;
	}

	/**
	 * Notes that a call held its worker for `ms`; `cut`: it was given up, and would have taken longer.
	 */
	took(ms: number, cut: boolean): void {
		if (!cut || this.#held === undefined || ms > this.#held) this.#held = moved(this.#held, ms);
		// A call that had all its time and did not end hangs: it does not show how much time others need.
		if (cut && (ms >= this.#timeoutMs - MIN_SPARE_MS || this.#mean === undefined || ms < this.#mean)) return;
		this.#deviation = moved(this.#deviation, Math.abs(ms - (this.#mean ?? ms)));
		this.#mean = moved(this.#mean, ms);
	}

	/**
	 * Returns how long a further call must expect to wait, in ms; 0 if that is not known yet.
	 * @param running calls that run side by side: by Little's law, one of them ends every mean /
	 *   running ms
	 */
	waitMs(waiting: number, running: number): number {
		return this.#held === undefined || running === 0 ? 0 : ((waiting + 1) * this.#held) / running;
	}

	/** True if a call that waits so long will have time to run. */
	admits(waitMs: number): boolean {
		return waitMs === 0 || waitMs * WAIT_MARGIN + this.#needs <= this.#timeoutMs;
	}

	/**
	 * True if a call that was submitted at `queuedAt` still has time to run; times are in ms of
	 * performance.now().
	 */
	hasTime(queuedAt: number, now: number): boolean {
		const waited = now - queuedAt;
		return this.#mean === undefined || waited <= SHORT_WAIT * this.#timeoutMs || waited + this.#needs <= this.#timeoutMs;
	}

	/** the time within which nearly all calls end, in ms */
	get #needs(): number {
		return (this.#mean ?? 0) + Math.max(DEVIATIONS * this.#deviation, MIN_SPARE_MS);
	}
}

const moved = (mean: number | undefined, value: number): number => (mean === undefined ? value : mean + (value - mean) * WEIGHT);
