// Log lines about a failure that repeats, such as a topic that does not exist yet.
import { findErrorBy } from "@platformatic/kafka";
import type { Logger } from "pino";

const MIN_DISTANCE_MS = 2_000;
const MAX_DISTANCE_MS = 300_000;

export class FailureLog {
	readonly #log: Pick<Logger, "warn">;
	readonly #topic: string;
	#last: string | undefined;
	#distanceMs = MIN_DISTANCE_MS;
	#nextAt = 0;
	#unlogged = 0;

	constructor(log: Pick<Logger, "warn">, topic: string) {
		this.#log = log;
		this.#topic = topic;
	}

	/**
	 * Logs a failure that differs from the previous one; the same failure again only after 2 s, 4 s,
	 * 8 s and so on, at most every 5 minutes.
	 */
	warn(error: Error, text: string, now = Date.now()): void {
		const why = this.#reason(error);
		if (why !== this.#last) {
			this.reset();
			this.#last = why;
		} else if (now < this.#nextAt) {
			this.#unlogged++;
			return;
		}
		const repeated = this.#unlogged > 0 ? { unlogged: this.#unlogged } : {};
		// The stack of an error that the client reports shows only its own code.
		if (isOfClient(error)) this.#log.warn(repeated, `${text}: ${why}`);
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

	#reason(error: Error): string {
		const isMissing = error.message === `Unknown topic ${this.#topic}.` || findErrorBy(error, "apiId", "UNKNOWN_TOPIC_OR_PARTITION");
		return isMissing ? `topic "${this.#topic}" does not exist. Create it, or correct the trigger's topic.` : error.message;
	}
}

const isOfClient = (error: Error): boolean => String((error as { code?: string }).code).startsWith("PLT_KFK_");
