import type { IncomingMessage } from "node:http";
import type { HeldBody } from "../worker/contract.ts";

/** Limits the bytes of all bodies that are held at once, over all calls. */
export class ByteBudget {
	readonly limit: number;
	reserved = 0;

	constructor(limit: number) {
		this.limit = limit;
	}

	/** Reserves `bytes`. Returns false if there is no room for them. */
	reserve(bytes: number): boolean {
		if (!this.hasRoom(bytes)) return false;
		this.reserved += bytes;
		return true;
	}

	/** True if `bytes` could be reserved now. */
	hasRoom(bytes: number): boolean {
		return this.reserved + bytes <= this.limit;
	}

	/** Counts bytes that are held already. */
	add(bytes: number): void {
		this.reserved += bytes;
	}

	release(bytes: number): void {
		this.reserved -= bytes;
	}
}

export type BodyFault = "BODY_TOO_LARGE" | "MEMORY_FULL" | "BODY_TIMED_OUT" | "CALLER_GONE";

/**
 * After a refusal, bytes of the body that are read and discarded so that the caller reads the
 * answer.
 */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
/** A body of which no byte has come for this long is given up, in ms. */
export const BODY_STALL_MS = 30_000;
/**
 * Smaller chunks are copied together, in bytes: each chunk costs some hundred bytes beside its own.
 */
const MIN_PART_BYTES = 2048;
const JOINED_BYTES = 16 * 1024;

/**
 * Reads a request's body and reserves its bytes in the budget as they come: a declared length alone
 * holds no memory.
 * @param declared the Content-Length, -1 if there is none
 * @param limit of the body, in bytes
 * @param done called once; the caller releases the `reserved` bytes
 */
export function readBody(
	request: IncomingMessage,
	declared: number,
	limit: number,
	budget: ByteBudget,
	done: (fault: BodyFault | undefined, body: HeldBody, reserved: number) => void,
): void {
	if (declared > limit) {
		discard(request);
		return done("BODY_TOO_LARGE", NOTHING, 0);
	}
	// A body that would not fit by now is refused before it is read.
	if (!budget.hasRoom(declared)) {
		discard(request);
		return done("MEMORY_FULL", NOTHING, 0);
	}
	const parts: Buffer[] = [];
	let length = 0;
	let reserved = 0;
	let over = false;
	/** small chunks, and the bytes of it that are used */
	let joined: Buffer | undefined;
	let used = 0;
	const closeJoined = () => {
		if (joined !== undefined) parts.push(joined.subarray(0, used));
		joined = undefined;
		used = 0;
	};
	const finish = (fault: BodyFault | undefined) => {
		if (over) return;
		over = true;
		READING.delete(body);
		closeJoined();
		if (fault !== undefined) {
			budget.release(reserved);
			reserved = 0;
			request.off("data", take);
			if (fault !== "CALLER_GONE") discard(request);
		}
		done(fault, { parts, length }, reserved);
	};
	const body: ReadingBody = { length: () => length, seen: 0, since: performance.now(), stalled: () => finish("BODY_TIMED_OUT") };
	const take = (chunk: Buffer) => {
		length += chunk.length;
		if (length > limit) return finish("BODY_TOO_LARGE");
		const isSmall = chunk.length < MIN_PART_BYTES && parts.length > 0;
		if (!isSmall || used + chunk.length > JOINED_BYTES) closeJoined();
		const costs = !isSmall ? chunk.length : joined === undefined ? JOINED_BYTES : 0;
		if (!budget.reserve(costs)) return finish("MEMORY_FULL");
		reserved += costs;
		if (!isSmall) return void parts.push(chunk);
		joined ??= Buffer.allocUnsafeSlow(JOINED_BYTES);
		used += chunk.copy(joined, used);
	};
	READING.add(body);
	request.on("data", take);
	request.on("end", () => finish(undefined));
	request.on("close", () => finish("CALLER_GONE"));
	request.on("error", () => finish("CALLER_GONE"));
}

/** A body that is being read; `seen` bytes had come at `since`, in ms of performance.now(). */
interface ReadingBody {
	readonly length: () => number;
	seen: number;
	since: number;
	readonly stalled: () => void;
}

/** All bodies that are being read, with one timer for all: most are whole before it runs once. */
class Reading {
	readonly #bodies = new Set<ReadingBody>();
	#timer: NodeJS.Timeout | undefined;

	add(body: ReadingBody): void {
		this.#bodies.add(body);
		this.#timer ??= setTimeout(this.#check, BODY_STALL_MS / 4);
	}

	delete(body: ReadingBody): void {
		this.#bodies.delete(body);
	}

	#check = (): void => {
		const now = performance.now();
		for (const body of this.#bodies) {
			if (body.length() !== body.seen) {
				body.seen = body.length();
				body.since = now;
			} else if (now - body.since >= BODY_STALL_MS) body.stalled();
		}
		this.#timer = this.#bodies.size > 0 ? setTimeout(this.#check, BODY_STALL_MS / 4) : undefined;
	};
}

const READING = new Reading();

const NOTHING: HeldBody = { parts: [], length: 0 };

/** Reads the rest of a body and discards it. */
export function discard(request: IncomingMessage): void {
	let discarded = 0;
	request.on("data", (chunk: Buffer) => {
		discarded += chunk.length;
		if (discarded > MAX_DISCARDED_BYTES) request.destroy();
	});
	request.resume();
}
