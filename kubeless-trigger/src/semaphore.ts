/** Limits how many tasks run at once. Waiting tasks begin in the order in which they came. */
export class Semaphore {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	constructor(limit: number) {
		this.#free = limit;
	}

	/** Resolves when a task may begin. Must be followed by `release` when the task has ended. */
	async acquire(): Promise<void> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
	}

	release(): void {
		const next = this.#waiting.shift();
		if (next) next();
		else this.#free++;
	}

	async run<T>(task: () => Promise<T>): Promise<T> {
		await this.acquire();
		try {
			return await task();
		} finally {
			this.release();
		}
	}
}
