import type { IncomingMessage } from "node:http";
import { callerAddress } from "./invoke/caller.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

let second = 0;
let stamp = "";

/** The time as access logs have it, in UTC; made once a second. */
function timestamp(): string {
	const now = Math.floor(Date.now() / 1000);
	if (now !== second) {
		second = now;
		const at = new Date(now * 1000);
		stamp = `[${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000]`;
	}
	return stamp;
}

/**
 * A line in Apache's combined format. What is absent is "", not "-", as in Kubeless's Python runtime, since people
 * search their logs for `"GET / HTTP/1.1" 200 11 ""`.
 */
export function accessLine(request: IncomingMessage, status: number, bytes: number): string {
	const { rawHeaders, socket } = request;
	let referer = "";
	let agent = "";
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] as string;
		if (name.length === 7 && name.toLowerCase() === "referer") referer = rawHeaders[index + 1] as string;
		else if (name.length === 10 && name.toLowerCase() === "user-agent") agent = rawHeaders[index + 1] as string;
	}
	return `${callerAddress(socket) || "-"} - - ${timestamp()} "${request.method} ${plain(request.url as string)} HTTP/${request.httpVersion}" ${status} ${bytes} "${plain(referer)}" "${plain(agent)}"\n`;
}

/** Quotes and what is not printable ASCII, escaped as Apache does: one line stays one line. */
function plain(text: string): string {
	if (/^[ !#-[\]-~]*$/.test(text)) return text;
	return text.replace(/[^ !#-[\]-~]/g, (char) =>
		char === '"' || char === "\\" ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
	);
}
