// Finds the members of a JSON object without building their values: the body may have any size, and
// the event loop must not stand still meanwhile. The generators yield often; `inSlices` lets the
// loop turn in between.

/** Where a member's value is, in bytes of the whole text. */
export interface Span {
	readonly start: number;
	readonly end: number;
}

/**
 * The text is not an object, or it ends too early. Values are not checked beyond their brackets and
 * quotes.
 */
export class JsonError extends Error {}

/** Work that yields after some 10 µs to 1 ms. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How long the event loop may stand still, in ms. */
const SLICE_MS = 5;
/** Loop turns between two yields. */
const STEPS = 4096;
/** Bytes that are copied or decoded between two yields. */
const STEP_BYTES = 256 * 1024;
const MAX_MEMBERS = 1000;
const MAX_NAME_BYTES = 1024;

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE] = [34, 92, 44, 58, 123, 125];
const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/**
 * Runs the steps to their end, letting the event loop turn in between; `done` may be called before
 * this returns.
 */
export function inSlices<T>(steps: Steps<T>, done: (result: T) => void, failed: (error: unknown) => void): void {
	const until = performance.now() + SLICE_MS;
	let step: IteratorResult<undefined, T>;
	try {
		do step = steps.next();
		while (!step.done && performance.now() < until);
	} catch (error) {
		return failed(error);
	}
	if (step.done) done(step.value);
	else setImmediate(inSlices, steps, done, failed);
}

type Expected = "object" | "first name" | "name" | "colon" | "value" | "comma" | "end";

/**
 * Returns the members of an object by name; of a repeated name the last counts.
 * @throws {JsonError} if the text is not a JSON object
 */
export function* membersOf(parts: readonly Buffer[]): Steps<Map<string, Span>> {
	const members = new Map<string, Span>();
	let expected: Expected = "object";
	let name = "";
	/** absolute, of the name or the value that has begun */
	let start = 0;
	let inString = false;
	let inScalar = false;
	let escaped = false;
	/** open brackets of the value */
	let depth = 0;
	let base = 0;
	let steps = 0;
	const add = (end: number) => {
		if (members.size >= MAX_MEMBERS) throw new JsonError("it has too many members");
		members.set(name, { start, end });
		expected = "comma";
	};
	for (const part of parts) {
		// The offset of the next one in this part; -2: not searched yet, -1: the part has no further one.
		let quote = -2;
		let backslash = -2;
		for (let at = 0; at < part.length; at++) {
			if (++steps % STEPS === 0) yield;
			if (inString) {
				if (escaped) {
					escaped = false;
					continue;
				}
				const byte = part[at];
				if (byte === BACKSLASH) {
					escaped = true;
					continue;
				}
				if (byte !== QUOTE) {
					if (quote !== -1 && quote < at) quote = part.indexOf(QUOTE, at);
					if (backslash !== -1 && backslash < at) backslash = part.indexOf(BACKSLASH, at);
					const next = quote < 0 || backslash < 0 ? Math.max(quote, backslash) : Math.min(quote, backslash);
					if (next < 0) break;
					at = next - 1;
					continue;
				}
				inString = false;
				if (depth > 0) continue;
				if (expected === "value") add(base + at + 1);
				else {
					if (base + at - start > MAX_NAME_BYTES) throw new JsonError("a name is too long");
					name = JSON.parse(textOf(parts, { start, end: base + at + 1 })) as string;
					expected = "colon";
				}
				continue;
			}
			const byte = part[at] as number;
			if (depth > 0) {
				if (byte === QUOTE) inString = true;
				else if (byte === OPEN || byte === 91) depth++;
				else if ((byte === CLOSE || byte === 93) && --depth === 0) add(base + at + 1);
				continue;
			}
			if (inScalar) {
				if (byte !== COMMA && byte !== CLOSE && !isSpace(byte)) continue;
				inScalar = false;
				add(base + at);
			}
			if (isSpace(byte)) continue;
			const last: Expected = expected as Expected;
			if (last === "object" && byte === OPEN) expected = "first name";
			else if ((last === "first name" || last === "name") && byte === QUOTE) {
				start = base + at;
				inString = true;
			} else if (last === "colon" && byte === COLON) expected = "value";
			else if (last === "comma" && byte === COMMA) expected = "name";
			else if ((last === "comma" || last === "first name") && byte === CLOSE) expected = "end";
			else if (last === "value" && byte !== COMMA && byte !== CLOSE) {
				start = base + at;
				if (byte === QUOTE) inString = true;
				else if (byte === OPEN || byte === 91) depth = 1;
				else inScalar = true;
			} else
				throw new JsonError(
					last === "object" ? "it is not an object" : `unexpected ${JSON.stringify(String.fromCharCode(byte))} at byte ${base + at}`,
				);
		}
		base += part.length;
	}
	if ((expected as Expected) !== "end") throw new JsonError(base === 0 ? "it is empty" : "it ends too early");
	return members;
}

/** Returns the parts that a span covers; nothing is copied. */
export function spanOf(parts: readonly Buffer[], { start, end }: Span): Buffer[] {
	const found: Buffer[] = [];
	let base = 0;
	for (const part of parts) {
		if (base + part.length > start && base < end) found.push(part.subarray(Math.max(0, start - base), Math.min(part.length, end - base)));
		base += part.length;
	}
	return found;
}

/** Returns a short span as text. */
export const textOf = (parts: readonly Buffer[], span: Span): string => Buffer.concat(spanOf(parts, span)).toString("utf8");

/**
 * Returns the bytes of a JSON string.
 * @param span of the string with its quotes
 * @throws {JsonError} if an escape is none
 */
export function* stringBytes(parts: readonly Buffer[], { start, end }: Span): Steps<Buffer> {
	const bytes = Buffer.allocUnsafeSlow(end - start - 2);
	let length = 0;
	for (const piece of spanOf(parts, { start: start + 1, end: end - 1 })) {
		for (let at = 0; at < piece.length; at += STEP_BYTES) {
			length += piece.copy(bytes, length, at, at + STEP_BYTES);
			yield;
		}
	}
	let from = bytes.indexOf(BACKSLASH);
	if (from < 0) return bytes;
	// In place: an escape is never shorter than what it stands for.
	let to = from;
	for (let steps = 1; from < length; steps++) {
		if (steps % STEPS === 0) yield;
		const simple = SIMPLE.get(bytes[from + 1] as number);
		if (simple !== undefined) {
			bytes[to++] = simple;
			from += 2;
		} else {
			const [escaped] = UNICODE.exec(bytes.toString("latin1", from, from + MAX_ESCAPE)) ?? [];
			if (escaped === undefined) throw new JsonError("a string has a backslash that escapes nothing");
			to += bytes.write(JSON.parse(`"${escaped}"`) as string, to);
			from += escaped.length;
		}
		if (bytes[from] === BACKSLASH) continue;
		const next = bytes.indexOf(BACKSLASH, from);
		const stop = next < 0 ? length : next;
		bytes.copyWithin(to, from, stop);
		to += stop - from;
		from = stop;
	}
	return bytes.subarray(0, to);
}

/** The character behind a backslash, and the byte that both encode. */
const SIMPLE = new Map([...'"\\/bfnrt'].map((char, index) => [char.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(index)]));
/** A character by its number, or a surrogate pair */
const UNICODE = /^(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4})/;
const MAX_ESCAPE = 12;

/** Returns the bytes that base64 text encodes; undefined if it is not base64. */
export function* base64Bytes(text: Buffer): Steps<Buffer | undefined> {
	if (text.length % 4 !== 0) return undefined;
	const padding = text.at(-2) === 61 ? 2 : text.at(-1) === 61 ? 1 : 0;
	const bytes = Buffer.allocUnsafeSlow(Math.max(0, (text.length / 4) * 3 - padding));
	let length = 0;
	for (let at = 0; at < text.length; at += STEP_BYTES) {
		const piece = text.toString("latin1", at, at + STEP_BYTES);
		// Node.js skips what is not base64, takes the letters of base64url, and ends at padding.
		if (!/^[A-Za-z0-9+/]*={0,2}$/.test(piece)) return undefined;
		length += bytes.write(piece, length, "base64");
		yield;
	}
	return length === bytes.length ? bytes : undefined;
}
