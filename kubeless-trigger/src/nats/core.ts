// Core NATS: a queue group per function. The server keeps nothing, so a message is delivered at
// most once.
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Message } from "../message.ts";
import type { Metrics } from "../metrics.ts";
import { Semaphore } from "../semaphore.ts";
import type { Settings } from "../settings.ts";
import type { TargetDelivery } from "../source.ts";

/**
 * Messages that wait for a call, in all and in bytes. A message above either limit is dropped and
 * counted.
 */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export class CoreSubscription {
	readonly #subscription: Subscription;
	readonly #calls: Semaphore;
	readonly #running = new Set<Promise<void>>();
	#bytes = 0;

	constructor(connection: NatsConnection, settings: Settings, { target, deliver }: TargetDelivery, metrics: Metrics) {
		this.#calls = new Semaphore(settings.concurrency);
		const never = new AbortController().signal;
		this.#subscription = connection.subscribe(settings.topic, {
			queue: target.group,
			callback: (error, message) => {
				if (error) return;
				if (this.#running.size >= MAX_WAITING || this.#bytes + message.data.length > MAX_WAITING_BYTES) {
					return metrics.overflowed(target.function);
				}
				this.#bytes += message.data.length;
				const delivery = this.#calls
					.run(() => deliver(coreMessage(message), never))
					.finally(() => {
						this.#bytes -= message.data.length;
						this.#running.delete(delivery);
					});
				this.#running.add(delivery);
			},
		});
	}

	get ready(): boolean {
		return !this.#subscription.isClosed();
	}

	/** Takes no further message, and resolves when those that came are done with. */
	async close(): Promise<void> {
		await this.#subscription.drain();
		await Promise.allSettled(this.#running);
	}
}

let received = 0;
const PROCESS = `${process.pid.toString(36)}${Date.now().toString(36)}`;

/** Core NATS has no message ids: `Nats-Msg-Id` if the publisher gave one, else one of our own. */
function coreMessage({ subject, data, headers }: Msg): Message {
	return {
		topic: subject,
		value: Buffer.from(data.buffer, data.byteOffset, data.length),
		key: null,
		headers: headerList(headers),
		time: Date.now(),
		id: headers?.get("Nats-Msg-Id") || `${PROCESS}-${++received}`,
	};
}

export function headerList(headers: Msg["headers"]): [string, string][] {
	if (!headers) return [];
	return headers.keys().map((name) => [name, headers.values(name).join(", ")]);
}
