// Fetches messages for the partitions that have room. A partition without room is left out of the
// request, so a slow partition does not stop the others.
import type { Consumer } from "@platformatic/kafka";
import type { Logger } from "pino";
import { chainOf, type FailureLog, KnownFailure } from "../failures.ts";
import type { Message } from "../message.ts";
import type { Partition } from "./partition.ts";

/**
 * A fetch waits this long for a message, so a partition that gets room again waits no longer
 * either.
 */
const MAX_WAIT_MS = 500;
/** The same while a partition has no room: its messages may all be called within 500 ms. */
const MAX_WAIT_BUSY_MS = 50;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
const BACKOFF_MS = 500;
/** Bit 5 of a batch's attributes: it has markers of a transaction, not messages. */
const CONTROL_BATCH = 0x20;

/** Errors of a topic that was deleted. */
const GONE = new Set(["UNKNOWN_TOPIC_ID", "UNKNOWN_TOPIC_OR_PARTITION"]);
const EMPTY = Buffer.alloc(0);

/** The client does not export the type. */
type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

export class Fetcher {
	readonly #consumer: Consumer;
	readonly #topic: string;
	readonly #log: Logger;
	readonly #failures: FailureLog;
	readonly #changed: (error: Error) => void;
	/** The topic at the first fetch. */
	#first: { readonly id: string; readonly partitions: number } | undefined;
	/** The topic was deleted. A topic of the same name is another one. */
	topicIsOther = false;
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
	 * @param changed gets an error when the topic was deleted, or got partitions: the group must be
	 * joined again
	 */
	constructor(consumer: Consumer, topic: string, log: Logger, failures: FailureLog, changed: (error: Error) => void) {
		this.#consumer = consumer;
		this.#topic = topic;
		this.#log = log;
		this.#failures = failures;
		this.#changed = changed;
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
		if (!topic) throw new Error(`Unknown topic ${this.#topic}.`);
		this.#first ??= { id: topic.id, partitions: topic.partitionsCount };
		if (topic.id !== this.#first.id) return this.#deleted();
		if (topic.partitionsCount !== this.#first.partitions) return this.#changed(new KnownFailure("partitions were added to the topic."));
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
		const isBusy = this.#partitions.some((partition) => partition.isActive && !partition.hasRoom);
		try {
			const response = await this.#consumer.fetch({
				node,
				minBytes: 1,
				maxBytes: MAX_BYTES,
				maxWaitTime: isBusy ? MAX_WAIT_BUSY_MS : MAX_WAIT_MS,
				topics: [{ topicId, partitions: request }],
			});
			this.#received(response, partitions);
		} catch (error) {
			if (this.#closed) return;
			if (chainOf(error).some((one) => GONE.has((one as { apiId?: string }).apiId ?? ""))) return this.#deleted();
			if (await this.#outOfRange(error as { response?: FetchResponse }, partitions)) return;
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
						value: value ?? EMPTY,
						headers: headers.map(([name, bytes]) => [String(name ?? ""), bytes ?? EMPTY] as const),
					});
				}
			}
			partition.add(messages, next);
		}
	}

	#deleted(): void {
		this.topicIsOther = true;
		this.#changed(new KnownFailure(`topic "${this.#topic}" was deleted.`));
	}

	/**
	 * Moves partitions whose offset does not exist to the nearest offset that does. Returns whether
	 * the error was of this kind.
	 */
	async #outOfRange({ response }: { response?: FetchResponse }, partitions: readonly Partition[]): Promise<boolean> {
		const OFFSET_OUT_OF_RANGE = 1;
		const errors = response?.responses.flatMap((topic) => topic.partitions) ?? [];
		const failed = new Set(errors.filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE).map(({ partitionIndex }) => partitionIndex));
		if (failed.size === 0) return false;
		const ofTopic = { topics: [this.#topic], partitions: { [this.#topic]: [...failed] } };
		const [first, last] = [await this.#consumer.listOffsets({ ...ofTopic, timestamp: -2n }), await this.#consumer.listOffsets(ofTopic)];
		for (const partition of partitions.filter(({ number }) => failed.has(number))) {
			const { number, fetchOffset } = partition;
			const [start, end] = [first.get(this.#topic)?.[number] ?? 0n, last.get(this.#topic)?.[number] ?? 0n];
			const offset = fetchOffset < start ? start : end;
			this.#log.error(
				{ partition: number, from: String(fetchOffset), to: String(offset) },
				fetchOffset < start ? "messages were deleted before they were fetched" : "the partition ends before the stored position",
			);
			partition.add([], offset);
		}
		return true;
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
