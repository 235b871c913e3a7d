// One function's membership in its consumer group: which partitions it has, and the positions that
// are stored for them.
import { setTimeout as sleep } from "node:timers/promises";
import { type BaseOptions, Consumer } from "@platformatic/kafka";
import type { Logger } from "pino";
import { backoffMs } from "../delivery.ts";
import { FailureLog, KnownFailure } from "../failures.ts";
import type { Message } from "../message.ts";
import type { Metrics } from "../metrics.ts";
import { Semaphore } from "../semaphore.ts";
import type { Settings, Target } from "../settings.ts";
import { kafkaCauses } from "./causes.ts";
import { Fetcher } from "./fetcher.ts";
import { Partition } from "./partition.ts";
import { Positions } from "./positions.ts";

/**
 * Positions of finished messages are stored this often, at least once only: a crash delivers again
 * what came since.
 */
const STORE_EVERY_MS = 500;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1_000;
/** The longest wait before the group is joined again, or a partition is opened again. */
const MAX_BACKOFF_MS = 5_000;
/** Leaving the group takes no longer, so that a broker that is away does not delay the end. */
const MAX_LEAVE_MS = 5_000;

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
	readonly #positions: Positions;
	/** Partitions that this member consumes. */
	readonly #open = new Map<number, Partition>();
	/** Partitions that were given up while a call ran. */
	readonly #ending = new Map<number, Partition>();
	#member: Consumer | undefined;
	#fetcher: Fetcher | undefined;
	/**
	 * A rebalance is under way: a position that is stored now could be stored for another member's
	 * partition.
	 */
	#rebalancing = false;
	/** Partitions are opened in one run at a time. */
	#opening: Promise<void> = Promise.resolve();
	#joined = false;
	#ended: Promise<void> = Promise.resolve();
	/** Rejects when this membership cannot go on. */
	#failed: ((error: Error) => void) | undefined;

	constructor(options: BaseOptions, settings: Settings, target: Target, deliver: Deliver, metrics: Metrics, log: Logger) {
		this.#options = options;
		this.#settings = settings;
		this.#target = target;
		this.#deliver = deliver;
		this.#metrics = metrics;
		this.#log = log;
		this.#failures = new FailureLog(log, kafkaCauses(options, settings.topic, target.group));
		this.#calls = new Semaphore(settings.concurrency);
		this.#positions = new Positions(settings.topic, settings.start);
	}

	/** It has joined, and its assignment was taken over. */
	get ready(): boolean {
		return this.#joined;
	}

	/** Takes part in the group until it is closed, and joins again after every failure. */
	run(): Promise<void> {
		this.#ended = this.#joinAgainAndAgain();
		return this.#ended;
	}

	/** Finishes the calls that run, stores positions, and leaves the group. */
	async close(): Promise<void> {
		this.#closing.abort(new Error("closing"));
		this.#failed?.(new Error("closing"));
		await this.#ended;
	}

	async #joinAgainAndAgain(): Promise<void> {
		const { signal } = this.#closing;
		for (let failures = 0; !signal.aborted; failures++) {
			let joined = false;
			try {
				await this.#membership(() => {
					joined = true;
				});
			} catch (error) {
				if (signal.aborted) return;
				this.#failures.warn(error as Error, `consumer group ${joined ? "left" : "not joined"}, trying again`);
			}
			if (joined) failures = 0;
			await sleep(backoffMs(failures, MAX_BACKOFF_MS), undefined, { signal }).catch(() => {});
		}
	}

	async #membership(joined: () => void): Promise<void> {
		const { group } = this.#target;
		const { topic } = this.#settings;
		// No retries: the client would store a position again under the next generation, when the
		// partition may be another member's.
		const member = new Consumer({
			...this.#options,
			groupId: group,
			retries: 0,
			sessionTimeout: SESSION_MS,
			heartbeatInterval: HEARTBEAT_MS,
			heartbeatStallTimeout: SESSION_MS,
		});
		const reader = new Consumer({ ...this.#options, groupId: `${group}-fetch`, retries: 0 });
		this.#member = member;
		this.#rebalancing = false;
		const failure = new Promise<never>((_, reject) => {
			this.#failed = reject;
		});
		failure.catch(() => {});
		const fetcher = new Fetcher(reader, topic, this.#log, this.#failures, (error) => this.#failed?.(error));
		this.#fetcher = fetcher;
		member.on("error", (error: Error) => this.#failed?.(error));
		member.on("consumer:heartbeat:stalled", () =>
			this.#failed?.(new KnownFailure(`the broker did not answer a heartbeat for ${SESSION_MS} ms.`)),
		);
		member.on("consumer:group:rebalance", () => {
			// The broker takes positions until this member joins again.
			if (!this.#rebalancing) this.#positions.store(member).catch(() => {});
			this.#rebalancing = true;
			// The leader must see partitions that were added.
			member.clearMetadata();
		});
		member.on("consumer:group:join", () => {
			this.#rebalancing = false;
			joined();
			this.#giveUpAllBut(this.#assigned(member));
			this.#openAssigned(member, fetcher);
		});
		const storing = setInterval(() => this.#storeDone(member), STORE_EVERY_MS);
		const fetching = fetcher.run();
		try {
			member.topics.track(topic);
			await Promise.race([member.joinGroup({}), failure]);
			await failure;
		} finally {
			clearInterval(storing);
			fetcher.close();
			this.#member = undefined;
			this.#joined = false;
			this.#giveUpAllBut([]);
			const ending = [...this.#ending.values()];
			await Promise.allSettled(ending.map(({ stopped }) => stopped));
			const stored = fetcher.topicIsOther ? Promise.resolve() : this.#positions.store(member).catch(() => {});
			// close() leaves the group only if the client knows its brokers: not during a rebalance. The
			// others would wait for this member until its session ends.
			const left = stored.then(() => member.leaveGroup(true)).catch(() => {});
			const closed = left.then(() => Promise.allSettled([member.close(true), reader.close(true), fetching]));
			await Promise.race([closed, sleep(MAX_LEAVE_MS, undefined, { ref: false })]);
			this.#positions.forget();
		}
	}

	#assigned(member: Consumer): readonly number[] {
		return member.assignments?.find(({ topic }) => topic === this.#settings.topic)?.partitions ?? [];
	}

	/** Stops partitions at once. A partition that stays goes on, also while a call of it runs. */
	#giveUpAllBut(numbers: readonly number[]): void {
		for (const [number, partition] of this.#open) {
			if (numbers.includes(number)) continue;
			this.#open.delete(number);
			this.#ending.set(number, partition);
			partition.stop();
			// At the end of a membership the last positions are still stored.
			if (!this.#member) continue;
			partition.isHandedOver = true;
			this.#positions.drop(number);
		}
		if (this.#fetcher) this.#fetcher.partitions = [...this.#open.values()];
	}

	/** Opens the partitions that are assigned and not open yet. */
	#openAssigned(member: Consumer, fetcher: Fetcher): void {
		this.#opening = this.#opening
			.then(() => this.#openNow(member, fetcher))
			.catch((error: Error) => {
				if (member === this.#member && !this.#rebalancing) this.#failed?.(error);
			});
	}

	async #openNow(member: Consumer, fetcher: Fetcher): Promise<void> {
		const generation = member.generationId;
		const isCurrent = (): boolean => member === this.#member && member.generationId === generation && !this.#rebalancing;
		if (!isCurrent()) return; // the next join opens them
		const assigned = this.#assigned(member);
		// The order of a partition's messages is kept: its last call must have ended.
		const numbers = assigned.filter((number) => !this.#open.has(number) && !this.#ending.has(number));
		const offsets = await this.#positions.starting(member, numbers);
		if (!isCurrent()) return;
		for (const [number, offset] of offsets) this.#openOne(member, fetcher, number, offset);
		fetcher.partitions = [...this.#open.values()];
		if (!this.#joined || numbers.length > 0) this.#log.info({ topic: this.#settings.topic, partitions: assigned }, "partitions assigned");
		this.#joined = true;
		this.#failures.reset();
	}

	#openOne(member: Consumer, fetcher: Fetcher, number: number, offset: bigint): void {
		const owns = (): boolean => member === this.#member && !this.#rebalancing && this.#open.get(number) === partition;
		const partition: Partition = new Partition(number, offset, this.#settings.mode, this.#calls, {
			claim: async (next) => {
				const generation = member.generationId;
				if (!owns()) throw new Error("the partition was given up");
				await this.#positions.storeOne(member, number, next, () => {
					// A request costs as much as some calls, so it stores the positions of all partitions.
					for (const other of this.#open.values()) other.claim();
				});
				if (!owns() || member.generationId !== generation) throw new Error("the partition was given up while its position was stored");
			},
			done: (next) => {
				if (!partition.isHandedOver) this.#positions.done(number, next);
			},
			deliver: this.#deliver,
			room: () => fetcher.room(),
		});
		this.#open.set(number, partition);
		partition.stopped
			.catch((error) => this.#failed?.(error))
			.finally(async () => {
				this.#metrics.lost(this.#target.function, number);
				// The partition stopped by itself, as its position could not be stored.
				if (this.#open.get(number) === partition) {
					await sleep(backoffMs(1, MAX_BACKOFF_MS), undefined, { signal: this.#closing.signal }).catch(() => {});
				}
				for (const list of [this.#open, this.#ending]) if (list.get(number) === partition) list.delete(number);
				this.#openAssigned(member, fetcher);
			});
	}

	#storeDone(member: Consumer): void {
		for (const { number, lag } of this.#open.values()) this.#metrics.lag(this.#target.function, number, lag);
		if (this.#rebalancing) return;
		this.#positions.store(member).catch((error) => this.#failures.warn(error, "positions could not be stored, trying again"));
	}
}
