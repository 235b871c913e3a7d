import type { IncomingMessage } from "node:http";
import { quote } from "../worker/frames.ts";
import { callerAddress } from "./caller.ts";

/** What a request says about its event, read from its headers in one pass. */
export interface RequestHead {
	/** all headers as one block (PROTOCOL 2.5) */
	block: string;
	contentType: string | undefined;
	/** declared body size in `bytes`; -1: not declared (chunked); undefined: no body */
	length: number | undefined;
	traceparent: string | undefined;
	/** for the access log; empty where absent */
	referer: string;
	userAgent: string;
	eventId: string | undefined;
	eventType: string | undefined;
	eventTime: string | undefined;
	eventNamespace: string | undefined;
	/** CloudEvents attributes in binary mode, by name without `ce-` */
	attributes: Record<string, string> | undefined;
}

/** Reads the headers as they came, [name, value, name, value, …]: building Node's headers object costs more than the rest of this. */
export function readHead(raw: readonly string[]): RequestHead {
	const head: RequestHead = {
		block: "",
		contentType: undefined,
		length: undefined,
		traceparent: undefined,
		referer: "",
		userAgent: "",
		eventId: undefined,
		eventType: undefined,
		eventTime: undefined,
		eventNamespace: undefined,
		attributes: undefined,
	};
	let block = "";
	for (let index = 0; index < raw.length; index += 2) {
		const name = raw[index] as string;
		const value = raw[index + 1] as string;
		block += `${name}: ${value}\r\n`;
		const known = HEADERS_OF_LENGTH[name.length];
		if (known !== undefined) known(head, name.toLowerCase(), value);
		// "ce-" of CloudEvents' binary mode, in either case
		if ((name.charCodeAt(0) | 32) === 99 && (name.charCodeAt(1) | 32) === 101 && name.charCodeAt(2) === 45) {
			head.attributes ??= {};
			head.attributes[name.slice(3).toLowerCase()] = percentDecoded(value);
		}
	}
	head.block = block;
	return head;
}

type Known = (head: RequestHead, name: string, value: string) => void;

/** By the length of its name, what to do with a header: one array look-up tells most headers are not ours. */
const HEADERS_OF_LENGTH: Known[] = [];
HEADERS_OF_LENGTH["event-id".length] = (head, name, value) => {
	if (name === "event-id") head.eventId ??= value;
};
HEADERS_OF_LENGTH["event-type".length] = (head, name, value) => {
	if (name === "event-type") head.eventType ??= value;
	else if (name === "event-time") head.eventTime ??= value;
	else if (name === "user-agent") head.userAgent = value;
};
HEADERS_OF_LENGTH["referer".length] = (head, name, value) => {
	if (name === "referer") head.referer = value;
};
HEADERS_OF_LENGTH["traceparent".length] = (head, name, value) => {
	if (name === "traceparent") head.traceparent ??= value;
};
HEADERS_OF_LENGTH["content-type".length] = (head, name, value) => {
	if (name === "content-type") head.contentType ??= value;
};
HEADERS_OF_LENGTH["content-length".length] = (head, name, value) => {
	if (name === "content-length") head.length = Number(value);
};
HEADERS_OF_LENGTH["event-namespace".length] = (head, name, value) => {
	if (name === "event-namespace") head.eventNamespace ??= value;
};
HEADERS_OF_LENGTH["transfer-encoding".length] = (head, name) => {
	if (name === "transfer-encoding") head.length = -1;
};

/** application/json and everything +json, with any parameters. */
export function isJson(contentType: string): boolean {
	return /^\s*(?:application\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(contentType);
}

/** CloudEvents sends attributes percent-encoded in headers (HTTP binding 1.0 §3.1.3.2). */
function percentDecoded(value: string): string {
	try {
		return decodeURIComponent(value);
	} catch {
		return value;
	}
}

/** What stands behind the host: proxies send the whole address (RFC 9112 §3.2.2). */
export function originForm(url: string): string {
	if (url.startsWith("/")) return url;
	const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
	return rest.startsWith("/") || rest === "*" ? rest : `/${rest}`;
}

/** The `call` line's fields (PROTOCOL 4.1) for a request whose event is known. */
export function callFields(request: IncomingMessage, head: RequestHead, json: boolean, deadline: number): string {
	const url = originForm(request.url as string);
	const mark = url.indexOf("?");
	let fields = `"method":"${request.method}","path":${quote(mark < 0 ? url : url.slice(0, mark))}`;
	if (mark >= 0) fields += `,"query":${quote(url.slice(mark + 1))}`;
	const address = callerAddress(request.socket);
	if (address !== "") fields += `,"address":"${address}"`;
	fields += `,"deadline":${deadline}`;
	if (head.eventId !== undefined) fields += `,"event-id":${quote(head.eventId)}`;
	if (head.eventType !== undefined) fields += `,"event-type":${quote(head.eventType)}`;
	if (head.eventTime !== undefined) fields += `,"event-time":${quote(head.eventTime)}`;
	if (head.eventNamespace !== undefined) fields += `,"event-namespace":${quote(head.eventNamespace)}`;
	if (head.attributes !== undefined) fields += `,"extensions":${asciiJson(head.attributes)}`;
	if (json) fields += ',"json":true';
	return fields;
}

function asciiJson(attributes: Record<string, string>): string {
	const members = Object.entries(attributes).map(([name, value]) => `${quote(name)}:${quote(value)}`);
	return `{${members.join(",")}}`;
}
