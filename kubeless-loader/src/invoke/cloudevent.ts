import { isJson, type RequestHead } from "./event.ts";

/** The part of a request that a CloudEvents 1.0 envelope decides. */
export interface Unwrapped {
	readonly data: Buffer | undefined;
	readonly json: boolean;
}

export const isStructured = (contentType: string): boolean => /^\s*application\/cloudevents\+json\s*(?:;|$)/i.test(contentType);

/** Binary mode: the attributes are headers already read; they fill the event's fields where no event-* header does. */
export function fillFromAttributes(head: RequestHead): void {
	const { attributes } = head;
	// Without a specversion these are headers that only happen to begin with ce-.
	if (attributes?.["specversion"] === undefined) {
		head.attributes = undefined;
		return;
	}
	head.eventId ??= attributes["id"];
	head.eventType ??= attributes["type"];
	head.eventTime ??= attributes["time"];
	head.eventNamespace ??= attributes["source"];
}

/**
 * Structured mode: opens the envelope. Numbers keep their digits: what JavaScript cannot hold exactly goes on as it was written.
 * @throws {Error} when the body is no CloudEvent; the message says what is missing
 */
export function openEnvelope(head: RequestHead, body: Buffer): Unwrapped {
	const envelope: unknown = JSON.parse(body.toString("utf8"), keepDigits);
	if (envelope === null || typeof envelope !== "object" || Array.isArray(envelope)) throw new Error("a CloudEvent is a JSON object");
	const { data, data_base64: base64, ...rest } = envelope as Record<string, unknown>;
	for (const required of ["specversion", "id", "source", "type"]) {
		if (typeof rest[required] !== "string") throw new Error(`a CloudEvent must have the attribute "${required}"`);
	}
	head.attributes = Object.fromEntries(
		Object.entries(rest)
			.filter(([, value]) => value !== null)
			.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
	);
	fillFromAttributes(head);
	const contentType = head.attributes["datacontenttype"];
	if (typeof base64 === "string") return { data: Buffer.from(base64, "base64"), json: contentType !== undefined && isJson(contentType) };
	if (data === undefined) return { data: undefined, json: false };
	// CloudEvents JSON format 1.0 §3.1: a string of a non-JSON type is the data itself, everything else is JSON.
	const verbatim = typeof data === "string" && contentType !== undefined && !isJson(contentType);
	return verbatim ? { data: Buffer.from(data), json: false } : { data: Buffer.from(JSON.stringify(data)), json: true };
}

/** `JSON.parse`'s third argument and `JSON.rawJSON`: newer than the language version the types are for. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
	if (typeof value !== "number" || context?.source === undefined) return value;
	return String(value) === context.source ? value : rawJSON(context.source);
}
