import type { Head } from "../worker/contract.ts";

/** An answer's headers as the function set them, without those that the loader decides. */
export interface ReplyHead {
	/** [name, value, name, value, …] as `writeHead` takes them, CORS included */
	readonly pairs: readonly string[];
	/** the function's own Content-Length */
	readonly length: string | undefined;
}

/** Every web page may read a function's answers, as with Kubeless's runtimes. */
export const CORS_HEADER = ["Access-Control-Allow-Origin", "*"] as const;

// Most answers of a function have one of a few header blocks: each is parsed once.
const CACHE = new Map<string, ReplyHead>();
const MAX_CACHED = 256;
const MAX_CACHED_LENGTH = 512;

/** Returns a worker's headers as the caller will get them. */
export function readReplyHead(head: Head): ReplyHead {
	return typeof head === "string" ? readBlock(head) : readPairs(head);
}

/** Parses a header block (PROTOCOL 2.5); lines without a colon are left out. */
function readBlock(block: string): ReplyHead {
	const cached = CACHE.get(block);
	if (cached) return cached;
	const lines: string[] = [];
	for (const line of block.split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) lines.push(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	const head = readPairs(lines);
	if (block.length <= MAX_CACHED_LENGTH && CACHE.size < MAX_CACHED) CACHE.set(block, head);
	return head;
}

function readPairs(lines: readonly string[]): ReplyHead {
	const pairs: string[] = [];
	let length: string | undefined;
	let ownCors = false;
	for (let index = 0; index < lines.length; index += 2) {
		const name = lines[index] as string;
		const value = lines[index + 1] as string;
		switch (name.toLowerCase()) {
			case "content-length":
				length = length === undefined || length === value ? value : `${length}, ${value}`;
				continue;
			// These concern the connection, which is the loader's.
			case "connection":
			case "keep-alive":
			case "proxy-connection":
			case "transfer-encoding":
			case "upgrade":
			case "trailer":
			// By this header the loader states that the function did not run.
			case "kubeless-refused":
				continue;
			case "access-control-allow-origin":
				ownCors = true;
		}
		pairs.push(name, value);
	}
	if (!ownCors) pairs.push(...CORS_HEADER);
	return { pairs, length };
}

/** True for a status whose answers have no body (RFC 9110 §6.4.1). */
export const isBodiless = (status: number): boolean => status === 204 || status === 304;

/**
 * Returns the headers of an answer whose body has `length` bytes. Throws if the function's own
 * length is sent and is none.
 */
export function resultHeaders(block: Head, status: number, length: number, isHead: boolean): string[] {
	const head = readReplyHead(block);
	// The Content-Length of a HEAD answer is that of a GET, which only the function knows.
	const own = isHead && length === 0 && status !== 204 ? ownLength(head) : undefined;
	if (isBodiless(status) && own === undefined) return [...head.pairs];
	return head.pairs.concat("Content-Length", String(own ?? length));
}

/**
 * Returns the headers of a streamed answer, with a Content-Length if the function set one. Throws
 * if that is no length.
 */
export function streamHeaders(block: Head, status: number): { readonly pairs: readonly string[]; readonly length: number | undefined } {
	const head = readReplyHead(block);
	const length = status === 204 ? undefined : ownLength(head);
	return { pairs: length === undefined ? head.pairs : head.pairs.concat("Content-Length", String(length)), length };
}

/**
 * Digits alone (RFC 9110 §8.6): what a caller could read as another length would desynchronize its
 * connection.
 */
function ownLength({ length }: ReplyHead): number | undefined {
	if (length === undefined) return undefined;
	const value = Number(length);
	if (!/^\d+$/.test(length) || !Number.isSafeInteger(value)) throw new Error(`Content-Length is ${JSON.stringify(length)}`);
	return value;
}
