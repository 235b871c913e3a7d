// Opens compressed request bodies (Content-Encoding), for all languages alike.
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";
import type { HeldBody } from "../worker/contract.ts";
import type { ByteBudget } from "./body.ts";

export type InflateFault = "BODY_MALFORMED" | "BODY_TOO_LARGE" | "MEMORY_FULL";

type Coding = "gzip" | "deflate" | "br";

/** Bytes that an inflater hands over at a time. */
const CHUNK_BYTES = 64 * 1024;
/** The window of gzip and deflate, in bytes. */
const DEFLATE_WINDOW = 32 * 1024;

/**
 * Returns the coding that a Content-Encoding names; undefined: the body is not encoded; "unknown":
 * the loader cannot decode it.
 */
export function codingOf(contentEncoding: string | undefined): Coding | "unknown" | undefined {
	switch (contentEncoding?.trim().toLowerCase()) {
		case undefined:
		case "":
		case "identity":
			return undefined;
		case "gzip":
		case "x-gzip":
			return "gzip";
		case "deflate":
			return "deflate";
		case "br":
			return "br";
		default:
			return "unknown";
	}
}

/**
 * Inflates a body, and reserves the inflated bytes in the budget; until it is done, also those that
 * the inflater holds in its window.
 * @param limit of the inflated body, in bytes
 * @param done called once; its receiver releases the `reserved` bytes
 */
export function inflate(
	{ parts, length }: HeldBody,
	coding: Coding,
	limit: number,
	budget: ByteBudget,
	done: (fault: InflateFault | undefined, body: HeldBody, reserved: number) => void,
): void {
	if (length === 0) return done("BODY_MALFORMED", { parts: [], length: 0 }, 0);
	const inflater = inflaterOf(coding, parts);
	const window = coding === "br" ? brotliWindow(parts) : DEFLATE_WINDOW;
	const inflated: Buffer[] = [];
	let size = 0;
	let reserved = 0;
	let isOver = false;
	const finish = (fault: InflateFault | undefined) => {
		if (isOver) return;
		isOver = true;
		if (fault !== undefined) {
			inflater.destroy();
			budget.release(reserved);
			return done(fault, { parts: [], length: 0 }, 0);
		}
		budget.release(reserved - size);
		done(undefined, { parts: inflated, length: size }, size);
	};
	inflater.on("data", (chunk: Buffer) => {
		if (isOver) return;
		size += chunk.length;
		if (size > limit) return finish("BODY_TOO_LARGE");
		// A window grows with what was inflated.
		const needs = size + Math.min(size, window);
		if (!budget.reserve(needs - reserved)) return finish("MEMORY_FULL");
		reserved = needs;
		inflated.push(chunk);
	});
	inflater.on("error", () => finish("BODY_MALFORMED"));
	inflater.on("end", () => finish(undefined));
	for (const part of parts) inflater.write(part);
	inflater.end();
}

function inflaterOf(coding: Coding, [first]: readonly Buffer[]): Transform {
	const options = { chunkSize: CHUNK_BYTES };
	if (coding === "gzip") return createGunzip(options);
	if (coding === "br") return createBrotliDecompress(options);
	// RFC 9110 §8.4.1.2: some senders leave the zlib format's header out, whose lower four bits are 8.
	return ((first?.[0] ?? 0) & 0x0f) === 8 ? createInflate(options) : createInflateRaw(options);
}

/** Returns the size of a Brotli body's window, in bytes (RFC 7932 §9.1). */
function brotliWindow(parts: readonly Buffer[]): number {
	const first = parts[0]?.[0] ?? 0;
	const middle = (first >> 1) & 0x07;
	const upper = (first >> 4) & 0x07;
	if ((first & 0x01) === 0) return 2 ** 16;
	if (middle !== 0) return 2 ** (17 + middle);
	return 2 ** (upper === 0 ? 17 : 8 + upper);
}

/**
 * Returns a request's headers as they would be if its body had been sent as it is now, with
 * `length` bytes.
 */
export function inflatedHeaders(raw: readonly string[], length: number): string[] {
	const headers: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		const name = raw[index] as string;
		const lower = name.toLowerCase();
		if (lower !== "content-encoding") headers.push(name, lower === "content-length" ? String(length) : (raw[index + 1] as string));
	}
	return headers;
}
