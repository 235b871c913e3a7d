import type { CallToSend, Content, FrameToSend } from "./vectors.ts";

/** A frame's bytes by part, so that a vector can split them anywhere. */
export interface Encoded {
	readonly line: Buffer;
	readonly head: Buffer;
	readonly body: Buffer;
	/** the id, if the frame is a call */
	readonly call?: number;
	/** it is sent beyond the worker's concurrency (5.5) */
	readonly ahead?: boolean;
	/** it is a `withdraw` */
	readonly withdraw?: boolean;
}

/** The deadline of a vector's calls, in ms from now. */
const DEADLINE_MS = 10_000;

export function bytesOf(content: Content): Buffer {
	if (typeof content === "string") return Buffer.from(content);
	if ("base64" in content) return Buffer.from(content.base64, "base64");
	const once = bytesOf(content.repeat);
	return Buffer.alloc(once.length * content.times, once);
}

export function encode(frame: FrameToSend): Encoded {
	const { head: headers, body: content, ...fields } = frame;
	const head = Array.isArray(headers) ? Buffer.from(headers.map((line) => `${line}\r\n`).join(""), "latin1") : bytesOf(headers ?? "");
	const body = content === undefined ? Buffer.alloc(0) : bytesOf(content);
	const line = {
		...(spellOut(fields) as object),
		...(headers && { head: head.length }),
		...(content !== undefined && { body: body.length }), // an empty body is not an absent one (4.1)
	};
	const bytes = Buffer.from(`${ascii(JSON.stringify(line))}\n`);
	return { line: bytes, head, body, ...(frame.type === "withdraw" && { withdraw: true }) };
}

/** Encodes a call, with the fields that every call has (4.1) filled in. */
export function encodeCall(call: CallToSend): Encoded {
	const { id, ...given } = call;
	const method = call.body === undefined ? "GET" : "POST";
	return { ...encode({ type: "call", id, method, path: "/", deadline: Date.now() + DEADLINE_MS, ...given }), call: id };
}

/** Encodes `times` calls with consecutive ids; $(id) in a body is replaced by the call's id. */
export function encodeCalls(call: CallToSend, times: number): Encoded[] {
	return Array.from({ length: times }, (_, i) => encodeCall(withId(call, call.id + i)));
}

/** Returns the same data for another id, with $(id) in its body replaced. */
export function withId<T extends { id: number; body?: unknown }>(data: T, id: number): T {
	const { body } = data;
	return { ...data, id, ...(typeof body === "string" && { body: body.replaceAll("$(id)", String(id)) }) };
}

// 2.6
function ascii(json: string): string {
	return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Expands long texts in a frame's fields, which are written { "repeat", "times" }. */
function spellOut(value: unknown): unknown {
	if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
	if ("repeat" in value && "times" in value) return bytesOf(value as Content).toString();
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spellOut(inner)]));
}
