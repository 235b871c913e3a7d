import type { EventFields, HeldBody } from "../worker/contract.ts";

/** What the loader reads of a request's headers, in one pass. */
export interface RequestHead extends EventFields {
	contentType: string | undefined;
	/** the declared length of the body in bytes; -1: not declared (chunked); undefined: no body */
	length: number | undefined;
	traceparent: string | undefined;
	/** the Host header; several joined by commas */
	host: string | undefined;
	expect: string | undefined;
	transferEncoding: string | undefined;
	contentEncoding: string | undefined;
	/** for the access log; empty if absent */
	referer: string;
	userAgent: string;
	eventId: string | undefined;
	eventType: string | undefined;
	eventTime: string | undefined;
	eventNamespace: string | undefined;
	/**
	 * CloudEvents attributes by name; until they are read, those of binary mode as they came, without
	 * `ce-`
	 */
	attributes: Record<string, string> | undefined;
	json: boolean;
	envelope: HeldBody | undefined;
}

/**
 * Reads [name, value, name, value, …] as received: building Node's headers object costs more than
 * all of this.
 */
export function readHead(raw: readonly string[]): RequestHead {
	const head: RequestHead = {
		contentType: undefined,
		length: undefined,
		traceparent: undefined,
		host: undefined,
		expect: undefined,
		transferEncoding: undefined,
		contentEncoding: undefined,
		referer: "",
		userAgent: "",
		eventId: undefined,
		eventType: undefined,
		eventTime: undefined,
		eventNamespace: undefined,
		attributes: undefined,
		json: false,
		envelope: undefined,
	};
	for (let index = 0; index < raw.length; index += 2) {
		const name = raw[index] as string;
		const value = raw[index + 1] as string;
		noteHeader(head, name, value);
		// "ce-" of CloudEvents' binary mode, in either case
		if ((name.charCodeAt(0) | 32) === 99 && (name.charCodeAt(1) | 32) === 101 && name.charCodeAt(2) === 45) {
			head.attributes ??= {};
			head.attributes[name.slice(3).toLowerCase()] ??= value;
		}
	}
	return head;
}

/**
 * Notes a header that the loader reads. The length of its name rules most headers out without a
 * comparison. Of a repeated header the first counts.
 */
function noteHeader(head: RequestHead, name: string, value: string): void {
	switch (name.length) {
		case 4:
			if (name.toLowerCase() === "host") head.host = joined(head.host, value);
			break;
		case 6:
			if (name.toLowerCase() === "expect") head.expect = joined(head.expect, value);
			break;
		case 7:
			if (name.toLowerCase() === "referer") head.referer = value;
			break;
		case 8:
			if (name.toLowerCase() === "event-id") head.eventId ??= value;
			break;
		case 10:
			switch (name.toLowerCase()) {
				case "user-agent":
					head.userAgent = value;
					break;
				case "event-type":
					head.eventType ??= value;
					break;
				case "event-time":
					head.eventTime ??= value;
			}
			break;
		case 11:
			if (name.toLowerCase() === "traceparent") head.traceparent ??= value;
			break;
		case 12:
			if (name.toLowerCase() === "content-type") head.contentType ??= value;
			break;
		case 14:
			if (name.toLowerCase() === "content-length") head.length = Number(value);
			break;
		case 15:
			if (name.toLowerCase() === "event-namespace") head.eventNamespace ??= value;
			break;
		case 16:
			if (name.toLowerCase() === "content-encoding") head.contentEncoding = joined(head.contentEncoding, value);
			break;
		case 17:
			if (name.toLowerCase() === "transfer-encoding") {
				head.transferEncoding = joined(head.transferEncoding, value);
				head.length = -1;
			}
	}
}

/** Returns the value of a header that may be repeated (RFC 9110 §5.3). */
const joined = (before: string | undefined, value: string): string => (before === undefined ? value : `${before}, ${value}`);

/** True for application/json and every +json type, with any parameters. */
export function isJson(contentType: string): boolean {
	return /^\s*(?:application\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(contentType);
}

/**
 * Returns path and query: a client that takes the loader for a proxy sends the whole URL (RFC 9112
 * §3.2.2).
 */
export function originForm(url: string): string {
	if (url.startsWith("/")) return url;
	const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
	return rest.startsWith("/") || rest === "*" ? rest : `/${rest}`;
}
