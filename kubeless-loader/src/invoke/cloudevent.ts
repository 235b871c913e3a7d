import { isJson, type RequestHead } from "./event.ts";

/** The data of a CloudEvents 1.0 envelope. */
export interface OpenedEnvelope {
	readonly data: Buffer | undefined;
	readonly json: boolean;
}

export const isStructured = (contentType: string): boolean => /^\s*application\/cloudevents\+json\s*(?:;|$)/i.test(contentType);

/** What a CloudEvent must have, as non-empty strings, and what is a string if it is there (CloudEvents 1.0 §3.1). */
const REQUIRED = ["specversion", "id", "source", "type"];
const STRINGS = new Set([...REQUIRED, "datacontenttype", "dataschema", "subject", "time"]);

/** A request that states that it is a CloudEvent, and is none. */
export class EventError extends Error {
	constructor(reason: string) {
		super(`not a CloudEvent: ${reason}`);
	}
}

const attributeError = (name: string, fault: string): EventError =>
	new EventError(`the attribute ${JSON.stringify(name.slice(0, 100))} ${fault}`);

/** @throws {EventError} if the attributes of an event, in either mode, break a rule */
function checkAttributes(attributes: Readonly<Record<string, string>>): void {
	for (const name of REQUIRED) {
		if (attributes[name] === undefined) throw attributeError(name, "is missing");
		if (attributes[name] === "") throw attributeError(name, "is empty");
	}
	if (attributes["specversion"] !== "1.0") throw attributeError("specversion", 'must be "1.0"');
	for (const name of Object.keys(attributes)) {
		if (!/^[a-z0-9]+$/.test(name)) throw attributeError(name, "has a name with other characters than a-z and 0-9");
	}
}

/** Binary mode: with a specversion, the request is an event; otherwise these are other headers that begin with ce-. */
export const isBinary = ({ attributes }: RequestHead): boolean => attributes?.["specversion"] !== undefined;

/**
 * Binary mode: reads the attributes, which came as headers (HTTP binding 1.0 §3.1).
 * @throws {EventError} if the request is not a CloudEvent
 */
export function readBinary(head: RequestHead): void {
	const attributes: Record<string, string> = {};
	for (const [name, value] of Object.entries(head.attributes ?? {})) attributes[name] = headerValue(value);
	// In this mode the data's type is the request's.
	delete attributes["datacontenttype"];
	if (head.contentType !== undefined) attributes["datacontenttype"] = head.contentType;
	fillFrom(head, attributes);
	checkAttributes(attributes);
}

/** The attributes fill the event's fields that no event-* header has set. */
function fillFrom(head: RequestHead, attributes: Readonly<Record<string, string>>): void {
	head.attributes = attributes;
	head.eventId ??= attributes["id"];
	head.eventType ??= attributes["type"];
	head.eventTime ??= attributes["time"];
	head.eventNamespace ??= attributes["source"];
}

/** One character in UTF-8, percent-encoded */
const ENCODED = /%[0-7][0-9a-f]|%(?:c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-4](?:%[89ab][0-9a-f]){3}/gi;

/** Returns an attribute that came as a header (HTTP binding 1.0 §3.1.3.2); what is no encoded character stays as it is. */
function headerValue(value: string): string {
	const text = /^"(?:[^"\\]|\\.)*"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
	return text.replace(ENCODED, (encoded) => {
		try {
			return decodeURIComponent(encoded);
		} catch {
			return encoded; // overlong, or a surrogate
		}
	});
}

/**
 * Structured mode: opens the envelope and fills the event's fields. Numbers keep their digits, also those that a
 * JavaScript number cannot hold exactly.
 * @throws {EventError} if the body is not a CloudEvent
 */
export function openEnvelope(head: RequestHead, body: Buffer): OpenedEnvelope {
	let envelope: unknown;
	try {
		envelope = JSON.parse(body.toString("utf8"), keepDigits);
	} catch (cause) {
		throw new EventError(`the body is not JSON: ${(cause as Error).message}`);
	}
	if (envelope === null || typeof envelope !== "object" || Array.isArray(envelope)) throw new EventError("the body is not a JSON object");
	const { data, data_base64: base64 = null, ...rest } = envelope as Record<string, unknown>;
	const attributes: Record<string, string> = {};
	for (const [name, value] of Object.entries(rest)) {
		// A member of null is an attribute that is not set (JSON format 1.0 §2.2).
		if (value !== null) Object.defineProperty(attributes, name, { value: attributeText(name, value), enumerable: true });
	}
	fillFrom(head, attributes);
	checkAttributes(attributes);
	const contentType = attributes["datacontenttype"];
	if (base64 !== null) {
		if (data !== undefined) throw attributeError("data_base64", "is there, and so is data: give one of them");
		return { data: base64Bytes(base64), json: contentType !== undefined && isJson(contentType) };
	}
	if (data === undefined) return { data: undefined, json: false };
	// CloudEvents JSON format 1.0 §3.1: a string of a non-JSON content type is the data itself, everything else is JSON.
	const verbatim = typeof data === "string" && contentType !== undefined && !isJson(contentType);
	return verbatim ? { data: Buffer.from(data), json: false } : { data: Buffer.from(JSON.stringify(data)), json: true };
}

/** Returns an attribute as text: a string, a boolean, or an integer (JSON format 1.0 §2.2). */
function attributeText(name: string, value: unknown): string {
	if (typeof value === "string") return value;
	if (STRINGS.has(name)) throw attributeError(name, "must be a string");
	const text = JSON.stringify(value);
	if (!/^(?:true|false|-?\d+)$/.test(text)) throw attributeError(name, "must be a string, a boolean or an integer");
	return text;
}

function base64Bytes(text: unknown): Buffer {
	// Node.js skips what is not base64, and takes the letters of base64url: both show in the length, or in the letters.
	if (typeof text === "string" && text.length % 4 === 0 && !/[-_]/.test(text)) {
		const bytes = Buffer.from(text, "base64");
		const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
		if (bytes.length === (text.length / 4) * 3 - padding) return bytes;
	}
	throw attributeError("data_base64", "is not base64");
}

/** `JSON.rawJSON` and the reviver's third argument are newer than the types of ES2024. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
	if (typeof value !== "number" || context?.source === undefined) return value;
	return String(value) === context.source ? value : rawJSON(context.source);
}
