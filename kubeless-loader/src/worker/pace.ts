/** Calls that are sent ahead are so much work at the most, in `ms`: what a call may have to wait for those before it. */
const AHEAD_MS = 2;
/** A longer call counts as this long, in `ms`: a worker that once had to wait for the CPU is not slow yet. */
const MOST_MS = 5;
/** What one call counts in the mean. */
const SHARE = 1 / 16;

/** How long the calls of a function take in a worker that has several one after the other. */
export class Pace {
	/** the moving mean, in `ms`; a function is slow until it has shown that it is not */
	mean = MOST_MS;

	took(ms: number): void {
		this.mean += (Math.min(ms, MOST_MS) - this.mean) * SHARE;
	}

	/** How many calls are as much work as may be sent ahead. */
	get ahead(): number {
		return Math.floor(AHEAD_MS / this.mean);
	}
}
