// What happens to workers, for the log and the metrics.
import type { ExitReason, LoadFailure, Worker, WorkerCall } from "../worker/contract.ts";

/** Receives the events of a pool. */
export interface PoolEvents {
	started(worker: Worker): void;
	/** @param ms from the start to ready */
	ready(worker: Worker, ms: number): void;
	gone(worker: Worker, reason: ExitReason, why: string): void;
	/** A replacement could not load the function; the pool tries again. */
	failed(failure: LoadFailure): void;
	/** A new state of the function serves, or could not be loaded. */
	reloaded(result: "taken" | "failed"): void;
	line(stream: "stdout" | "stderr", text: string, call: WorkerCall | undefined, cut: boolean): void;
}

/** Events that are kept while there is no receiver. */
const MAX_KEPT = 1000;

/**
 * Keeps events until their receiver is there: the first worker starts, and may print or end, before
 * the code of log and server is loaded.
 */
export class EventBuffer {
	#receiver: PoolEvents | undefined;
	readonly #kept: ((receiver: PoolEvents) => void)[] = [];

	tell(event: (receiver: PoolEvents) => void): void {
		if (this.#receiver) event(this.#receiver);
		else if (this.#kept.length < MAX_KEPT) this.#kept.push(event);
	}

	/** Tells this receiver all events, those kept so far first. */
	report(receiver: PoolEvents): void {
		this.#receiver = receiver;
		for (const event of this.#kept.splice(0)) event(receiver);
	}
}
