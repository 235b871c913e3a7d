// The messages of one partition, for one function, in order.
import type { Message } from "../message.ts";
import type { Semaphore } from "../semaphore.ts";
import type { Mode } from "../settings.ts";

/** Above either limit no more messages are fetched for this partition. */
const MAX_WAITING = 500;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/**
 * Messages whose position is stored before they are called, at most once only. A consumer that is
 * killed loses no more than these.
 */
const MAX_CLAIMED = 20;
/**
 * Fewer are claimed if their calls would take longer than this, in ms: a consumer that is to stop
 * calls them all before it ends.
 */
const CLAIMED_MS = 500;
/** The weight of the latest call in the mean duration of calls. */
const MEAN_WEIGHT = 0.2;

export interface PartitionEvents {
	/**
	 * Stores the position: the offset of the next message to deliver. Rejects if it was not stored, or
	 * this member does not own the partition any more.
	 */
	claim(offset: bigint): Promise<void>;
	/** Notes a position that may be stored later. */
	done(offset: bigint): void;
	deliver(message: Message, signal: AbortSignal): Promise<void>;
	/** There is room for further messages. */
	room(): void;
}

export class Partition {
	readonly number: number;
	/** The offset to fetch next. */
	fetchOffset: bigint;
	/** The end of the partition as of the last fetch. */
	end = 0n;
	/** Resolves when the last delivery is over; no further one begins after `stop`. */
	readonly stopped: Promise<void>;
	/** The offset of the next message that is not done with. */
	position: bigint;
	/** Another member has it now, so that its positions are not stored any more. */
	isHandedOver = false;
	readonly #events: PartitionEvents;
	readonly #mode: Mode;
	readonly #calls: Semaphore;
	readonly #stop = new AbortController();
	#waiting: Message[] = [];
	#bytes = 0;
	/** at most once: the message that is called, and those behind it whose position is stored */
	readonly #claimed: Message[] = [];
	#isClaiming = false;
	/** the mean duration of calls; as long as none has ended, one message is claimed */
	#meanMs = CLAIMED_MS;
	#wake: (() => void) | undefined;

	/** @param calls limits the calls of this function in all partitions */
	constructor(number: number, offset: bigint, mode: Mode, calls: Semaphore, events: PartitionEvents) {
		this.number = number;
		this.fetchOffset = offset;
		this.position = offset;
		this.#mode = mode;
		this.#calls = calls;
		this.#events = events;
		this.stopped = this.#run();
	}

	get hasRoom(): boolean {
		return this.#waiting.length < MAX_WAITING && this.#bytes < MAX_WAITING_BYTES;
	}

	get isActive(): boolean {
		return !this.#stop.signal.aborted;
	}

	/** Messages that are not done with. */
	get lag(): number {
		return Math.max(0, Number(this.end - this.position));
	}

	/** @param next the offset to fetch after these messages */
	add(messages: readonly Message[], next: bigint): void {
		if (!this.isActive) return;
		for (const message of messages) this.#bytes += message.value.length;
		this.#waiting.push(...messages);
		this.fetchOffset = next;
		this.#wake?.();
	}

	/**
	 * Takes no further message. A message that is between two attempts is left to the partition's next
	 * owner.
	 */
	stop(): void {
		this.#stop.abort(new Error("the partition was given up"));
		this.#wake?.();
	}

	async #run(): Promise<void> {
		if (this.#mode === "at-most-once") return this.#runClaims();
		while (this.isActive) {
			if (this.#waiting.length === 0) await this.#arrival();
			else await this.#deliverNext();
		}
	}

	/**
	 * Claimed messages are delivered also after `stop`: the partition's next owner begins behind them.
	 */
	async #runClaims(): Promise<void> {
		const never = new AbortController().signal;
		for (;;) {
			// The next messages are claimed while the last half of the claimed ones is called.
			if (this.#claimed.length < this.#claimLimit / 2) this.claim();
			const message = this.#claimed[0];
			if (message) {
				const since = performance.now();
				await this.#calls.run(() => this.#events.deliver(message, never));
				this.#meanMs += (performance.now() - since - this.#meanMs) * MEAN_WEIGHT;
				this.#claimed.shift();
				this.position = (message.offset as bigint) + 1n;
			} else if (this.isActive || this.#isClaiming) await this.#arrival();
			else return;
		}
	}

	/**
	 * Stores the position behind some messages, at most once only: after a crash none of them is
	 * delivered again.
	 */
	claim(): void {
		if (this.#mode !== "at-most-once" || this.#isClaiming || !this.isActive || this.#waiting.length === 0) return;
		const taken = this.#take(this.#claimLimit - this.#claimed.length);
		const last = taken.at(-1);
		if (last === undefined) return;
		this.#isClaiming = true;
		this.#events
			.claim((last.offset as bigint) + 1n)
			.then(
				() => void this.#claimed.push(...taken),
				// It is not known whether the position was stored, so these messages must not be called by
				// this member. If it was not stored, the partition's owner fetches them again.
				() => this.stop(),
			)
			.then(() => {
				this.#isClaiming = false;
				this.#wake?.();
			});
	}

	get #claimLimit(): number {
		return Math.max(1, Math.min(MAX_CLAIMED, Math.floor(CLAIMED_MS / this.#meanMs)));
	}

	#arrival(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = () => {
				this.#wake = undefined;
				resolve();
			};
		});
	}

	/** Delivers a message, then lets its position be stored. */
	async #deliverNext(): Promise<void> {
		const [message] = this.#waiting as [Message];
		try {
			await this.#calls.run(() => this.#events.deliver(message, this.#stop.signal));
		} catch (error) {
			if (this.isActive) throw error;
			return;
		}
		this.#take(1);
		this.position = (message.offset as bigint) + 1n;
		this.#events.done(this.position);
	}

	#take(count: number): Message[] {
		const hadRoom = this.hasRoom;
		const taken: Message[] = [];
		while (taken.length < count) {
			const message = this.#waiting.shift(); // splice would move all messages behind it
			if (message === undefined) break;
			taken.push(message);
			this.#bytes -= message.value.length;
		}
		if (!hadRoom && this.hasRoom) this.#events.room();
		return taken;
	}
}
