import type { WorkerCall } from "./contract.ts";

/** What a command is told of its call: the variables of RFC 3875, and the event's. */
export function cgiVariables(call: WorkerCall): Record<string, string> {
	const { method, url, headers, address, event } = call;
	const mark = url.indexOf("?");
	const path = mark < 0 ? url : url.slice(0, mark);
	const variables: Record<string, string> = {
		GATEWAY_INTERFACE: "CGI/1.1",
		SERVER_PROTOCOL: "HTTP/1.1",
		SERVER_SOFTWARE: "kubeless-loader",
		SCRIPT_NAME: "",
		REQUEST_METHOD: method,
		REQUEST_URI: url,
		PATH_INFO: decoded(path),
		QUERY_STRING: mark < 0 ? "" : url.slice(mark + 1),
		REMOTE_ADDR: address,
	};
	for (let index = 0; index < headers.length; index += 2) {
		const name = headers[index] as string;
		// A name with an underscore would be taken for another header's; HTTP_PROXY is a setting of many programs.
		if (!/^[A-Za-z0-9-]+$/.test(name) || /^(?:proxy|connection|transfer-encoding|expect)$/i.test(name)) continue;
		const variable = variableOf(name);
		const value = headers[index + 1] as string;
		const before = variables[variable];
		variables[variable] = before === undefined ? value : `${before}${variable === "HTTP_COOKIE" ? "; " : ", "}${value}`;
	}
	const host = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(variables["HTTP_HOST"] ?? "");
	variables["SERVER_NAME"] = host?.[1] ?? "";
	variables["SERVER_PORT"] = host?.[2] ?? "80";
	if (call.body !== undefined) variables["CONTENT_LENGTH"] = String(call.bodyLength);
	else if (call.upload === undefined) delete variables["CONTENT_LENGTH"];
	const tell = (name: string, value: string | undefined) => {
		if (value !== undefined && !value.includes("\0")) variables[name] = value;
	};
	tell("EVENT_ID", event.eventId);
	tell("EVENT_TYPE", event.eventType);
	tell("EVENT_TIME", event.eventTime);
	tell("EVENT_NAMESPACE", event.eventNamespace);
	for (const [name, value] of Object.entries(event.attributes ?? {})) {
		if (/^[a-z0-9]+$/i.test(name)) tell(`CE_${name.toUpperCase()}`, value);
	}
	return variables;
}

function variableOf(header: string): string {
	const name = header.toUpperCase().replaceAll("-", "_");
	return name === "CONTENT_TYPE" || name === "CONTENT_LENGTH" ? name : `HTTP_${name}`;
}

/** RFC 3875 §4.1.5; what no variable can hold stays as it was sent. */
function decoded(path: string): string {
	try {
		const text = decodeURIComponent(path);
		return text.includes("\0") ? path : text;
	} catch {
		return path;
	}
}

/** A header block that a command wrote: its end and what it says. */
export interface CgiHead {
	readonly status: number;
	readonly head: readonly string[];
	/** where the body begins */
	readonly bodyStart: number;
}

const END_OF_HEAD = /\r?\n\r?\n/;

/**
 * Reads the header block (RFC 3875 §6); undefined while it is not whole.
 * @throws {Error} what is there is no header block
 */
export function readCgiHead(bytes: Buffer): CgiHead | undefined {
	// latin1: one character a byte, so that places in the text are places in the bytes.
	const text = bytes.toString("latin1");
	const end = END_OF_HEAD.exec(text);
	const block = end ? text.slice(0, end.index) : text;
	const lines = block.split(/\r?\n/);
	if (!end) lines.pop(); // may go on
	let status: number | undefined;
	let located = false;
	const head: string[] = [];
	for (const line of lines) {
		const colon = line.indexOf(":");
		const name = line.slice(0, Math.max(0, colon));
		const value = line.slice(colon + 1).trim();
		if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
			throw new Error(`its output does not begin with headers, but with ${JSON.stringify(line.slice(0, 80))}`);
		if (name.toLowerCase() !== "status") {
			head.push(name, value);
			located ||= name.toLowerCase() === "location";
			continue;
		}
		status = Number(/^[2-9]\d\d(?= |$)/.exec(value)?.[0]);
		if (Number.isNaN(status)) throw new Error(`its Status header is ${JSON.stringify(value)}: give a number from 200 to 999`);
	}
	if (!end) return undefined;
	return { status: status ?? (located ? 302 : 200), head, bodyStart: end.index + end[0].length };
}
