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

/** What a caller says of itself. */
interface Caller {
	readonly referer: string;
	readonly userAgent: string;
}

/**
 * A line in Apache's combined format. What is absent is "", not "-", as in Kubeless's Python runtime, since people
 * search their logs for `"GET / HTTP/1.1" 200 11 ""`.
 */
export function accessLine(request: IncomingMessage, { referer, userAgent }: Caller, status: number, bytes: number): string {
	const { method, url, httpVersion, socket } = request;
	return `${callerAddress(socket) || "-"} - - ${timestamp()} "${method} ${plain(url as string)} HTTP/${httpVersion}" ${status} ${bytes} "${plain(referer)}" "${plain(userAgent)}"\n`;
}

/** Quotes and what is not printable ASCII, escaped as Apache does: one line stays one line. */
function plain(text: string): string {
	if (text === "" || /^[ !#-[\]-~]*$/.test(text)) return text;
	return text.replace(/[^ !#-[\]-~]/g, (char) =>
		char === '"' || char === "\\" ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
	);
}
