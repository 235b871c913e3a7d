// Fetches messages for the partitions that have room. A partition without room is left out of the
// request, so a slow partition does not stop the others.
import type { Consumer } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Message } from "../message.ts";
import { FailureLog } from "./failures.ts";
import type { Partition } from "./partition.ts";

/**
 * A fetch waits this long for a message, so a partition that gets room again waits no longer
 * either.
 */
const MAX_WAIT_MS = 500;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
const BACKOFF_MS = 500;
/** Bit 5 of a batch's attributes: it has markers of a transaction, not messages. */
const CONTROL_BATCH = 0x20;

/** The client does not export the type. */
type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

export class Fetcher {
	readonly #consumer: Consumer;
	readonly #topic: string;
	readonly #start: "latest" | "earliest";
	readonly #log: Logger;
	readonly #failures: FailureLog;
	#partitions: readonly Partition[] = [];
	#closed = false;
	#room: (() => void) | undefined;
	/** There was room while nothing waited for it. */
	#hadRoom = false;
	/** Brokers that a request is under way to. */
	readonly #busy = new Set<number>();

	/**
	 * @param consumer a client that takes part in no group: a fetch holds its connection while it
	 * waits
	 */
	constructor(consumer: Consumer, topic: string, start: "latest" | "earliest", log: Logger) {
		this.#consumer = consumer;
		this.#topic = topic;
		this.#start = start;
		this.#log = log;
		this.#failures = new FailureLog(log, topic);
		consumer.topics.track(topic);
	}

	set partitions(partitions: readonly Partition[]) {
		this.#partitions = partitions;
		this.room();
	}

	/** A partition has room again. */
	room(): void {
		if (this.#room) this.#room();
		else this.#hadRoom = true;
	}

	close(): void {
		this.#closed = true;
		this.room();
	}

	/** Fetches until it is closed; one request per broker at a time. */
	async run(): Promise<void> {
		while (!this.#closed) {
			try {
				await this.#fetchAll();
				await this.#untilRoom();
			} catch (error) {
				if (this.#closed) return;
				this.#failures.warn(error as Error, "messages could not be fetched, trying again");
				this.#consumer.clearMetadata();
				await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
			}
		}
	}

	/** Sends a request to each broker that has none under way. */
	async #fetchAll(): Promise<void> {
		const wanted = this.#partitions.filter((partition) => partition.isActive && partition.hasRoom);
		if (wanted.length === 0) return;
		const metadata = await this.#consumer.metadata({ topics: [this.#topic] });
		const topic = metadata.topics.get(this.#topic);
		if (!topic) throw new Error(`there is no topic "${this.#topic}"`);
		const byBroker = Map.groupBy(wanted, ({ number }) => topic.partitions[number]?.leader ?? -1);
		const requests = [...byBroker].filter(([node]) => !this.#busy.has(node));
		for (const [node, partitions] of requests) {
			this.#busy.add(node);
			this.#fetch(node, topic.id, partitions).finally(() => {
				this.#busy.delete(node);
				this.room();
			});
		}
	}

	async #fetch(node: number, topicId: string, partitions: readonly Partition[]): Promise<void> {
		const request = partitions.map(({ number, fetchOffset }) => {
			return { partition: number, fetchOffset, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: MAX_BYTES_PER_PARTITION };
		});
		try {
			const response = await this.#consumer.fetch({
				node,
				minBytes: 1,
				maxBytes: MAX_BYTES,
				maxWaitTime: MAX_WAIT_MS,
				topics: [{ topicId, partitions: request }],
			});
			this.#received(response, partitions);
		} catch (error) {
			if (this.#closed) return;
			if (this.#outOfRange(error as { response?: FetchResponse }, partitions)) return;
			this.#failures.warn(error as Error, "messages could not be fetched, trying again");
			this.#consumer.clearMetadata();
			await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
		}
	}

	#received({ responses }: FetchResponse, asked: readonly Partition[]): void {
		this.#failures.reset();
		for (const { partitionIndex, highWatermark, records } of responses.flatMap(({ partitions }) => partitions)) {
			const partition = asked.find(({ number }) => number === partitionIndex);
			if (!partition) continue;
			partition.end = highWatermark;
			const messages: Message[] = [];
			let next = partition.fetchOffset;
			for (const batch of records ?? []) {
				const after = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
				if (after > next) next = after;
				if (batch.attributes & CONTROL_BATCH) continue;
				for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
					const offset = batch.firstOffset + BigInt(offsetDelta);
					// A batch begins before the offset that was asked for if that lies within it.
					if (offset < partition.fetchOffset) continue;
					messages.push({
						topic: this.#topic,
						partition: partitionIndex,
						offset,
						id: `${this.#topic}-${partitionIndex}-${offset}`,
						time: Number(batch.firstTimestamp + timestampDelta),
						key,
						value: value ?? Buffer.alloc(0),
						headers: headers.map(([name, text]) => [String(name ?? ""), String(text ?? "")] as const),
					});
				}
			}
			partition.add(messages, next);
		}
	}

	/**
	 * Moves partitions whose offset does not exist any more (retention deleted it) to the start that
	 * the settings name. Returns whether the error was of this kind.
	 */
	#outOfRange({ response }: { response?: FetchResponse }, partitions: readonly Partition[]): boolean {
		const OFFSET_OUT_OF_RANGE = 1;
		const failed =
			response?.responses.flatMap((topic) => topic.partitions).filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE) ?? [];
		for (const { partitionIndex, logStartOffset, highWatermark } of failed) {
			const partition = partitions.find(({ number }) => number === partitionIndex);
			if (!partition) continue;
			const offset = this.#start === "earliest" ? logStartOffset : highWatermark;
			this.#log.error(
				{ partition: partitionIndex, from: String(partition.fetchOffset), to: String(offset) },
				"messages were deleted before they were fetched",
			);
			partition.add([], offset);
		}
		return failed.length > 0;
	}

	/** Waits for room, for a request that ends, or for a new assignment. */
	#untilRoom(): Promise<void> {
		if (this.#hadRoom) {
			this.#hadRoom = false;
			return Promise.resolve();
		}
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, MAX_WAIT_MS);
			this.#room = () => {
				this.#room = undefined;
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
