// A queue of keys. A key is worked on by one worker at a time; a key that is added meanwhile is
// worked on once more. A failed key comes again after a pause that doubles up to a maximum, for
// ever.

export interface QueueOptions {
	readonly work: (key: string) => Promise<void>;
	/** Called for each failure. @param retryMs when the key comes again, in ms */
	readonly onError: (key: string, error: unknown, retryMs: number) => void;
	/** Keys that are worked on at the same time. */
	readonly concurrency: number;
	readonly minBackoffMs?: number;
	readonly maxBackoffMs?: number;
}

export class Queue {
	readonly #options: Required<QueueOptions>;
	readonly #waiting = new Set<string>();
	readonly #running = new Set<string>();
	/** Keys that were added while they were worked on. */
	readonly #again = new Set<string>();
	readonly #failures = new Map<string, number>();
	readonly #pauses = new Map<string, NodeJS.Timeout>();
	#stopped = false;
	#onIdle: (() => void)[] = [];

	constructor(options: QueueOptions) {
		this.#options = { minBackoffMs: 1000, maxBackoffMs: 300_000, ...options };
	}

	get length(): number {
		return this.#waiting.size;
	}

	/**
	 * Adds a key. A key that pauses after a failure stays in its pause, unless `fresh`: what the key
	 * stands for was changed by its user.
	 * @param delayMs collects several news of one object into one pass
	 */
	add(key: string, { fresh = false, delayMs = 0 }: { fresh?: boolean; delayMs?: number } = {}): void {
		if (this.#stopped) return;
		if (fresh) this.#reset(key);
		if (this.#waiting.has(key) || this.#pauses.has(key)) return;
		if (delayMs > 0) return this.#pause(key, delayMs);
		if (this.#running.has(key)) this.#again.add(key);
		else this.#waiting.add(key);
		this.#start();
	}

	/** Stops taking keys. Resolves when the running ones have ended. */
	async stop(): Promise<void> {
		this.#stopped = true;
		for (const timer of this.#pauses.values()) clearTimeout(timer);
		this.#waiting.clear();
		if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
	}

	#start(): void {
		for (const key of this.#waiting) {
			if (this.#running.size >= this.#options.concurrency) return;
			this.#waiting.delete(key);
			this.#running.add(key);
			void this.#run(key);
		}
	}

	async #run(key: string): Promise<void> {
		try {
			await this.#options.work(key);
			this.#failures.delete(key);
		} catch (error) {
			this.#retry(key, error);
		}
		this.#running.delete(key);
		if (this.#again.delete(key)) this.add(key);
		this.#start();
		if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
	}

	#retry(key: string, error: unknown): void {
		const failures = this.#failures.get(key) ?? 0;
		this.#failures.set(key, failures + 1);
		const { minBackoffMs, maxBackoffMs, onError } = this.#options;
		// Between half and all of it, so that keys that failed together do not come again together.
		const pause = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2);
		onError(key, error, pause);
		if (!this.#stopped) this.#pause(key, pause);
	}

	#pause(key: string, ms: number): void {
		const timer = setTimeout(() => {
			this.#pauses.delete(key);
			this.add(key);
		}, ms);
		this.#pauses.set(key, timer);
	}

	#reset(key: string): void {
		this.#failures.delete(key);
		clearTimeout(this.#pauses.get(key));
		this.#pauses.delete(key);
	}
}
