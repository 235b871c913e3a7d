// The brokers of the chaos test: how messages get there, and how to see that all are done with.
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { startKafka } from "../../../test/brokers/kafka.ts";
import { startNats } from "../../../test/brokers/nats.ts";
import type { BrokerProcess } from "../../../test/brokers/process.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { KafkaTools } from "./kafka-tools.ts";

/** Calls at once of one consumer. */
export const CALLS = 10;
const PARTITIONS = 3;
/** Claimed messages of a partition, as in partition.ts. */
const MAX_CLAIMED = 20;
const SETTLE_MS = 600_000;

export interface System {
	readonly broker: BrokerProcess;
	readonly env: Record<string, string>;
	/** Messages that one kill of a consumer, or of the broker, can lose at most once. */
	readonly lossPerKill: number;
	produce(ids: readonly string[]): Promise<void>;
	/** Resolves when each message was delivered, lost or given up. */
	settled(executed: () => ReadonlySet<string>): Promise<void>;
}

export async function kafka(owner: Owner): Promise<System> {
	const broker = await startKafka(owner);
	const tools = new KafkaTools(() => `127.0.0.1:${broker.port}`);
	await tools.newTopic("events", PARTITIONS);
	return {
		broker,
		env: { KAFKA_BROKERS: `127.0.0.1:${broker.port}`, TRIGGER_TOPIC: "events" },
		lossPerKill: PARTITIONS * MAX_CLAIMED,
		produce: (ids) => tools.produce("events", ids),
		async settled(executed) {
			// A partition's messages are called in order, so all are done with when the last one is.
			const last = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, value: Buffer.from(`end-${partition}`) }));
			await tools.send("events", last);
			const missing = (): string[] => last.map(({ value }) => String(value)).filter((id) => !executed().has(id));
			await poll(
				() => missing().length === 0 || undefined,
				() => `${missing().join(", ")} were not called`,
				SETTLE_MS,
			);
		},
	};
}

export async function nats(owner: Owner): Promise<System> {
	const broker = await startNats(owner);
	const servers = `nats://127.0.0.1:${broker.port}`;
	const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
	owner.after(() => connection.close());
	const { streams, consumers } = await jetstreamManager(connection);
	await streams.add({ name: "events", subjects: ["events"] });
	return {
		broker,
		env: { NATS_URL: servers, TRIGGER_TOPIC: "events" },
		lossPerKill: 2 * CALLS,
		async produce(ids) {
			for (const [index, id] of ids.entries()) {
				connection.publish("events", id);
				if (index % 1000 === 999) await connection.flush();
			}
			await connection.flush();
		},
		async settled() {
			await poll(
				async () => {
					const { num_pending, num_ack_pending } = await consumers.info("events", "chaos");
					return num_pending + num_ack_pending === 0 || undefined;
				},
				() => "the stream has messages that are not acknowledged",
				SETTLE_MS,
			);
		},
	};
}
