// Topics, messages and consumers for tests against a Kafka broker.
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { ConsumerProcess } from "./consumer.ts";
import type { NotedFunction } from "./functions.ts";

const PARTITIONS = 3;

export interface TestMessage {
	readonly key?: Buffer | null;
	readonly value?: Buffer | null;
	readonly headers?: readonly (readonly [name: string, value: string | Buffer])[];
	readonly partition?: number;
}

export interface Consumed {
	readonly key: Buffer | null;
	readonly value: string;
	readonly headers: Record<string, string>;
}

export class KafkaTools {
	readonly #brokers: () => string;
	#topics = 0;

	constructor(brokers: () => string) {
		this.#brokers = brokers;
	}

	async admin<T>(task: (admin: Admin) => Promise<T>): Promise<T> {
		const admin = new Admin({ clientId: "test", bootstrapBrokers: [this.#brokers()], retries: 5 });
		try {
			return await task(admin);
		} finally {
			await admin.close();
		}
	}

	async newTopic(name = `topic${++this.#topics}`, partitions = PARTITIONS, configs: Record<string, string> = {}): Promise<string> {
		const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
		await this.admin((admin) => admin.createTopics({ topics: [name], partitions, replicas: 1, configs: list }));
		return name;
	}

	/** Resolves when the broker takes messages for the new partitions. */
	async addPartitions(topic: string, before: number, count: number): Promise<void> {
		const assignments = Array.from({ length: count - before }, () => ({ brokerIds: [1] }));
		await this.admin(async (admin) => {
			await admin.createPartitions({ topics: [{ name: topic, count, assignments }] });
			const withLeaders = async () => {
				const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
				const led = topics.get(topic)?.partitions.filter((partition) => partition && partition.leader >= 0);
				return led?.length === count || undefined;
			};
			await poll(withLeaders, () => `${topic} does not have ${count} partitions`);
		});
	}

	/** Messages whose keys are their texts. */
	produce(topic: string, bodies: readonly string[], headers: Record<string, string> = {}): Promise<void> {
		const list = Object.entries(headers);
		return this.send(
			topic,
			bodies.map((body) => ({ key: Buffer.from(body), value: Buffer.from(body), headers: list })),
		);
	}

	async send(topic: string, messages: readonly TestMessage[]): Promise<void> {
		const producer = new Producer({ clientId: "test", bootstrapBrokers: [this.#brokers()], retries: 5 });
		for (let at = 0; at < messages.length; at += 1000) {
			const part = messages.slice(at, at + 1000).map(({ key, value, headers = [], partition }) => ({
				topic,
				...(key && { key }),
				// A record without a value has the value null.
				...(value !== null && { value: value ?? Buffer.alloc(0) }),
				...(partition !== undefined && { partition }),
				headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text as string)])),
			}));
			await producer.send({ messages: part as never, acks: -1 });
		}
		await producer.close();
	}

	/** The first records of a topic. */
	async consumed(topic: string, count: number): Promise<Consumed[]> {
		const consumer = new Consumer({ clientId: "test", groupId: `read-${topic}`, bootstrapBrokers: [this.#brokers()] });
		const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false });
		const found: Consumed[] = [];
		for await (const { key, value, headers } of stream) {
			const entries = [...headers].map(([name, text]) => [String(name), String(text)]);
			found.push({ key, value: String(value), headers: Object.fromEntries(entries) });
			if (found.length === count) break;
		}
		await consumer.close(true);
		return found;
	}

	consumer(t: Owner, topic: string, functions: readonly NotedFunction[], env: Record<string, string> = {}): ConsumerProcess {
		const targets = functions.map(({ url }, index) => ({ function: `f${index}`, url, group: `group-${topic}-${index}`, timeout: 30 }));
		return new ConsumerProcess(t, "kafka", {
			KAFKA_BROKERS: this.#brokers(),
			TRIGGER_TOPIC: topic,
			TRIGGER_TARGETS: JSON.stringify(targets),
			TRIGGER_START: "earliest",
			...env,
		});
	}
}

export const until = (what: string, fits: () => boolean): Promise<true> =>
	poll(
		() => fits() || undefined,
		() => what,
		300_000,
	);
