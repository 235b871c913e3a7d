import { isJson, type RequestHead } from "./event.ts";

/** The data of a CloudEvents 1.0 envelope. */
export interface OpenedEnvelope {
	readonly data: Buffer | undefined;
	readonly json: boolean;
}

export const isStructured = (contentType: string): boolean => /^\s*application\/cloudevents\+json\s*(?:;|$)/i.test(contentType);

/** Binary mode: the attributes, which came as headers, fill the fields that no event-* header has set. */
export function fillFromAttributes(head: RequestHead): void {
	const { attributes } = head;
	// Without a specversion these are other headers that begin with ce-.
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
 * Structured mode: opens the envelope and fills the event's fields. Numbers keep their digits, also those that a
 * JavaScript number cannot hold exactly.
 * @throws {Error} if the body is not a CloudEvent; the message names what is missing
 */
export function openEnvelope(head: RequestHead, body: Buffer): OpenedEnvelope {
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
	// CloudEvents JSON format 1.0 §3.1: a string of a non-JSON content type is the data itself, everything else is JSON.
	const verbatim = typeof data === "string" && contentType !== undefined && !isJson(contentType);
	return verbatim ? { data: Buffer.from(data), json: false } : { data: Buffer.from(JSON.stringify(data)), json: true };
}

/** `JSON.rawJSON` and the reviver's third argument are newer than the types of ES2024. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
	if (typeof value !== "number" || context?.source === undefined) return value;
	return String(value) === context.source ? value : rawJSON(context.source);
}
