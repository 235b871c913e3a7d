import { type BaseOptions, Producer } from "@platformatic/kafka";
import { type Publication, UnpublishableError } from "../message.ts";
import { isUnpublishable, kafkaCauses } from "./causes.ts";

/** Publishes answers and dead letters. Connects at the first one. */
export class KafkaPublisher {
	readonly #options: BaseOptions;
	readonly #producer: Producer;

	constructor(options: BaseOptions) {
		this.#options = options;
		this.#producer = new Producer({ ...options, retries: 3, retryDelay: 500 });
	}

	/**
	 * CloudEvents attributes become `ce_NAME` headers (Kafka protocol binding §3.2.3). Resolves when
	 * all replicas have the record.
	 * @throws {UnpublishableError} if the broker will never take the record; other errors explain
	 *   themselves
	 */
	async publish({ topic, key, value, headers }: Publication): Promise<void> {
		const records = new Map(headers.map(([name, text]) => [Buffer.from(name.replace(/^ce-/, "ce_")), Buffer.from(text as string)]));
		try {
			await this.#producer.send({ messages: [{ topic, value, ...(key !== null && { key }), headers: records }], acks: -1 });
		} catch (error) {
			const why = kafkaCauses(this.#options, topic)(error as Error) ?? (error as Error).message;
			throw isUnpublishable(error) ? new UnpublishableError(why) : new Error(why, { cause: error });
		}
	}

	close(): Promise<void> {
		return this.#producer.close();
	}
}
