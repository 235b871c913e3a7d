/** Lets tests wait for a part of the output of a process or a connection. */
export class Waiter {
	readonly #source: string;
	readonly #output: () => string;
	#over = false;
	#waiting: (() => void)[] = [];

	/** @param output returns the output so far, for error messages */
	constructor(source: string, output: () => string) {
		this.#source = source;
		this.#output = output;
	}

	get over(): boolean {
		return this.#over;
	}

	/** Must be called after new output: checks all waiting conditions. */
	notify(): void {
		for (const look of this.#waiting.splice(0)) look();
	}

	/** Must be called after the last output. */
	end(): void {
		this.#over = true;
		this.notify();
	}

	/**
	 * Returns the first defined result of `look`, which is called now and after new output. @throws
	 * with the output if there is no result
	 */
	async until<T>(what: string, look: () => T | undefined, ms: number): Promise<T> {
		const deadline = Date.now() + ms;
		for (;;) {
			const found = look();
			if (found !== undefined) return found;
			if (this.#over) throw new Error(`${this.#source} ended before ${what}: ${this.#output()}`);
			if (Date.now() > deadline) throw new Error(`no ${what} within ${ms} ms: ${this.#output()}`);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, deadline - Date.now() + 1);
				this.#waiting.push(() => {
					clearTimeout(timer);
					resolve();
				});
			});
		}
	}
}
