import type { IncomingMessage } from "node:http";

/** Counts the bytes of all bodies held at once, over all calls. */
export class ByteBudget {
	readonly limit: number;
	held = 0;

	constructor(limit: number) {
		this.limit = limit;
	}

	/** Takes `bytes` if there is room. */
	take(bytes: number): boolean {
		if (this.held + bytes > this.limit) return false;
		this.held += bytes;
		return true;
	}

	give(bytes: number): void {
		this.held -= bytes;
	}
}

export type BodyFault = "BODY_TOO_LARGE" | "MEMORY_FULL" | "CALLER_GONE";

/** After a refusal the rest of the body is read and thrown away, so that the caller gets to read the answer: at most so many `bytes`. */
const MOST_DISCARDED = 64 * 1024 * 1024;

/**
 * Reads a request's body, at most `limit` bytes, paid for from the budget; `done` is called once, with what was paid.
 * `declared` is the Content-Length, -1 where there is none.
 */
export function readBody(
	request: IncomingMessage,
	declared: number,
	limit: number,
	budget: ByteBudget,
	done: (fault: BodyFault | undefined, body: readonly Buffer[], paid: number) => void,
): void {
	if (declared > limit) {
		discard(request);
		return done("BODY_TOO_LARGE", NOTHING, 0);
	}
	// A declared size is paid at once: refusing before reading costs the least.
	let paid = Math.max(0, declared);
	if (!budget.take(paid)) {
		discard(request);
		return done("MEMORY_FULL", NOTHING, 0);
	}
	const parts: Buffer[] = [];
	let length = 0;
	let over = false;
	const finish = (fault: BodyFault | undefined) => {
		if (over) return;
		over = true;
		if (fault !== undefined) {
			budget.give(paid);
			paid = 0;
			request.off("data", take);
			if (fault !== "CALLER_GONE") discard(request);
		}
		done(fault, parts, paid);
	};
	const take = (chunk: Buffer) => {
		length += chunk.length;
		if (length > limit) return finish("BODY_TOO_LARGE");
		if (length > paid) {
			if (!budget.take(length - paid)) return finish("MEMORY_FULL");
			paid = length;
		}
		parts.push(chunk);
	};
	request.on("data", take);
	request.on("end", () => finish(undefined));
	request.on("close", () => finish("CALLER_GONE"));
	request.on("error", () => finish("CALLER_GONE"));
}

const NOTHING: readonly Buffer[] = [];

export function discard(request: IncomingMessage): void {
	let discarded = 0;
	request.on("data", (chunk: Buffer) => {
		discarded += chunk.length;
		if (discarded > MOST_DISCARDED) request.destroy();
	});
	request.resume();
}
