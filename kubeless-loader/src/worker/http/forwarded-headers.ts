import type { WorkerCall } from "../contract.ts";

/**
 * Hop-by-hop headers (RFC 9110 §7.6.1), `Expect` (already answered) and `Content-Length` (set by
 * undici).
 */
const HOP_BY_HOP = new Set([
	"connection",
	"content-length",
	"expect",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);
const FORWARDED = new Set(["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]);

/**
 * Returns the headers for a server: the caller's own, X-Forwarded-*, and the event's fields that no
 * header carries.
 */
export function proxyHeaders(call: WorkerCall): string[] {
	const { headers, event, address } = call;
	const passed: string[] = [];
	const named = namedByConnection(headers);
	let host = "";
	let forwardedFor = "";
	let forwardedHost = "";
	let forwardedProto = "";
	const events = new Set<string>();
	for (let index = 0; index < headers.length; index += 2) {
		const name = headers[index] as string;
		const value = headers[index + 1] as string;
		const lower = name.toLowerCase();
		if (HOP_BY_HOP.has(lower) || named?.has(lower)) continue;
		if (FORWARDED.has(lower)) {
			if (lower === "x-forwarded-for") forwardedFor += forwardedFor === "" ? value : `, ${value}`;
			else if (lower === "x-forwarded-host") forwardedHost ||= value;
			else forwardedProto ||= value;
			continue;
		}
		if (lower === "host") {
			if (host !== "") continue;
			host = value;
		} else if (lower.startsWith("event-")) events.add(lower);
		passed.push(name, value);
	}
	if (address !== "") forwardedFor += forwardedFor === "" ? address : `, ${address}`;
	if (forwardedFor !== "") passed.push("X-Forwarded-For", forwardedFor);
	if (forwardedHost || host) passed.push("X-Forwarded-Host", forwardedHost || host);
	// The loader serves plain HTTP: a proxy that ended TLS has set the header.
	passed.push("X-Forwarded-Proto", forwardedProto || "http");
	const add = (name: string, value: string | undefined) => {
		if (value !== undefined && !events.has(name.toLowerCase())) passed.push(name, headerText(value));
	};
	add("Event-Id", event.eventId);
	add("Event-Type", event.eventType);
	add("Event-Time", event.eventTime);
	add("Event-Namespace", event.eventNamespace);
	return passed;
}

/** Returns the headers that the caller's Connection header declares to be hop-by-hop. */
function namedByConnection(headers: readonly string[]): Set<string> | undefined {
	let named: Set<string> | undefined;
	for (let index = 0; index < headers.length; index += 2) {
		const name = headers[index] as string;
		if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
		for (const token of (headers[index + 1] as string).toLowerCase().split(",")) {
			const header = token.trim();
			if (header === "" || header === "keep-alive" || header === "close") continue;
			named ??= new Set();
			named.add(header);
		}
	}
	return named;
}

/** Percent-encodes a CloudEvents attribute for a header (HTTP binding 1.0 §3.1.3.2). */
const headerText = (value: string): string =>
	/^[!#$&-~]*( +[!#$&-~]+)*$/.test(value) ? value : value.replace(/[^!#$&-~]+/g, (text) => encodeURIComponent(text));
