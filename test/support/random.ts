/** Reproducible random numbers (mulberry32), good enough for test data. */
export class Random {
	readonly seed: number;
	#state: number;

	constructor(seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32))) {
		this.seed = seed;
		this.#state = seed >>> 0;
	}

	/** Returns a number from 0 to `below` - 1. */
	below(below: number): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let bits = this.#state;
		bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
		bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
		return ((bits ^ (bits >>> 14)) >>> 0) % below;
	}

	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)] as T;
	}

	bytes(length: number): Buffer {
		return Buffer.from(Array.from({ length }, () => this.below(256)));
	}

	/** Splits bytes at random places. */
	split(bytes: Buffer): Buffer[] {
		const pieces: Buffer[] = [];
		for (let at = 0; at < bytes.length; ) {
			const end = Math.min(bytes.length, at + 1 + this.below(this.pick([2, 20, 2000])));
			pieces.push(bytes.subarray(at, end));
			at = end;
		}
		return pieces;
	}

	/** Changes, removes, repeats or adds a few bytes. */
	mutate(bytes: Buffer): Buffer {
		let mutated = Buffer.from(bytes);
		for (let times = 1 + this.below(3); times > 0; times--) {
			const at = this.below(mutated.length + 1);
			const [before, after] = [mutated.subarray(0, at), mutated.subarray(at)];
			const change = this.below(4);
			if (change === 0) mutated = Buffer.concat([before, this.bytes(1), after.subarray(1)]);
			else if (change === 1) mutated = Buffer.concat([before, after.subarray(1 + this.below(5))]);
			else if (change === 2) mutated = Buffer.concat([before, after.subarray(0, this.below(30)), after]);
			else mutated = Buffer.concat([before, this.bytes(this.below(4)), after]);
		}
		return mutated;
	}
}

/**
 * Runs `once` repeatedly for `ms`. The error of a failure has the seed that reproduces it
 * (TEST_SEED).
 */
export function fuzz(ms: number, once: (random: Random) => void): void {
	const until = performance.now() + ms;
	const { seed } = new Random();
	for (let round = 0; performance.now() < until; round++) {
		const own = (seed + round) >>> 0;
		try {
			once(new Random(own));
		} catch (error) {
			throw new Error(`with TEST_SEED=${own}: ${(error as Error).message}`, { cause: error });
		}
	}
}
