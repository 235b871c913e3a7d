// Delivers a message to one function: how often it is tried, how long it waits between attempts,
// and what becomes of it at the end.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { described, type Header, type Message, type Publication, type Publish, UnpublishableError } from "./message.ts";
import type { Metrics } from "./metrics.ts";
import { replyOf } from "./reply.ts";
import { requestHeaders } from "./request.ts";
import type { Settings } from "./settings.ts";
import type { FunctionClient } from "./target.ts";

/**
 * The first wait between two attempts; each further one is twice as long, up to the limit in the
 * settings.
 */
const FIRST_BACKOFF_MS = 200;

export class Delivery {
	readonly #settings: Settings;
	readonly #client: FunctionClient;
	readonly #publish: Publish;
	readonly #metrics: Metrics;
	readonly #log: Logger;

	constructor(settings: Settings, client: FunctionClient, publish: Publish, metrics: Metrics, log: Logger) {
		this.#settings = settings;
		this.#client = client;
		this.#publish = publish;
		this.#metrics = metrics;
		this.#log = log;
	}

	/**
	 * Resolves when the message is done with: the function succeeded, or failed as often as the mode
	 * allows. A call that the function did not run (it could not be reached, or it refused the call)
	 * does not count as an attempt.
	 *
	 * @throws the signal's reason if it is aborted between two attempts; the message is then not done
	 *   with
	 */
	async deliver(message: Message, signal: AbortSignal): Promise<void> {
		const { mode, maxAttempts } = this.#settings;
		const headers = requestHeaders(message, this.#settings);
		const since = performance.now();
		let attempts = 0;
		for (let waits = 0; ; waits++) {
			const outcome = await this.#client.call(headers, message.value);
			this.#metrics.called(this.#client.name, outcome.kind);
			if (outcome.kind === "succeeded") {
				this.#metrics.delivered(this.#client.name, (performance.now() - since) / 1000);
				const reply = this.#settings.reply === "" ? undefined : replyOf(outcome, this.#settings.reply, message);
				if (reply && !(await this.#published("reply", reply, signal))) this.#metrics.replyDropped(this.#client.name);
				return;
			}
			if (outcome.kind === "failed") {
				attempts++;
				const record = { ...described(message), function: this.#client.name, attempt: attempts, reason: outcome.reason };
				if (mode === "at-most-once" || attempts >= maxAttempts) {
					this.#log.error(record, "message failed");
					return this.#giveUp(message, attempts, outcome.reason, signal);
				}
				this.#log.warn(record, "message failed, it will be tried again");
				this.#metrics.retried(this.#client.name);
			} else if (waits === 0) {
				this.#log.warn({ ...described(message), function: this.#client.name, reason: outcome.reason }, "function refused a call, waiting");
			}
			await sleep(waitMs(outcome.retryAfterMs, waits, this.#settings.maxBackoffMs), undefined, { signal });
		}
	}

	/**
	 * Publishes a message that failed, with the reason in its headers, if there is a dead-letter
	 * topic.
	 */
	async #giveUp(message: Message, attempts: number, reason: string, signal: AbortSignal): Promise<void> {
		const { deadLetter } = this.#settings;
		if (deadLetter === "") return this.#metrics.dropped(this.#client.name);
		const about: Header[] = [
			["kubeless-reason", reason.replace(/[^ -~]+/g, " ")],
			["kubeless-attempts", String(attempts)],
			["kubeless-function", this.#client.name],
			["kubeless-topic", message.topic],
			["kubeless-time", new Date().toISOString()],
		];
		if (message.partition !== undefined) about.push(["kubeless-partition", String(message.partition)]);
		if (message.offset !== undefined) about.push(["kubeless-offset", String(message.offset)]);
		const { key, value, headers } = message;
		const letter = { topic: deadLetter, key, value, headers: [...headers, ...about] };
		const note: Header = ["kubeless-left-out", `${value.length} bytes, ${headers.length} headers`];
		const short = { topic: deadLetter, key: null, value: Buffer.alloc(0), headers: [...about, note] };
		const isPublished =
			(await this.#published("dead letter", letter, signal)) || (await this.#published("dead letter without its content", short, signal));
		if (isPublished) this.#metrics.deadLettered(this.#client.name);
		else this.#metrics.dropped(this.#client.name);
	}

	/**
	 * Publishes until it succeeds: a dead letter that is lost is a lost message. Returns false if the
	 * broker will never take it.
	 */
	async #published(what: string, publication: Publication, signal: AbortSignal): Promise<boolean> {
		for (let waits = 0; ; waits++) {
			try {
				await this.#publish(publication);
				return true;
			} catch (error) {
				const record = { function: this.#client.name, topic: publication.topic };
				const { message } = error as Error;
				if (error instanceof UnpublishableError) {
					this.#log.error(record, `${what} cannot be published: ${message}`);
					return false;
				}
				this.#log.error(record, `${what} not published, trying again: ${message}`);
			}
			await sleep(backoffMs(waits, this.#settings.maxBackoffMs), undefined, { signal });
		}
	}
}

/**
 * Returns the wait before the next attempt, in ms: what the answer's `Retry-After` asks for, but
 * not less than the first back-off, so that an answer of 0 s does not cause a busy loop, and not
 * more than the limit in the settings.
 */
function waitMs(retryAfterMs: number | undefined, waits: number, maxMs: number): number {
	return retryAfterMs === undefined ? backoffMs(waits, maxMs) : Math.min(maxMs, Math.max(retryAfterMs, backoffMs(0, maxMs)));
}

/** Exponential back-off with full jitter in its upper half, in ms. */
export function backoffMs(waits: number, maxMs: number): number {
	const full = Math.min(maxMs, FIRST_BACKOFF_MS * 2 ** Math.min(waits, 30));
	return full / 2 + Math.random() * (full / 2);
}
