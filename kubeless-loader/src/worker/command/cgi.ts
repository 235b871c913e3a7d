import type { WorkerCall } from "../contract.ts";

/** Returns the environment variables that describe a call: those of RFC 3875 and the event's. */
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
		// A name with an underscore could stand for another header; many programs read HTTP_PROXY as a
		// setting.
		if (!/^[A-Za-z0-9-]+$/.test(name) || /^(?:proxy|connection|transfer-encoding|expect)$/i.test(name)) continue;
		const variable = variableOf(name);
		const value = headers[index + 1] as string;
		const before = variables[variable];
		variables[variable] = before === undefined ? value : `${before}${variable === "HTTP_COOKIE" ? "; " : ", "}${value}`;
	}
	const host = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(variables["HTTP_HOST"] ?? "");
	variables["SERVER_NAME"] = host?.[1] ?? "";
	variables["SERVER_PORT"] = host?.[2] ?? "80";
	if (call.body !== undefined) variables["CONTENT_LENGTH"] = String(call.body.length);
	else if (call.upload === undefined) delete variables["CONTENT_LENGTH"];
	const set = (name: string, value: string | undefined) => {
		if (value !== undefined && !value.includes("\0")) variables[name] = value;
	};
	set("EVENT_ID", event.eventId);
	set("EVENT_TYPE", event.eventType);
	set("EVENT_TIME", event.eventTime);
	set("EVENT_NAMESPACE", event.eventNamespace);
	for (const [name, value] of Object.entries(event.attributes ?? {})) {
		if (/^[a-z0-9]+$/i.test(name)) set(`CE_${name.toUpperCase()}`, value);
	}
	return variables;
}

function variableOf(header: string): string {
	const name = header.toUpperCase().replaceAll("-", "_");
	return name === "CONTENT_TYPE" || name === "CONTENT_LENGTH" ? name : `HTTP_${name}`;
}

/** Decodes a path (RFC 3875 §4.1.5); one that a variable cannot hold stays as it was sent. */
function decoded(path: string): string {
	try {
		const text = decodeURIComponent(path);
		return text.includes("\0") ? path : text;
	} catch {
		return path;
	}
}

/** A header block that a command wrote. */
export interface CgiHead {
	readonly status: number;
	readonly head: readonly string[];
	/** the offset of the body in bytes */
	readonly bodyStart: number;
}

const END_OF_HEAD = /\r?\n\r?\n/;

/**
 * Reads the header block (RFC 3875 §6). Returns undefined while it is incomplete.
 * @throws {Error} if the output does not begin with a header block
 */
export function readCgiHead(bytes: Buffer): CgiHead | undefined {
	// latin1 has one character per byte, so offsets in the text are offsets in the bytes.
	const text = bytes.toString("latin1");
	const end = END_OF_HEAD.exec(text);
	const block = end ? text.slice(0, end.index) : text;
	const lines = block.split(/\r?\n/);
	if (!end) lines.pop(); // may be incomplete
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
