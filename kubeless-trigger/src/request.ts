// The HTTP request that a message becomes.
import { randomBytes } from "node:crypto";
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

/**
 * The request's headers: Kubeless's event-* headers, the CloudEvents 1.0 attributes as ce-*
 * headers, and the record's own headers. `ce_NAME` (Kafka protocol binding §3.2.3) and `ce-NAME`
 * (NATS protocol binding §3.2.3) become `ce-NAME`.
 */
export function requestHeaders(message: Message, { eventNamespace }: Settings): Record<string, string> {
	const headers: Record<string, string> = {};
	for (const [name, value] of message.headers) {
		const passed = name.toLowerCase().replace(/^ce_/, "ce-");
		if (TOKEN.test(passed) && !NOT_PASSED_ON.has(passed) && !/^(event-|kubeless-)/.test(passed)) headers[passed] = headerText(value);
	}
	const isEvent = headers["ce-specversion"] !== undefined || headers["content-type"]?.startsWith("application/cloudevents") === true;
	headers["content-type"] ??= isJsonObject(message.value) ? "application/json" : "application/x-www-form-urlencoded";
	headers["event-id"] = message.id;
	headers["event-time"] = new Date(message.time).toISOString();
	headers["event-type"] = headers["content-type"];
	headers["event-namespace"] = eventNamespace;
	headers["event-topic"] = headerText(message.topic);
	if (message.partition !== undefined) headers["event-partition"] = String(message.partition);
	if (message.offset !== undefined) headers["event-offset"] = String(message.offset);
	if (message.key !== null) headers["event-key"] = headerText(message.key.toString());
	if (!isEvent) {
		headers["ce-specversion"] = "1.0";
		headers["ce-id"] = message.id;
		headers["ce-source"] = headerText(`/${eventNamespace}/${message.topic}`);
		headers["ce-type"] = "io.kubeless.message";
		headers["ce-time"] = headers["event-time"];
		if (message.key !== null) headers["ce-partitionkey"] = headers["event-key"] as string;
	}
	headers["traceparent"] ??= `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
	return headers;
}

/** Percent-encodes what a header value cannot hold (CloudEvents HTTP protocol binding §3.1.3.2). */
function headerText(value: string): string {
	if (/^[!#-$&-~]*$/.test(value)) return value;
	return [...value].map((character) => (/^[!#-$&-~]$/.test(character) ? character : percentEncoded(character))).join("");
}

const percentEncoded = (character: string): string =>
	[...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

/**
 * Messages up to this size are parsed to see whether they are JSON objects; larger ones are judged
 * by their first and last character.
 */
const MAX_PARSED_BYTES = 65_536;

/** Kubeless 1.0 sends a JSON object as application/json, and anything else as a form. */
function isJsonObject(value: Buffer): boolean {
	const text = value.length <= MAX_PARSED_BYTES ? value.toString().trim() : `${value.toString("latin1", 0, 64).trimStart()[0]}…}`;
	if (!text.startsWith("{") || !text.endsWith("}")) return false;
	if (value.length > MAX_PARSED_BYTES)
		return value
			.toString("latin1", value.length - 64)
			.trimEnd()
			.endsWith("}");
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}
