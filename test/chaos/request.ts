// The bytes of a request.
import { gzipSync } from "node:zlib";
import type { Manner, PlannedCall } from "./plan.ts";

/**
 * Returns the body as the function gets it: the line that the function reads, and the call's id
 * again and again.
 */
export function bodyOf({ id, action, number, length }: PlannedCall): string {
	return `${id} ${action} ${number}\n`.padEnd(length, `${id}\n`);
}

/** Returns the pieces of a request. Their borders have no meaning; slow callers pause there. */
export function requestOf(call: PlannedCall, manner: Manner): Buffer[] {
	const plain = Buffer.from(bodyOf(call));
	const body = call.gzip ? gzipSync(plain) : plain;
	const old = manner === "http/1.0";
	const lines = [`POST / HTTP/${old ? "1.0" : "1.1"}`, "Host: x", "Content-Type: text/plain", `Event-Id: ${call.id}`];
	if (call.gzip) lines.push("Content-Encoding: gzip");
	lines.push(manner === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`);
	const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
	if (manner === "chunked") return [head, ...call.random.split(body).flatMap(chunk), Buffer.from("0\r\n\r\n")];
	if (manner === "slow") return [...call.random.split(head), ...call.random.split(body)];
	return [Buffer.concat([head, body])];
}

const chunk = (bytes: Buffer): Buffer[] => [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")];
