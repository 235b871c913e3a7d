import { isUtf8 } from "node:buffer";

/** A frame's line (PROTOCOL 2.1). Its lengths are checked here, its other fields by messages.ts. */
export interface Line {
	readonly type: string;
	readonly id?: unknown;
	readonly status?: unknown;
	readonly head?: number;
	readonly body?: number;
	readonly [field: string]: unknown;
}

/** A frame that breaks a rule; `rule` is its number in PROTOCOL.md. */
export class WireError extends Error {
	readonly rule: string;
	constructor(rule: string, message: string) {
		super(`${message} (wire rule ${rule})`);
		this.rule = rule;
	}
}

const NEWLINE = 10;
// in bytes (PROTOCOL 2.3)
const MAX_LINE = 1024 * 1024;
export const MAX_HEAD = 1024 * 1024;
export const MAX_BODY = 1024 * 1024 * 1024;

/**
 * A `result` with a longer body is passed on in parts, in bytes: its call may be slower than its
 * worker.
 */
export const MAX_WHOLE_BODY = 64 * 1024;

/**
 * Receives a whole frame: the head is `bytes` from `headStart` to `bodyStart`, the body from there
 * to `end`. A `chunk` or a long `result` may arrive in several parts, each passed on like a frame
 * of its own: joining them would only copy bytes.
 */
export type FrameSink = (line: Line, bytes: Buffer, headStart: number, bodyStart: number, end: number) => void;

/** Bytes in, frames out. There is one reader per wire; it holds at most one unfinished frame. */
export class FrameReader {
	readonly #sink: FrameSink;
	/** an unfinished line */
	#rest: Buffer | undefined;
	/** the line of an unfinished frame, whose blocks are still arriving */
	#line: Line | undefined;
	#parts: Buffer[] = [];
	#missing = 0;
	/** parts of the unfinished frame are passed on as they arrive */
	#inParts = false;
	/** the rest of the unfinished frame is discarded: its head is too long */
	#discards = false;

	constructor(sink: FrameSink) {
		this.#sink = sink;
	}

	/** @throws {WireError} if the bytes are not a frame; the reader cannot be used after that */
	push(chunk: Buffer): void {
		let bytes = chunk;
		let at = 0;
		if (this.#line !== undefined) {
			at = this.#fill(chunk);
			if (this.#line !== undefined) return;
		} else if (this.#rest !== undefined) {
			bytes = Buffer.concat([this.#rest, chunk]);
			this.#rest = undefined;
		}
		while (at < bytes.length) {
			const newline = bytes.indexOf(NEWLINE, at);
			if (newline < 0 || newline - at > MAX_LINE) {
				if (bytes.length - at > MAX_LINE) throw new WireError("2.3", "a line is longer than 1 MiB");
				this.#rest = bytes.subarray(at);
				return;
			}
			const line = parseLine(bytes, at, newline);
			const headStart = newline + 1;
			const bodyStart = headStart + (line.head ?? 0);
			const end = bodyStart + (line.body ?? 0);
			if (isHeadTooLong(line)) {
				// The frame is passed on without its blocks: they are not held.
				this.#sink(line, bytes, headStart, headStart, headStart);
				at = end;
				if (end <= bytes.length) continue;
				this.#line = line;
				this.#missing = end - bytes.length;
				this.#discards = true;
				return;
			}
			if (end > bytes.length) {
				this.#line = line;
				this.#missing = end - bytes.length;
				this.#inParts = bodyStart <= bytes.length && comesInParts(line);
				if (this.#inParts) this.#sink(line, bytes, headStart, bodyStart, bytes.length);
				else this.#parts.push(bytes.subarray(headStart));
				return;
			}
			at = end;
			this.#sink(line, bytes, headStart, bodyStart, end);
		}
	}

	/** True while a frame has begun and not ended. */
	get unfinished(): boolean {
		return this.#line !== undefined || this.#rest !== undefined;
	}

	/** Completes the unfinished frame. Returns where the next one begins in the chunk. */
	#fill(chunk: Buffer): number {
		const line = this.#line as Line;
		const taken = Math.min(this.#missing, chunk.length);
		this.#missing -= taken;
		if (this.#discards) {
			if (this.#missing > 0) return taken;
			this.#line = undefined;
			this.#discards = false;
			return taken;
		}
		if (this.#inParts) {
			if (this.#missing === 0) this.#line = undefined;
			this.#sink(line, chunk, 0, 0, taken);
			return taken;
		}
		this.#parts.push(taken === chunk.length ? chunk : chunk.subarray(0, taken));
		if (this.#missing > 0) {
			// The head is complete: what is missing belongs to the body.
			if (this.#missing > (line.body ?? 0) || !comesInParts(line)) return taken;
			this.#inParts = true;
		}
		const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
		if (this.#missing === 0) this.#line = undefined;
		this.#parts = [];
		this.#sink(line, bytes, 0, line.head ?? 0, bytes.length);
		return taken;
	}
}

/** True for an answer whose headers are longer than the wire's limit (PROTOCOL 2.3). */
export const isHeadTooLong = ({ head, type }: Line): boolean =>
	head !== undefined && head > MAX_HEAD && (type === "result" || type === "head");

const comesInParts = ({ type, head = 0, body = 0 }: Line): boolean =>
	type === "result" ? body > MAX_WHOLE_BODY : type === "chunk" && head === 0;

function parseLine(bytes: Buffer, start: number, end: number): Line {
	const text = bytes.toString("utf8", start, end);
	let line: Line;
	try {
		line = JSON.parse(text);
	} catch {
		throw new WireError("2.1", `a line is not JSON: ${JSON.stringify(text.slice(0, 120))}`);
	}
	if (line === null || typeof line !== "object" || Array.isArray(line)) throw new WireError("2.1", "a line is not a JSON object");
	// Invalid UTF-8 decodes to U+FFFD, so only lines that contain it need validating.
	if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end))) throw new WireError("2.1", "a line is not UTF-8");
	if (typeof line.type !== "string") throw new WireError("2.2", "a line has no type");
	// How long an answer's headers are is up to the function: they fail its call, not its worker.
	const maxHead = line.type === "result" || line.type === "head" ? MAX_BODY : MAX_HEAD;
	if (line.head !== undefined && !isCount(line.head, maxHead)) throw new WireError("2.3", `head is ${JSON.stringify(line.head)}`);
	if (line.body !== undefined && !isCount(line.body, MAX_BODY)) throw new WireError("2.3", `body is ${JSON.stringify(line.body)}`);
	return line;
}

/** True for a whole number from 0 to `max` (PROTOCOL: "count"). */
export function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): value is number {
	return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}
