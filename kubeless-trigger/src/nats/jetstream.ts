// JetStream: a durable consumer per function. The stream keeps a message until it is acknowledged.

import { setTimeout as sleep } from "node:timers/promises";
import {
	AckPolicy,
	type Consumer,
	type ConsumerMessages,
	DeliverPolicy,
	type JsMsg,
	jetstream,
	jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Logger } from "pino";
import type { Message } from "../message.ts";
import { Semaphore } from "../semaphore.ts";
import type { Settings } from "../settings.ts";
import type { TargetDelivery } from "../source.ts";
import { headerList } from "./core.ts";

/**
 * The server delivers a message again if it hears nothing for this long; a running call tells it
 * three times as often.
 */
const ACK_WAIT_MS = 30_000;
const BACKOFF_MS = 1_000;

export class JetStreamSubscription {
	readonly #settings: Settings;
	readonly #delivery: TargetDelivery;
	readonly #log: Logger;
	readonly #calls: Semaphore;
	readonly #closing = new AbortController();
	readonly #running = new Set<Promise<void>>();
	#messages: ConsumerMessages | undefined;

	constructor(settings: Settings, delivery: TargetDelivery, log: Logger) {
		this.#settings = settings;
		this.#delivery = delivery;
		this.#log = log;
		this.#calls = new Semaphore(settings.concurrency);
	}

	get ready(): boolean {
		return this.#messages !== undefined;
	}

	/**
	 * Consumes until it is closed, and begins again after every failure. @param stream the stream that
	 * has the subject
	 */
	async run(connection: NatsConnection, stream: string): Promise<void> {
		const { signal } = this.#closing;
		while (!signal.aborted) {
			try {
				await this.#consume(await this.#consumer(connection, stream));
			} catch (error) {
				this.#log.warn({ err: error }, "the stream could not be consumed, trying again");
			}
			this.#messages = undefined;
			await sleep(BACKOFF_MS, undefined, { signal }).catch(() => {});
		}
	}

	async #consume(consumer: Consumer): Promise<void> {
		this.#messages = await consumer.consume({ max_messages: Math.max(2, this.#settings.concurrency * 2) });
		for await (const message of this.#messages) {
			const handled = this.#calls
				.run(() => this.#handle(message))
				.catch((error) => this.#log.error({ err: error }, "message was not delivered"));
			this.#running.add(handled);
			handled.finally(() => this.#running.delete(handled));
			// Not more in memory than can be called soon: the rest stays in the stream.
			if (this.#running.size >= this.#settings.concurrency) await Promise.race(this.#running);
		}
	}

	/** Takes no further message, and resolves when no call runs any more. */
	async close(): Promise<void> {
		this.#closing.abort(new Error("closing"));
		await this.#messages?.close();
		await Promise.allSettled(this.#running);
	}

	async #consumer(connection: NatsConnection, stream: string): Promise<Consumer> {
		const { topic, start } = this.#settings;
		// A durable name has no dots, stars or spaces.
		const name = this.#delivery.target.group.replace(/[^A-Za-z0-9_-]/g, "_");
		const { consumers } = await jetstreamManager(connection);
		const changeable = {
			filter_subject: topic,
			ack_wait: ACK_WAIT_MS * 1_000_000,
			max_deliver: -1,
			max_ack_pending: this.#settings.concurrency * 4,
		};
		try {
			await consumers.update(stream, name, changeable);
		} catch {
			const deliver_policy = start === "earliest" ? DeliverPolicy.All : DeliverPolicy.New;
			await consumers.add(stream, { ...changeable, durable_name: name, ack_policy: AckPolicy.Explicit, deliver_policy });
		}
		return jetstream(connection).consumers.get(stream, name);
	}

	async #handle(message: JsMsg): Promise<void> {
		if (this.#closing.signal.aborted) return message.nak();
		const { deliver } = this.#delivery;
		if (this.#settings.mode === "at-most-once") {
			// The acknowledgement is confirmed before the call; without the confirmation another consumer
			// could get the message too.
			if (!(await message.ackAck({ timeout: 5_000 }))) return;
			return deliver(streamMessage(message), new AbortController().signal);
		}
		const working = setInterval(() => message.working(), ACK_WAIT_MS / 3);
		try {
			await deliver(streamMessage(message), this.#closing.signal);
			await message.ackAck({ timeout: 5_000 });
		} catch {
			message.nak();
		} finally {
			clearInterval(working);
		}
	}
}

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
