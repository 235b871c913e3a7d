import type { IncomingMessage } from "node:http";
import { callerAddress } from "./caller-address.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

let second = 0;
let stamp = "";

/** Returns the time in the format of access logs, in UTC; formatted once a second. */
function timestamp(): string {
	const now = Math.floor(Date.now() / 1000);
	if (now !== second) {
		second = now;
		const at = new Date(now * 1000);
		stamp = `[${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000]`;
	}
	return stamp;
}

/** Request headers that the line quotes; empty if absent. */
interface Quoted {
	readonly referer: string;
	readonly userAgent: string;
}

/**
 * Returns a line in Apache's combined format. An absent header is "", not "-", as in Kubeless's
 * Python runtime: people search their logs for `"GET / HTTP/1.1" 200 11 ""`.
 */
export function accessLine(request: IncomingMessage, { referer, userAgent }: Quoted, status: number, bytes: number): string {
	const { method, url, httpVersion, socket } = request;
	return `${callerAddress(socket) || "-"} - - ${timestamp()} "${method} ${plain(url as string)} HTTP/${httpVersion}" ${status} ${bytes} "${plain(referer)}" "${plain(userAgent)}"\n`;
}

/** Escapes quotes and all but printable ASCII as Apache does, so that a line stays one line. */
function plain(text: string): string {
	if (text === "" || /^[ !#-[\]-~]*$/.test(text)) return text;
	return text.replace(/[^ !#-[\]-~]/g, (char) =>
		char === '"' || char === "\\" ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
	);
}
