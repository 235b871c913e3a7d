// The HTTP request that a message becomes.
import { isUtf8 } from "node:buffer";
import { randomFillSync } from "node:crypto";
import type { Message } from "./message.ts";
import type { Settings } from "./settings.ts";

/** Headers of a record that describe the record's own transport, not its content. */
const NOT_PASSED_ON = new Set([
	"connection",
	"content-length",
	"expect",
	"host",
	"keep-alive",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What an HTTP header cannot hold: control characters, and characters that are not ASCII. */
const UNSENDABLE = /[^\t -~]/;

/**
 * The request's headers: Kubeless's event-* headers, the CloudEvents 1.0 attributes as ce-*
 * headers, and the record's own headers. `ce_NAME` (Kafka protocol binding §3.2.3) and `ce-NAME`
 * (NATS protocol binding §3.2.3) become `ce-NAME`.
 */
export function requestHeaders(message: Message, { eventNamespace }: Settings): Record<string, string> {
	const headers: Record<string, string> = {};
	for (const [name, value] of message.headers) {
		const lower = name.toLowerCase();
		const passed = lower.startsWith("ce_") ? `ce-${lower.slice(3)}` : lower;
		if (!TOKEN.test(passed) || NOT_PASSED_ON.has(passed) || passed.startsWith("event-") || passed.startsWith("kubeless-")) continue;
		headers[passed] = passed.startsWith("ce-") || !isSendable(value) ? headerText(value) : String(value);
	}
	const isEvent = headers["ce-specversion"] !== undefined || headers["content-type"]?.startsWith("application/cloudevents") === true;
	const time = isoTime(message.time);
	headers["content-type"] ??= isJsonObject(message.value) ? "application/json" : "application/x-www-form-urlencoded";
	headers["event-id"] = headerText(message.id);
	headers["event-time"] = time;
	headers["event-type"] = headers["content-type"];
	headers["event-namespace"] = eventNamespace;
	headers["event-topic"] = headerText(message.topic);
	if (message.partition !== undefined) headers["event-partition"] = String(message.partition);
	if (message.offset !== undefined) headers["event-offset"] = String(message.offset);
	if (message.key !== null) headers["event-key"] = headerText(message.key);
	if (!isEvent) {
		headers["ce-specversion"] = "1.0";
		headers["ce-id"] = headers["event-id"];
		headers["ce-source"] = headerText(`/${eventNamespace}/${message.topic}`);
		headers["ce-type"] = "io.kubeless.message";
		headers["ce-time"] = time;
		if (message.key !== null) headers["ce-partitionkey"] = headers["event-key"] as string;
	}
	headers["traceparent"] ??= traceparent();
	return headers;
}

let latestTime = 0;
let latestIso = new Date(0).toISOString();

/** Messages that come together have the same time. */
function isoTime(time: number): string {
	if (time !== latestTime) [latestTime, latestIso] = [time, new Date(time).toISOString()];
	return latestIso;
}

const isSendable = (value: string | Buffer): boolean => !UNSENDABLE.test(typeof value === "string" ? value : value.toString("latin1"));

/** Percent-encodes what a header value cannot hold (CloudEvents HTTP protocol binding §3.1.3.2). */
function headerText(value: string | Buffer): string {
	const text = String(value);
	if (/^[!#-$&-~]*$/.test(text)) return text;
	// The bytes of text that is not UTF-8 are kept too.
	if (typeof value !== "string" && !isUtf8(value))
		return [...value].map((byte) => asciiOrEncoded(String.fromCharCode(byte), [byte])).join("");
	return [...text].map((character) => asciiOrEncoded(character, Buffer.from(character))).join("");
}

const asciiOrEncoded = (character: string, bytes: Iterable<number>): string =>
	/^[!#-$&-~]$/.test(character) ? character : [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

/**
 * Random bytes for some requests: a call for each request costs more than the rest of its headers.
 */
const RANDOM = Buffer.alloc(24 * 128);
let taken = RANDOM.length;

/** A new trace (W3C Trace Context §3.2). */
function traceparent(): string {
	if (taken === RANDOM.length) {
		randomFillSync(RANDOM);
		taken = 0;
	}
	const hex = RANDOM.toString("hex", taken, taken + 24);
	taken += 24;
	return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}

/**
 * Messages up to this size are parsed to see whether they are JSON objects; larger ones are judged
 * by their first and last character.
 */
const MAX_PARSED_BYTES = 65_536;

/** Kubeless 1.0 sends a JSON object as application/json, and anything else as a form. */
function isJsonObject(value: Buffer): boolean {
	if (value[first(value)] !== OPEN || value[last(value)] !== CLOSE) return false;
	if (value.length > MAX_PARSED_BYTES) return true;
	try {
		JSON.parse(value.toString());
		return true;
	} catch {
		return false;
	}
}

const [OPEN, CLOSE, SPACE] = [0x7b, 0x7d, 0x20];

/** Returns the index of the first byte that is not a space or a control character. */
function first(value: Buffer): number {
	let at = 0;
	while (at < value.length && (value[at] as number) <= SPACE) at++;
	return at;
}

function last(value: Buffer): number {
	let at = value.length - 1;
	while (at >= 0 && (value[at] as number) <= SPACE) at--;
	return at;
}
