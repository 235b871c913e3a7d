// One function's membership in its consumer group: which partitions it has, and the positions that
// are stored for them.
import { setTimeout as sleep } from "node:timers/promises";
import { type BaseOptions, Consumer } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Message } from "../message.ts";
import type { Metrics } from "../metrics.ts";
import { Semaphore } from "../semaphore.ts";
import type { Settings, Target } from "../settings.ts";
import { FailureLog } from "./failures.ts";
import { Fetcher } from "./fetcher.ts";
import { Partition } from "./partition.ts";

/**
 * Positions of finished messages are stored this often, at least once only: a crash delivers again
 * what came since.
 */
const STORE_EVERY_MS = 500;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1_000;
const BACKOFF_MS = 1_000;

export type Deliver = (message: Message, signal: AbortSignal) => Promise<void>;

export class Group {
	readonly #options: BaseOptions;
	readonly #settings: Settings;
	readonly #target: Target;
	readonly #deliver: Deliver;
	readonly #metrics: Metrics;
	readonly #log: Logger;
	readonly #failures: FailureLog;
	readonly #calls: Semaphore;
	readonly #closing = new AbortController();
	readonly #partitions = new Map<number, Partition>();
	/** Positions to be stored, at least once only. */
	readonly #done = new Map<number, bigint>();
	#member: Consumer | undefined;
	#fetcher: Fetcher | undefined;
	/**
	 * A rebalance is under way: a position that is stored now could be stored for another member's
	 * partition.
	 */
	#rebalancing = false;
	/** Assignments are taken over one after the other. */
	#takeOver: Promise<void> = Promise.resolve();
	#joined = false;
	/** Rejects when this membership cannot go on. */
	#failed: ((error: Error) => void) | undefined;

	constructor(options: BaseOptions, settings: Settings, target: Target, deliver: Deliver, metrics: Metrics, log: Logger) {
		this.#options = options;
		this.#settings = settings;
		this.#target = target;
		this.#deliver = deliver;
		this.#metrics = metrics;
		this.#log = log;
		this.#failures = new FailureLog(log, settings.topic);
		this.#calls = new Semaphore(settings.concurrency);
	}

	/** It has joined, and its assignment was taken over. */
	get ready(): boolean {
		return this.#joined;
	}

	/** Takes part in the group until it is closed, and joins again after every failure. */
	async run(): Promise<void> {
		while (!this.#closing.signal.aborted) {
			try {
				await this.#membership();
			} catch (error) {
				if (this.#closing.signal.aborted) return;
				this.#failures.warn(error as Error, "the consumer group was left, joining again");
			}
			this.#joined = false;
			await this.#release();
			await sleep(BACKOFF_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
		}
	}

	/** Finishes the calls that run, stores positions, and leaves the group. */
	async close(): Promise<void> {
		this.#closing.abort(new Error("closing"));
		this.#failed?.(new Error("closing"));
		await this.#release();
	}

	async #membership(): Promise<void> {
		const { group } = this.#target;
		const { topic, start } = this.#settings;
		// No retries: the client would store a position again under the next generation, when the
		// partition may be another member's.
		const member = new Consumer({
			...this.#options,
			groupId: group,
			retries: 0,
			sessionTimeout: SESSION_MS,
			heartbeatInterval: HEARTBEAT_MS,
		});
		const reader = new Consumer({ ...this.#options, groupId: `${group}-fetch`, retries: 0 });
		this.#member = member;
		const fetcher = new Fetcher(reader, topic, start, this.#log);
		this.#fetcher = fetcher;
		const failure = new Promise<never>((_, reject) => {
			this.#failed = reject;
		});
		failure.catch(() => {});
		member.on("error", (error: Error) => this.#failed?.(error));
		member.on("consumer:heartbeat:stalled", () => this.#failed?.(new Error(`no heartbeat within ${SESSION_MS} ms`)));
		member.on("consumer:group:rebalance", () => {
			this.#rebalancing = true;
		});
		member.on("consumer:group:join", () => {
			this.#rebalancing = false;
			this.#takeOver = this.#takeOver.then(() => this.#assigned(member, fetcher)).catch((error) => this.#failed?.(error));
		});
		const storing = setInterval(
			() => this.#store(member).catch((error) => this.#log.warn({ err: error }, "positions could not be stored")),
			STORE_EVERY_MS,
		);
		const fetching = fetcher.run();
		try {
			member.topics.track(topic);
			await Promise.race([member.joinGroup({}), failure]);
			await failure;
		} finally {
			clearInterval(storing);
			fetcher.close();
			this.#member = undefined;
			await this.#takeOver.catch(() => {});
			await this.#release();
			if (this.#settings.mode === "at-least-once") await this.#store(member).catch(() => {});
			await Promise.allSettled([member.close(true), reader.close(true), fetching]);
		}
	}

	/**
	 * Takes over the assignment of the latest join: gives up all partitions, then begins with those it
	 * has now, where they were stored.
	 */
	async #assigned(member: Consumer, fetcher: Fetcher): Promise<void> {
		const { topic, mode } = this.#settings;
		await this.#release();
		await this.#store(member);
		const numbers = member.assignments?.find((assignment) => assignment.topic === topic)?.partitions ?? [];
		const offsets = numbers.length === 0 ? [] : await this.#startingOffsets(member, numbers);
		if (member !== this.#member) return;
		for (const [number, offset] of offsets) {
			const partition = new Partition(number, offset, mode, this.#calls, {
				commit: (index, next) => this.#commit(member, index, next),
				done: (index, next) => this.#done.set(index, next),
				deliver: this.#deliver,
				room: () => fetcher.room(),
			});
			partition.stopped.catch((error) => this.#failed?.(error));
			this.#partitions.set(number, partition);
		}
		fetcher.partitions = [...this.#partitions.values()];
		this.#joined = true;
		this.#failures.reset();
		this.#log.info({ topic, partitions: numbers }, "partitions assigned");
	}

	/**
	 * The stored position of each partition; where there is none, the start that the settings name.
	 */
	async #startingOffsets(member: Consumer, numbers: readonly number[]): Promise<[number, bigint][]> {
		const { topic, start } = this.#settings;
		const stored = (await member.listCommittedOffsets({ topics: [{ topic, partitions: [...numbers] }] })).get(topic) ?? [];
		const EARLIEST = -2n;
		const LATEST = -1n;
		const partitions = { [topic]: [...numbers] };
		const ends =
			(await member.listOffsets({ topics: [topic], partitions, timestamp: start === "earliest" ? EARLIEST : LATEST })).get(topic) ?? [];
		return numbers.map((number) => {
			const position = stored[number] ?? -1n;
			return [number, position >= 0n ? position : (ends[number] ?? 0n)];
		});
	}

	/** Gives up all partitions; resolves when none of their calls runs any more. */
	async #release(): Promise<void> {
		const partitions = [...this.#partitions.values()];
		this.#partitions.clear();
		if (this.#fetcher) this.#fetcher.partitions = [];
		for (const partition of partitions) partition.stop();
		await Promise.allSettled(partitions.map(({ stopped }) => stopped));
		for (const { number } of partitions) this.#metrics.lost(this.#target.function, number);
	}

	/** @throws if the position may not be this member's to store */
	async #commit(member: Consumer, partition: number, offset: bigint): Promise<void> {
		const generation = member.generationId;
		if (this.#rebalancing || member !== this.#member) throw new Error("a rebalance is under way");
		await member.commit({ offsets: [{ topic: this.#settings.topic, partition, offset, leaderEpoch: -1 }] });
		if (member.generationId !== generation) throw new Error("the partition was given up while its position was stored");
	}

	async #store(member: Consumer): Promise<void> {
		for (const { number, lag } of this.#partitions.values()) this.#metrics.lag(this.#target.function, number, lag);
		if (this.#done.size === 0 || this.#rebalancing) return;
		const done = [...this.#done];
		this.#done.clear();
		const { topic } = this.#settings;
		try {
			await member.commit({ offsets: done.map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: -1 })) });
		} catch (error) {
			for (const [partition, offset] of done) if (!this.#done.has(partition)) this.#done.set(partition, offset);
			throw error;
		}
	}
}
