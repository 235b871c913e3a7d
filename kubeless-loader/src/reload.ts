// When the function is loaded again. A load that is under way gives way to newer files, but not for
// ever: each load that was cut short gives the next one more time. A load that failed is tried
// again.

/** The program around the reloads. */
export interface ReloadsHost {
	/** Returns a digest of the function's files. */
	readonly state: () => string;
	/** Returns true if the function's files are those that serve. */
	readonly isCurrent: () => boolean;
	/** Loads the function. A load that was begun later makes this one fail. */
	readonly load: () => Promise<void>;
	/** @param isRepeated the same files could not be loaded before, either */
	readonly ended: (failure: unknown, isRepeated: boolean) => void;
	/** a load that failed is tried again, also if the files stay as they are */
	readonly retries: boolean;
}

/** Time that a load gets before newer files may cut it short, in ms, once one was cut short. */
const FIRST_GRACE_MS = 1000;
/** Exponential back-off between attempts to load the same files, in ms. */
const RETRY_MS = { first: 1000, max: 60_000 };

interface Load {
	readonly startedAt: number;
	/** the digest of the files when the load began */
	readonly state: string;
}

export class Reloads {
	readonly #host: ReloadsHost;
	#running: Load | undefined;
	/** the next load: after a failure, or when the running one has had its time */
	#next: NodeJS.Timeout | undefined;
	/** newer files may cut the running load short after this time, in ms */
	#graceMs = 0;
	#failures = 0;
	/** the files that could not be loaded */
	#failed = "";
	#stopped = false;

	constructor(host: ReloadsHost) {
		this.#host = host;
	}

	/**
	 * The files have changed: they are loaded, unless that is under way, or was done for a worker that
	 * had noticed the change before the watcher did.
	 */
	request(): void {
		const running = this.#running;
		if (running === undefined) {
			if (this.#failures > 0 || !this.#host.isCurrent()) this.#begin();
			return;
		}
		if (running.state === this.#host.state()) return;
		const rest = running.startedAt + this.#graceMs - performance.now();
		if (rest > 0) return this.#later(rest);
		this.#graceMs = Math.max(FIRST_GRACE_MS, 2 * this.#graceMs);
		this.#begin();
	}

	/** No load is begun any more. */
	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#next);
	}

	#later(ms: number): void {
		clearTimeout(this.#next);
		this.#next = setTimeout(() => this.request(), ms);
	}

	#begin(): void {
		clearTimeout(this.#next);
		if (this.#stopped) return;
		const load: Load = { startedAt: performance.now(), state: this.#host.state() };
		this.#running = load;
		this.#host.load().then(
			() => this.#ended(load, undefined),
			(failure) => this.#ended(load, failure),
		);
	}

	#ended(load: Load, failure: unknown): void {
		if (load !== this.#running || this.#stopped) return;
		this.#running = undefined;
		this.#graceMs = 0;
		clearTimeout(this.#next);
		const isRepeated = failure !== undefined && this.#failures > 0 && load.state === this.#failed;
		this.#host.ended(failure, isRepeated);
		this.#failed = load.state;
		this.#failures = failure === undefined ? 0 : isRepeated ? this.#failures + 1 : 1;
		// The files may have changed while they were being loaded.
		if (load.state !== this.#host.state()) this.#begin();
		else if (failure !== undefined && this.#host.retries) this.#later(Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** (this.#failures - 1)));
	}
}
