// Log lines about a failure that repeats, such as a topic that does not exist yet.
import type { Logger } from "pino";

const MIN_DISTANCE_MS = 2_000;
const MAX_DISTANCE_MS = 300_000;

/** Returns what failed and the cure, or undefined for an error that it does not know. */
export type Explain = (error: Error) => string | undefined;

/** A failure of this program's own, whose message is a sentence that needs no stack. */
export class KnownFailure extends Error {}

export class FailureLog {
	readonly #log: Pick<Logger, "warn">;
	readonly #explain: Explain;
	#last: string | undefined;
	#distanceMs = MIN_DISTANCE_MS;
	#nextAt = 0;
	#unlogged = 0;

	constructor(log: Pick<Logger, "warn">, explain: Explain) {
		this.#log = log;
		this.#explain = explain;
	}

	/**
	 * Logs a failure that differs from the previous one; the same failure again only after 2 s, 4 s,
	 * 8 s and so on, at most every 5 minutes.
	 */
	warn(error: Error, text: string, now = Date.now()): void {
		const explained = error instanceof KnownFailure ? error.message : this.#explain(error);
		const why = explained ?? error.message;
		if (why !== this.#last) {
			this.reset();
			this.#last = why;
		} else if (now < this.#nextAt) {
			this.#unlogged++;
			return;
		}
		const repeated = this.#unlogged > 0 ? { unlogged: this.#unlogged } : {};
		// The stack of an error that is explained shows only the client's code.
		if (explained !== undefined) this.#log.warn(repeated, `${text}: ${explained}`);
		else this.#log.warn({ err: error, ...repeated }, text);
		this.#unlogged = 0;
		this.#nextAt = now + this.#distanceMs;
		this.#distanceMs = Math.min(MAX_DISTANCE_MS, this.#distanceMs * 2);
	}

	/** Must be called after a success: the next failure is logged at once. */
	reset(): void {
		this.#last = undefined;
		this.#distanceMs = MIN_DISTANCE_MS;
		this.#unlogged = 0;
	}
}

/** Returns an error, the errors that it contains, and their causes. */
export function chainOf(error: unknown): NodeJS.ErrnoException[] {
	if (!(error instanceof Error)) return [];
	const contained = (error as { errors?: unknown }).errors;
	return [error, ...(Array.isArray(contained) ? contained.flatMap(chainOf) : []), ...chainOf(error.cause)];
}
