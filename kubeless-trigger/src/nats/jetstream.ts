// JetStream: a durable consumer per function. The stream keeps a message until it is acknowledged.

import { setTimeout as sleep } from "node:timers/promises";
import {
	AckPolicy,
	type Consumer,
	type ConsumerConfig,
	type ConsumerMessages,
	DeliverPolicy,
	type JsMsg,
	jetstream,
	jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { backoffMs } from "../delivery.ts";
import { FailureLog } from "../failures.ts";
import type { Message } from "../message.ts";
import { Semaphore } from "../semaphore.ts";
import type { Settings } from "../settings.ts";
import type { TargetDelivery } from "../source.ts";
import { natsCause } from "./causes.ts";
import { headerList } from "./core.ts";

/**
 * The server delivers a message again if it hears nothing for this long; a running call tells it
 * three times as often.
 */
const ACK_WAIT_MS = 30_000;
const MAX_BACKOFF_MS = 5_000;
/** The server confirms an acknowledgement within this time. */
const CONFIRM_MS = 5_000;

export class JetStreamSubscription {
	readonly #settings: Settings;
	readonly #delivery: TargetDelivery;
	readonly #log: Logger;
	readonly #failures: FailureLog;
	readonly #calls: Semaphore;
	readonly #closing = new AbortController();
	readonly #running = new Map<JsMsg, Promise<void>>();
	/** Messages that are not acknowledged yet, at most once only. */
	readonly #arrived: JsMsg[] = [];
	#claiming: Promise<void> = Promise.resolve();
	readonly #extending: NodeJS.Timeout;
	#messages: ConsumerMessages | undefined;
	/** The stream's time of creation: a stream of the same name that is made later is another one. */
	#created: string | undefined;
	/** The stream sequence of the latest message. */
	#latest = 0;

	constructor(settings: Settings, delivery: TargetDelivery, log: Logger) {
		this.#settings = settings;
		this.#delivery = delivery;
		this.#log = log;
		this.#failures = new FailureLog(log, natsCause);
		this.#calls = new Semaphore(settings.concurrency);
		this.#extending = setInterval(() => {
			if (settings.mode === "at-least-once") for (const message of this.#running.keys()) message.working();
		}, ACK_WAIT_MS / 3);
	}

	get ready(): boolean {
		return this.#messages !== undefined;
	}

	/**
	 * Consumes until it is closed, and begins again after every failure.
	 * @param stream the stream that has the subject
	 */
	async run(connection: NatsConnection, stream: string): Promise<void> {
		const { signal } = this.#closing;
		for (let failures = 0; !signal.aborted; failures++) {
			try {
				await this.#consume(await this.#consumer(connection, stream), () => {
					failures = 0;
				});
			} catch (error) {
				if (signal.aborted) return;
				this.#failures.warn(error as Error, "stream not consumed, trying again");
			}
			this.#messages = undefined;
			await sleep(backoffMs(failures, MAX_BACKOFF_MS), undefined, { signal }).catch(() => {});
		}
	}

	async #consume(consumer: Consumer, begun: () => void): Promise<void> {
		const max_messages = Math.max(2, this.#settings.concurrency * 2);
		this.#messages = await consumer.consume({ max_messages, abort_on_missing_resource: true });
		begun();
		for await (const message of this.#messages) {
			this.#latest = message.seq;
			this.#failures.reset();
			if (this.#settings.mode === "at-least-once") await this.#begin(message);
			else if (this.#arrived.push(message) === 1) this.#claiming = this.#claiming.then(() => this.#claimArrived());
			// Not more in memory than can be called soon: the rest stays in the stream.
			if (this.#arrived.length > max_messages) await this.#claiming;
		}
	}

	/**
	 * Acknowledges the messages that have arrived, then calls the function with them. The server
	 * processes the acknowledgements of a connection in order, so that the confirmation of the last
	 * one holds for all. Without it another consumer could get the messages too.
	 */
	async #claimArrived(): Promise<void> {
		while (this.#arrived.length > 0 && !this.#closing.signal.aborted) {
			const claimed = this.#arrived.splice(0, this.#settings.concurrency);
			const last = claimed.pop() as JsMsg;
			for (const message of claimed) message.ack();
			const isConfirmed = await last.ackAck({ timeout: CONFIRM_MS }).catch(() => false);
			if (!isConfirmed) continue;
			for (const message of [...claimed, last]) await this.#begin(message);
		}
	}

	/** Resolves when the call has begun. */
	async #begin(message: JsMsg): Promise<void> {
		await this.#calls.acquire();
		const handled: Promise<void> = this.#handle(message)
			.catch((error) => this.#log.error({ err: error }, "message was not delivered"))
			.finally(() => {
				this.#calls.release();
				this.#running.delete(message);
			});
		this.#running.set(message, handled);
	}

	/** Takes no further message, and resolves when no call runs any more. */
	async close(): Promise<void> {
		this.#closing.abort(new Error("closing"));
		await this.#messages?.close();
		await this.#claiming;
		for (const message of this.#arrived) message.nak();
		await Promise.allSettled(this.#running.values());
		clearInterval(this.#extending);
	}

	async #consumer(connection: NatsConnection, stream: string): Promise<Consumer> {
		const { topic } = this.#settings;
		// A durable name has no dots, stars or spaces.
		const name = this.#delivery.target.group.replace(/[^A-Za-z0-9_-]/g, "_");
		const { consumers, streams } = await jetstreamManager(connection);
		const { created } = await streams.info(stream);
		const changeable = {
			filter_subject: topic,
			ack_wait: ACK_WAIT_MS * 1_000_000,
			max_deliver: -1,
			max_ack_pending: this.#settings.concurrency * 4,
		};
		const exists = await consumers.info(stream, name).catch((error: Error) => {
			if (error.name === "ConsumerNotFoundError") return undefined;
			throw error;
		});
		if (exists) await consumers.update(stream, name, changeable);
		else await consumers.add(stream, { ...changeable, durable_name: name, ack_policy: AckPolicy.Explicit, ...this.#startOf(created) });
		this.#created = created;
		return jetstream(connection).consumers.get(stream, name);
	}

	/**
	 * Where a new consumer begins. If it was deleted while this process consumed, it goes on behind
	 * the latest message; in a stream that was deleted and made again, all messages are new.
	 */
	#startOf(created: string): Partial<ConsumerConfig> {
		if (this.#created !== undefined && this.#created !== created) return { deliver_policy: DeliverPolicy.All };
		if (this.#latest > 0) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#latest + 1 };
		return { deliver_policy: this.#settings.start === "earliest" ? DeliverPolicy.All : DeliverPolicy.New };
	}

	async #handle(message: JsMsg): Promise<void> {
		const { deliver } = this.#delivery;
		const { signal } = this.#closing;
		if (this.#settings.mode === "at-most-once") return deliver(streamMessage(message), NEVER);
		if (signal.aborted) return message.nak();
		try {
			await deliver(streamMessage(message), signal);
			// A lost acknowledgement only repeats the message.
			message.ack();
		} catch {
			message.nak();
		}
	}
}

const NEVER = new AbortController().signal;

function streamMessage({ subject, data, headers, seq, info, time }: JsMsg): Message {
	return {
		topic: subject,
		value: Buffer.from(data.buffer, data.byteOffset, data.length),
		key: null,
		headers: headerList(headers),
		time: time.getTime(),
		id: `${info.stream}-${seq}`,
	};
}
