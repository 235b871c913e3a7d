import type { HeldBody, Worker, WorkerCall } from "../contract.ts";
import type { HeldCall } from "../process/child.ts";
import { callLine } from "./call-line.ts";
import { type FrameWriter, MAX_COPIED_BODY } from "./frame-writer.ts";
import { MAX_BODY, WireError } from "./frames.ts";

/** A Content-Length that the function set itself: that of a result is the length of its body. */
const OWN_LENGTH = /^content-length:.*\r\n/gim;
/** RFC 9110 §6.4.1 */
const isBodiless = (status: number): boolean => status === 204 || status === 304;

/** Bytes that a worker may send for a paused call before it is killed for ignoring `pause`. */
const MAX_BYTES_WHILE_PAUSED = 64 * 1024 * 1024;

/** The part of the worker that its calls use. */
interface WireCallHost extends Worker {
	holds(sent: WireCall): boolean;
	cancel(sent: WireCall): void;
	/** Makes the process send no more of this answer until `resume`. */
	pause(sent: WireCall): void;
	resume(sent: WireCall): void;
	/** Stops reading the wire until `resume` of a call that holds it. */
	pauseWire(): void;
}

/**
 * A call that was sent over the wire, and what the worker notes of it: it sends its own frame, and
 * passes its answer on as fast as the caller reads.
 */
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
	#missing: number | undefined;
	/** bytes that came while it was paused */
	#whilePaused = 0;
	/** the request's body waits in the socket */
	#unwritten = false;
	#written: (() => void) | undefined;

	constructor(worker: WireCallHost, call: WorkerCall) {
		this.worker = worker;
		this.call = call;
	}

	get open(): boolean {
		return this.worker.holds(this);
	}

	/** @param envelopes the worker takes an envelope beside the data in it */
	send(writer: FrameWriter, envelopes: boolean): void {
		const { call } = this;
		const { body } = call;
		const { envelope } = call.event;
		if (envelope === undefined || !envelopes) return this.#write(writer, callLine(this.id, call), body);
		// The data and, behind it, the envelope that it came in (PROTOCOL 4.11).
		const length = (body?.length ?? 0) + envelope.length;
		if (length > MAX_BODY) return this.#write(writer, callLine(this.id, call), body);
		this.#write(writer, callLine(this.id, call, envelope), { parts: [...(body?.parts ?? []), ...envelope.parts], length });
	}

	#write(writer: FrameWriter, lineAndHead: string, body: HeldBody | undefined): void {
		if (body === undefined || body.length <= MAX_COPIED_BODY) return writer.send(lineAndHead, body?.parts);
		this.#unwritten = true;
		writer.sendLarge(lineAndHead, body.parts, () => {
			this.#unwritten = false;
			this.#written?.();
		});
	}

	onceWritten(then: () => void): void {
		if (this.#unwritten) this.#written = then;
		else then();
	}

	cancel(): void {
		this.worker.cancel(this);
	}

	resume(): void {
		this.worker.resume(this);
	}

	/** Passes on the beginning of a streamed answer. */
	head(status: number, head: string): void {
		this.begun = true;
		if (!this.cancelled) this.call.answer.head(status, head);
	}

	/** Passes on a piece of a streamed answer. */
	chunk(bytes: Buffer): void {
		if (this.cancelled || bytes.length === 0 || this.call.answer.chunk(bytes)) return;
		if (!this.paused) {
			this.paused = true;
			this.#whilePaused = 0;
			return this.worker.pause(this);
		}
		this.#whilePaused += bytes.length;
		if (this.#whilePaused > MAX_BYTES_WHILE_PAUSED)
			throw new WireError("5.1", `call ${this.id} was paused and ${this.#whilePaused} bytes came`);
	}

	/**
	 * Passes on a part of a long result as a stream: the worker's process need not wait for the
	 * caller, and the loader holds few bytes. Returns true if it was the last part.
	 */
	takePart(status: number, length: number, bytes: Buffer, headStart: number, bodyStart: number, end: number): boolean {
		const { answer } = this.call;
		if (this.#missing === undefined) {
			if (this.begun) throw new WireError("4.2", `result of call ${this.id} comes after its head`);
			this.#missing = length;
			const head = bytes.toString("latin1", headStart, bodyStart).replace(OWN_LENGTH, "");
			this.head(status, isBodiless(status) ? head : `${head}Content-Length: ${length}\r\n`);
		}
		const part = bytes.subarray(bodyStart, end);
		this.#missing -= part.length;
		if (this.cancelled || part.length === 0 || answer.chunk(part)) return this.#missing === 0;
		if (this.#missing > 0 && answer.memoryFull) {
			// A frame cannot be paused alone: the wire waits until this caller has read.
			this.holdsWire = true;
			this.worker.pauseWire();
		}
		return this.#missing === 0;
	}

	/** Ends an answer whose last part was passed on. */
	endParts(): void {
		if (!this.cancelled) this.call.answer.end();
	}
}
