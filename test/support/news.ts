/** What comes bit by bit from a process or a connection, for those who wait for some of it. */
export class News {
	readonly #source: string;
	readonly #said: () => string;
	#over = false;
	#waiting: (() => void)[] = [];

	/** `said` gives all that has come so far, for a message. */
	constructor(source: string, said: () => string) {
		this.#source = source;
		this.#said = said;
	}

	get over(): boolean {
		return this.#over;
	}

	/** Something has come. */
	tell(): void {
		for (const look of this.#waiting.splice(0)) look();
	}

	/** Nothing will come any more. */
	end(): void {
		this.#over = true;
		this.tell();
	}

	/** What the look gives, now or whenever something has come. @throws with all that came, when it gives nothing in the end */
	async until<T>(what: string, look: () => T | undefined, ms: number): Promise<T> {
		const deadline = Date.now() + ms;
		for (;;) {
			const found = look();
			if (found !== undefined) return found;
			if (this.#over) throw new Error(`${this.#source} ended before ${what}: ${this.#said()}`);
			if (Date.now() > deadline) throw new Error(`no ${what} within ${ms} ms: ${this.#said()}`);
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
