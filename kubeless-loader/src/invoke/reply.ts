import type { Head } from "../worker/contract.ts";

/** An answer's headers, taken apart: what the function set, without what the loader decides. */
export interface ReplyHead {
	/** [name, value, name, value, …] as `writeHead` takes them, CORS included */
	readonly pairs: readonly string[];
	/** the function's own Content-Length */
	readonly length: string | undefined;
}

/** Every answer of a function may be read from any web page, as Kubeless's runtimes had it. */
export const CORS_HEADER = ["Access-Control-Allow-Origin", "*"] as const;

// A function's answers mostly have the same few header blocks: they are taken apart once.
const KNOWN = new Map<string, ReplyHead>();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 512;

/** What a worker says of an answer's headers, as the caller is to get them. */
export function readReplyHead(head: Head): ReplyHead {
	return typeof head === "string" ? readBlock(head) : readPairs(head);
}

/** Takes a header block apart (PROTOCOL 2.5); lines without a colon are left out. */
function readBlock(block: string): ReplyHead {
	const known = KNOWN.get(block);
	if (known) return known;
	const lines: string[] = [];
	for (const line of block.split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) lines.push(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	const head = readPairs(lines);
	if (block.length <= LONGEST_KNOWN && KNOWN.size < MOST_KNOWN) KNOWN.set(block, head);
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
				length = value;
				continue;
			// The connection is between the caller and the loader.
			case "connection":
			case "keep-alive":
			case "proxy-connection":
			case "transfer-encoding":
			case "upgrade":
			case "trailer":
				continue;
			case "access-control-allow-origin":
				ownCors = true;
		}
		pairs.push(name, value);
	}
	if (!ownCors) pairs.push(...CORS_HEADER);
	return { pairs, length };
}

/** Statuses whose answers have no body (RFC 9110 §6.4.1). */
export const isBodiless = (status: number): boolean => status === 204 || status === 304;

/** The headers of an answer whose body has `length` bytes. */
export function resultHeaders(block: Head, status: number, length: number, isHead: boolean): string[] {
	const head = readReplyHead(block);
	// A HEAD answer tells the length a GET would have had, which only the function knows.
	if (isHead && length === 0 && head.length !== undefined) return head.pairs.concat("Content-Length", head.length);
	return isBodiless(status) ? [...head.pairs] : head.pairs.concat("Content-Length", String(length));
}

/** The headers of an answer that is streamed; with a Content-Length if the function knows it. */
export function streamHeaders(block: Head): string[] {
	const head = readReplyHead(block);
	return head.length === undefined ? [...head.pairs] : head.pairs.concat("Content-Length", head.length);
}
