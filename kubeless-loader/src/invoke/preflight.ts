// Answers that need no function: preflights, and requests that are not taken. They are in the
// access log, but are no calls.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LogStream } from "../log.ts";
import { accessLine } from "./access-log.ts";
import { type OwnAnswer, sendOwnAnswer } from "./connection.ts";
import type { RequestHead } from "./event.ts";
import { CORS_HEADER } from "./reply.ts";
import type { Refusal } from "./request-check.ts";

/** Where access lines go; undefined: none are written. */
type AccessLog = LogStream | undefined;

/**
 * Answers OPTIONS for the function, as Kubeless's runtimes did: every requested method and header
 * is allowed.
 */
export function preflight(request: IncomingMessage, response: ServerResponse, head: RequestHead, access: AccessLog): void {
	const headers: string[] = [...CORS_HEADER];
	const method = request.headers["access-control-request-method"];
	const wanted = request.headers["access-control-request-headers"];
	if (method !== undefined) headers.push("Access-Control-Allow-Methods", method);
	if (wanted !== undefined) headers.push("Access-Control-Allow-Headers", wanted);
	send(request, response, head, access, { status: 200, headers, body: "", declared: head.length, close: false });
}

/**
 * Refuses a request that is not taken. Its connection ends: the next request may not begin where
 * this one seems to end.
 */
export function refuseRequest(
	request: IncomingMessage,
	response: ServerResponse,
	head: RequestHead,
	access: AccessLog,
	{ status, body }: Refusal,
): void {
	const headers = [...CORS_HEADER, "Content-Type", "text/plain; charset=utf-8"];
	send(request, response, head, access, { status, headers, body, declared: head.length, close: true });
}

function send(request: IncomingMessage, response: ServerResponse, head: RequestHead, access: AccessLog, answer: OwnAnswer): void {
	sendOwnAnswer(request, response, answer);
	const bytes = request.method === "HEAD" ? 0 : Buffer.byteLength(answer.body);
	access?.write(accessLine(request, head, answer.status, bytes));
}
