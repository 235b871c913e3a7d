import type { Worker, WorkerCall } from "../contract.ts";
import type { HeldCall } from "../process/child.ts";

/** The part of the worker that its calls use. */
interface WireCallHost extends Worker {
	holds(sent: WireCall): boolean;
	cancel(sent: WireCall): void;
	resume(sent: WireCall): void;
}

/** A call that was sent over the wire, and what the worker notes of it. */
export class WireCall implements HeldCall {
	readonly worker: WireCallHost;
	readonly call: WorkerCall;
	id = 0;
	cancelled = false;
	/** the answer's head has come; a stream follows */
	begun = false;
	/** the caller reads slower than the worker writes */
	paused = false;
	/** the wire is not read until the caller has read */
	holdsWire = false;
	/** bytes of a `result` that are still to come; undefined: it has not begun */
	missing: number | undefined;
	/** bytes that came while it was paused */
	whilePaused = 0;
	/** the request's body waits in the socket */
	unwritten = false;
	#written: (() => void) | undefined;

	constructor(worker: WireCallHost, call: WorkerCall) {
		this.worker = worker;
		this.call = call;
	}

	get open(): boolean {
		return this.worker.holds(this);
	}

	onceWritten(then: () => void): void {
		if (this.unwritten) this.#written = then;
		else then();
	}

	/** The socket has passed the body on, or has ended. */
	written(): void {
		this.unwritten = false;
		this.#written?.();
	}

	cancel(): void {
		this.worker.cancel(this);
	}

	resume(): void {
		this.worker.resume(this);
	}
}
