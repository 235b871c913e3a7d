import { isUtf8 } from "node:buffer";
import { Fault } from "./fault.ts";

export interface Frame {
	readonly line: { readonly type: string; readonly [field: string]: unknown };
	/** the header lines, in their order */
	readonly head: readonly Header[];
	readonly body: Buffer;
	/** length of head and body */
	readonly bytes: number;
	/** when it arrived, in ms since 1970 */
	readonly at: number;
}

export type Header = readonly [name: string, value: string];

// in bytes (2.3)
const MAX_LINE = 1024 ** 2;
const MAX_HEAD = 1024 ** 2;
const MAX_BODY = 1024 ** 3;

/**
 * Bytes in, frames out, and a Fault for the first byte that breaks a rule. It is written
 * independently of the loader's reader, from the text of PROTOCOL.md alone: two readers of one text
 * find mistakes that one would not.
 */
export class Decoder {
	#held: Buffer[] = [];
	#length = 0;
	#open: { line: Frame["line"]; head: number; body: number } | undefined;

	/** @throws {Fault} */
	*decode(chunk: Buffer): Generator<Frame> {
		let rest = chunk;
		for (;;) {
			if (this.#open === undefined) {
				const newline = rest.indexOf("\n");
				const length = this.#length + (newline < 0 ? rest.length : newline);
				if (length > MAX_LINE) throw new Fault("2.3", `a line is longer than 1 MiB; it begins ${show(this.#take(rest))}`);
				if (newline < 0) return this.#hold(rest);
				this.#open = parseLine(this.#take(rest.subarray(0, newline)));
				rest = rest.subarray(newline + 1);
			}
			const { line, head, body } = this.#open;
			const missing = head + body - this.#length;
			if (rest.length < missing) return this.#hold(rest);
			const bytes = this.#take(rest.subarray(0, missing));
			rest = rest.subarray(missing);
			this.#open = undefined;
			yield { line, head: parseHead(bytes.subarray(0, head)), body: bytes.subarray(head), bytes: bytes.length, at: Date.now() };
		}
	}

	/** Ends the wire. Throws a Fault if a frame is incomplete. */
	end(): void {
		if (this.#open !== undefined) {
			const { line, head, body } = this.#open;
			throw new Fault("2.1", `the wire ends ${head + body - this.#length} bytes before the end of ${JSON.stringify(line).slice(0, 200)}`);
		}
		if (this.#length > 0) throw new Fault("2.1", `the wire ends within a line: ${show(this.#take(Buffer.alloc(0)))}`);
	}

	#hold(bytes: Buffer): void {
		this.#held.push(bytes);
		this.#length += bytes.length;
	}

	#take(last: Buffer): Buffer {
		const whole = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last]);
		this.#held = [];
		this.#length = 0;
		return whole;
	}
}

function parseLine(bytes: Buffer): { line: Frame["line"]; head: number; body: number } {
	if (!isUtf8(bytes)) throw new Fault("2.1", `a line is not UTF-8: ${show(bytes)}`);
	// JSON allows a carriage return between tokens; the rule allows no line break at all.
	if (bytes.includes("\r")) throw new Fault("2.1", `a line has a carriage return: ${show(bytes)}`);
	let line: unknown;
	try {
		line = JSON.parse(bytes.toString());
	} catch {
		throw new Fault("2.1", `a line is not JSON: ${show(bytes)}`);
	}
	if (line === null || typeof line !== "object" || Array.isArray(line))
		throw new Fault("2.1", `a line is not a JSON object: ${show(bytes)}`);
	if (!("type" in line) || typeof line.type !== "string") throw new Fault("2.2", `a line has no type: ${show(bytes)}`);
	const fields = line as Frame["line"];
	return { line: fields, head: countOf(fields, "head", MAX_HEAD), body: countOf(fields, "body", MAX_BODY) };
}

function countOf(line: Frame["line"], field: string, max: number): number {
	const value = line[field] ?? 0;
	if (isCount(value) && value <= max) return value;
	throw new Fault("2.3", `${field} of ${JSON.stringify(line).slice(0, 200)} is not a whole number from 0 to ${max}`);
}

export function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

// RFC 9110 5.1 and 5.5: a token, and a value of visible characters, spaces, tabs and ISO-8859-1's
// upper half.
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):(?: ([\t -~\x80-\xff]*))?$/;

function parseHead(bytes: Buffer): Header[] {
	if (bytes.length === 0) return [];
	const lines = bytes.toString("latin1").split("\r\n");
	if (lines.pop() !== "") throw new Fault("2.5", `a head does not end in CR LF: ${show(bytes.subarray(-80))}`);
	return lines.map((line) => {
		const [, name, value = ""] = HEADER_LINE.exec(line) ?? [];
		if (name === undefined) throw new Fault("2.5", `a head has what is not a header line: ${JSON.stringify(line.slice(0, 120))}`);
		return [name, value.trim()] as const;
	});
}

/** Returns the beginning of some bytes, for a message. */
export function show(bytes: Buffer, max = 120): string {
	const text = JSON.stringify(bytes.toString("latin1", 0, max));
	return bytes.length > max ? `${text}… (${bytes.length} bytes)` : text;
}
