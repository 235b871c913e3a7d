// The one place that decides which requests are taken at all: what HTTP forbids, and what the
// loader does not do.
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "./event.ts";

/** Why a request is refused before it is a call. */
export interface Refusal {
	readonly status: number;
	readonly body: string;
}

/**
 * host and port (RFC 9110 §7.2), without the comma that joins two hosts, which RFC 3986 would allow
 * in a name
 */
const HOST = /^(?:\[[\w.:~!$&'()*+;=%-]+\]|(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})*)(?::\d*)?$/i;

/** A `%` in the path that does not start a percent-encoded byte. */
const BAD_ESCAPE = /^[^?]*%(?![0-9a-f]{2})/i;

const BAD_HOST: Refusal = { status: 400, body: "Bad Request: the Host header must be one host, with or without a port" };
const BAD_TARGET: Refusal = { status: 400, body: "Bad Request: the target must be a path; only OPTIONS may have *" };
const BAD_PATH: Refusal = {
	status: 400,
	body: "Bad Request: the path has a % that is not followed by two hexadecimal digits; write it as %25",
};
const FRAMED_TWICE: Refusal = { status: 400, body: "Bad Request: HTTP/1.0 has no Transfer-Encoding" };
const CONNECT: Refusal = { status: 501, body: "Not Implemented: CONNECT is for proxies" };
const CODING: Refusal = { status: 501, body: "Not Implemented: of Transfer-Encoding only chunked is known" };
const VERSION: Refusal = { status: 505, body: "HTTP Version Not Supported: use HTTP/1.1" };
const EXPECTATION: Refusal = { status: 417, body: "Expectation Failed: of Expect only 100-continue is known" };

// Most requests of a connection, and of a function, have one host.
let lastHost: string | undefined;

/** Returns why a request is refused; undefined: it is taken. */
export function refusalOf(request: IncomingMessage, { host, expect, transferEncoding }: RequestHead): Refusal | undefined {
	const { method, httpVersionMajor, httpVersionMinor } = request;
	const url = request.url as string;
	if (httpVersionMajor !== 1) return VERSION;
	if (method === "CONNECT") return CONNECT;
	if (host !== undefined && host !== lastHost) {
		if (!HOST.test(host)) return BAD_HOST;
		lastHost = host;
	}
	if (transferEncoding !== undefined) {
		if (httpVersionMinor === 0) return FRAMED_TWICE;
		if (transferEncoding.toLowerCase() !== "chunked") return CODING;
	}
	if (expect !== undefined && httpVersionMinor > 0 && expect.toLowerCase() !== "100-continue") return EXPECTATION;
	// "/", or a whole URL (RFC 9112 §3.2)
	if (url.charCodeAt(0) !== 47 && !(url === "*" ? method === "OPTIONS" : /^[a-z][a-z0-9+.-]*:\/\//i.test(url))) return BAD_TARGET;
	return BAD_ESCAPE.test(url) ? BAD_PATH : undefined;
}
