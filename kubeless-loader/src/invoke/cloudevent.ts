import { isJson, type RequestHead } from "./event.ts";
import { base64Bytes, membersOf, type Span, type Steps, spanOf, stringBytes, textOf } from "./json-members.ts";

/** The data of a CloudEvents 1.0 envelope. */
export interface OpenedEnvelope {
	readonly data: readonly Buffer[] | undefined;
	readonly json: boolean;
}

export const isStructured = (contentType: string): boolean => /^\s*application\/cloudevents\+json\s*(?:;|$)/i.test(contentType);

/**
 * Attributes that a CloudEvent must have, as non-empty strings; those of STRINGS are strings if
 * they are present (CloudEvents 1.0 §3.1).
 */
const REQUIRED = ["specversion", "id", "source", "type"];
const STRINGS = new Set([...REQUIRED, "datacontenttype", "dataschema", "subject", "time"]);

/** The request states that it is a CloudEvent, but breaks a rule for CloudEvents. */
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

/**
 * Binary mode: with a specversion, the request is an event; otherwise these are other headers that
 * begin with ce-.
 */
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

/**
 * Returns an attribute that came as a header (HTTP binding 1.0 §3.1.3.2). Text that is not an
 * encoded character stays as it is.
 */
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

/** Bytes of one attribute, and of all attributes together. */
const MAX_ATTRIBUTES_BYTES = 64 * 1024;

/**
 * Structured mode: opens the envelope and fills the event's fields. The data is not parsed: JSON
 * stays as it was sent, and the worker's language judges it.
 * @throws {EventError} if the body is not a CloudEvent
 */
export function* openEnvelope(head: RequestHead, parts: readonly Buffer[]): Steps<OpenedEnvelope> {
	const members = yield* membersIn(parts);
	const attributes: Record<string, string> = {};
	let bytes = 0;
	for (const [name, span] of members) {
		if (name === "data" || name === "data_base64") continue;
		bytes += span.end - span.start;
		if (bytes > MAX_ATTRIBUTES_BYTES) throw attributeError(name, "is too long");
		const value = attributeText(name, textOf(parts, span));
		// A member of null is an attribute that is not set (JSON format 1.0 §2.2).
		if (value !== null) Object.defineProperty(attributes, name, { value, enumerable: true });
	}
	fillFrom(head, attributes);
	checkAttributes(attributes);
	const contentType = attributes["datacontenttype"];
	const data = members.get("data");
	const base64 = members.get("data_base64");
	if (base64 !== undefined && textOf(parts, { start: base64.start, end: Math.min(base64.end, base64.start + 5) }) !== "null") {
		if (data !== undefined) throw attributeError("data_base64", "is there, and so is data: give one of them");
		return { data: [yield* base64Data(parts, base64)], json: contentType !== undefined && isJson(contentType) };
	}
	if (data === undefined) return { data: undefined, json: false };
	// CloudEvents JSON format 1.0 §3.1: a string of a non-JSON content type is the data itself,
	// everything else is JSON.
	const verbatim = contentType !== undefined && !isJson(contentType) && isString(parts, data);
	return verbatim ? { data: [yield* stringIn(parts, data)], json: false } : { data: spanOf(parts, data), json: true };
}

const isString = (parts: readonly Buffer[], { start }: Span): boolean => textOf(parts, { start, end: start + 1 }) === '"';

function* membersIn(parts: readonly Buffer[]): Steps<Map<string, Span>> {
	try {
		return yield* membersOf(parts);
	} catch (cause) {
		throw new EventError(`the body is not a JSON object: ${(cause as Error).message}`);
	}
}

function* stringIn(parts: readonly Buffer[], span: Span): Steps<Buffer> {
	try {
		return yield* stringBytes(parts, span);
	} catch (cause) {
		throw new EventError(`the body is not JSON: ${(cause as Error).message}`);
	}
}

/**
 * Returns an attribute as text: a string, a boolean, or an integer (JSON format 1.0 §2.2); null if
 * it is not set.
 */
function attributeText(name: string, json: string): string | null {
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch (cause) {
		throw new EventError(`the body is not JSON: ${(cause as Error).message}`);
	}
	if (typeof value === "string" || value === null) return value;
	if (STRINGS.has(name)) throw attributeError(name, "must be a string");
	// The text as sent: a JavaScript number does not hold all digits.
	if (!/^(?:true|false|-?\d+)$/.test(json)) throw attributeError(name, "must be a string, a boolean or an integer");
	return json;
}

function* base64Data(parts: readonly Buffer[], span: Span): Steps<Buffer> {
	const bytes = isString(parts, span) ? yield* base64Bytes(yield* stringIn(parts, span)) : undefined;
	if (bytes === undefined) throw attributeError("data_base64", "is not base64");
	return bytes;
}
