// Positions of a consumer group: where partitions begin, and what is stored for them.
import type { Consumer } from "@platformatic/kafka";

const EARLIEST = -2n;
const LATEST = -1n;

interface Batch {
	readonly member: Consumer;
	readonly positions: Map<number, bigint>;
	readonly stored: Promise<void>;
}

export class Positions {
	readonly #topic: string;
	readonly #start: "latest" | "earliest";
	/** Positions to be stored, at least once only. */
	readonly #done = new Map<number, bigint>();
	/** Positions for the next request, and the end of the request that is under way. */
	#batch: Batch | undefined;
	#storing: Promise<void> = Promise.resolve();
	/** The topic at the latest assignment. */
	#known: { readonly id: string; readonly partitions: number } | undefined;

	constructor(topic: string, start: "latest" | "earliest") {
		this.#topic = topic;
		this.#start = start;
	}

	/**
	 * Returns the stored position of each partition. A partition without one begins where the settings
	 * say; at its first message if it was created since the latest assignment, as all its messages are
	 * new. These positions are stored at once: messages that come before the first position is stored
	 * must not be skipped after a restart.
	 */
	async starting(member: Consumer, numbers: readonly number[]): Promise<[number, bigint][]> {
		const topic = this.#topic;
		const metadata = (await member.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic);
		if (!metadata) throw new Error(`Unknown topic ${topic}.`);
		const known = this.#known;
		const now = { id: metadata.id, partitions: metadata.partitionsCount };
		if (numbers.length === 0) {
			this.#known = now;
			return [];
		}
		const stored = (await member.listCommittedOffsets({ topics: [{ topic, partitions: [...numbers] }] })).get(topic) ?? [];
		const isNew = (number: number): boolean => known !== undefined && (known.id !== metadata.id || number >= known.partitions);
		const without = numbers.filter((number) => (stored[number] ?? -1n) < 0n);
		const [first, configured] = [without.filter(isNew), without.filter((number) => !isNew(number))];
		const begin = new Map([
			...(await this.#ends(member, first, EARLIEST)),
			...(await this.#ends(member, configured, this.#start === "earliest" ? EARLIEST : LATEST)),
		]);
		if (begin.size > 0) await this.#commit(member, [...begin]);
		this.#known = now;
		return numbers.map((number) => [number, begin.get(number) ?? (stored[number] as bigint)]);
	}

	async #ends(member: Consumer, numbers: readonly number[], timestamp: bigint): Promise<[number, bigint][]> {
		if (numbers.length === 0) return [];
		const topic = this.#topic;
		const ends = (await member.listOffsets({ topics: [topic], partitions: { [topic]: [...numbers] }, timestamp })).get(topic) ?? [];
		return numbers.map((number) => [number, ends[number] ?? 0n]);
	}

	/** A position that `store` will store. */
	done(number: number, next: bigint): void {
		this.#done.set(number, next);
	}

	/** Does not store the position of a partition that another member has now. */
	drop(number: number): void {
		this.#done.delete(number);
	}

	forget(): void {
		this.#done.clear();
	}

	/**
	 * Stores one position, together with those that other partitions ask for while a request is under
	 * way.
	 * @param begun called at once if this position begins a new request, for positions to go with it
	 */
	storeOne(member: Consumer, number: number, next: bigint, begun: () => void): Promise<void> {
		let batch = this.#batch;
		if (batch?.member !== member) {
			batch = { member, positions: new Map(), stored: this.#storing.catch(() => {}).then(() => this.#storeBatch(batch as Batch)) };
			this.#batch = batch;
			this.#storing = batch.stored;
			begun();
		}
		batch.positions.set(number, next);
		return batch.stored;
	}

	#storeBatch(batch: Batch): Promise<void> {
		if (this.#batch === batch) this.#batch = undefined;
		return this.#commit(batch.member, [...batch.positions]);
	}

	/** Stores the positions that are due. */
	async store(member: Consumer): Promise<void> {
		if (this.#done.size === 0) return;
		const done = [...this.#done];
		this.#done.clear();
		try {
			await this.#commit(member, done);
		} catch (error) {
			for (const [number, next] of done) if (!this.#done.has(number)) this.#done.set(number, next);
			throw error;
		}
	}

	async #commit(member: Consumer, positions: readonly [number, bigint][]): Promise<void> {
		const topic = this.#topic;
		await member.commit({ offsets: positions.map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: -1 })) });
	}
}
