import type { FrameWriter } from "./frame-writer.ts";
import type { WireCall } from "./wire-call.ts";

/** The part of the worker that a recall uses. */
interface RecallHost {
	/** Returns all calls that the worker holds, but the earliest; undefined: the worker has ended. */
	behindFirst(): readonly WireCall[] | undefined;
	/** Removes calls from the worker: they may go to another one. */
	giveBack(calls: readonly WireCall[]): void;
	/** The recall is over: the worker takes calls again. */
	ended(): void;
}

/** Takes back the calls that a worker was sent ahead and has not begun (PROTOCOL 5.5). */
export class Recall {
	readonly #host: RecallHost;
	readonly #ids = new Set<number>();
	/** while it lasts, the worker gets no calls */
	active = false;
	/** calls that were taken back and that the worker has not confirmed yet */
	unconfirmed = 0;

	constructor(host: RecallHost) {
		this.#host = host;
	}

	begin(writer: FrameWriter): void {
		if (this.active) return;
		this.active = true;
		writer.send('{"type":"withdraw"}\n');
		writer.flush(() => afterPoll(() => this.#takeBack()));
	}

	/** The worker will not begin this call. Returns false if it was not taken back. */
	confirm(id: number): boolean {
		if (!this.#ids.delete(id)) return false;
		this.unconfirmed = this.#ids.size;
		this.#endIfConfirmed();
		return true;
	}

	/**
	 * By now `withdraw` is on the wire, and all that the worker wrote before that was read. So a call
	 * without an answer will be answered later, and after that the worker reads `withdraw` before it
	 * begins another call (PROTOCOL 5.5).
	 */
	#takeBack(): void {
		const calls = this.#host.behindFirst();
		if (calls === undefined) return;
		for (const { id } of calls) this.#ids.add(id);
		this.unconfirmed = this.#ids.size;
		this.#host.giveBack(calls);
		this.#endIfConfirmed();
	}

	#endIfConfirmed(): void {
		if (this.unconfirmed > 0) return;
		this.active = false;
		this.#host.ended();
	}
}

/**
 * Calls back when all data that a socket has by now was read: Node.js reads a ready socket once a
 * turn.
 */
function afterPoll(then: () => void): void {
	setImmediate(() => setImmediate(then));
}
