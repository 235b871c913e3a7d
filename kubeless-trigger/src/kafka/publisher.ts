import { type BaseOptions, Producer } from "@platformatic/kafka";
import type { Publication } from "../message.ts";

/** Publishes answers and dead letters. Connects at the first one. */
export class KafkaPublisher {
	readonly #producer: Producer;

	constructor(options: BaseOptions) {
		this.#producer = new Producer({ ...options, retries: 3, retryDelay: 500 });
	}

	/**
	 * CloudEvents attributes become `ce_NAME` headers (Kafka protocol binding §3.2.3). Resolves when
	 * all replicas have the record.
	 */
	async publish({ topic, key, value, headers }: Publication): Promise<void> {
		const records = new Map(headers.map(([name, text]) => [Buffer.from(name.replace(/^ce-/, "ce_")), Buffer.from(text)]));
		await this.#producer.send({ messages: [{ topic, value, ...(key !== null && { key }), headers: records }], acks: -1 });
	}

	close(): Promise<void> {
		return this.#producer.close();
	}
}
