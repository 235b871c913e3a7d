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
		if (this.reserved + bytes > this.limit) return false;
		this.reserved += bytes;
		return true;
	}

	release(bytes: number): void {
		this.reserved -= bytes;
	}
}

export type BodyFault = "BODY_TOO_LARGE" | "MEMORY_FULL" | "CALLER_GONE";

/** After a refusal, bytes of the body that are read and discarded so that the caller reads the answer. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/**
 * Reads a request's body and reserves its bytes in the budget.
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
	// A declared length is reserved at once: refusing before reading costs the least.
	let reserved = Math.max(0, declared);
	if (!budget.reserve(reserved)) {
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
			budget.release(reserved);
			reserved = 0;
			request.off("data", take);
			if (fault !== "CALLER_GONE") discard(request);
		}
		done(fault, { parts, length }, reserved);
	};
	const take = (chunk: Buffer) => {
		length += chunk.length;
		if (length > limit) return finish("BODY_TOO_LARGE");
		if (length > reserved) {
			if (!budget.reserve(length - reserved)) return finish("MEMORY_FULL");
			reserved = length;
		}
		parts.push(chunk);
	};
	request.on("data", take);
	request.on("end", () => finish(undefined));
	request.on("close", () => finish("CALLER_GONE"));
	request.on("error", () => finish("CALLER_GONE"));
}

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
