// A caller's connection: the answers that it has still to carry, how the loader notices that the
// caller has gone, and how a connection ends so that no answer is lost and no broken answer is
// taken for a whole one.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

const LATEST = Symbol("latest answer");
const EARLIER = Symbol("the answer before this one");

type Answer = ServerResponse & {
	/** the answer that must be sent before this one; undefined: it has been sent */
	[EARLIER]?: Answer | undefined;
};
/** A connection, with the answer to its latest request. */
export type CallerSocket = Socket & { [LATEST]?: Answer };

/** The time between the two writes that detect a gone caller, in ms. */
const SECOND_WRITE_MS = 100;
/**
 * How long a refused caller may pause while it sends its body, in ms: after that its connection is
 * closed.
 */
const LINGER_MS = 1000;

/** Prepares a new connection. */
export function watchConnection(socket: CallerSocket): void {
	socket.on("end", () => probeCaller(socket));
	// Node.js reports the end of the connection only to the answer whose turn it is.
	socket.on("close", () => {
		const open: Answer[] = [];
		for (let answer = socket[LATEST]; answer !== undefined && !answer.closed; answer = answer[EARLIER]) open.unshift(answer);
		for (const answer of open) if (answer.socket === null) answer.emit("close");
	});
}

/** Turns of the event loop in which a new connection is accepted, and its request is read. */
const READ_TURNS = 3;
/** Each turn accepts one connection, and Node.js lets 511 wait. */
const MAX_READ_TURNS = 600;

/**
 * Accepts the connections and reads the requests that wait in the kernel: closing the listening
 * socket would reset them.
 */
export async function readWaiting(server: Server): Promise<void> {
	let quiet = 0;
	const accepted = () => {
		quiet = 0;
	};
	server.on("connection", accepted);
	for (let turn = 0; turn < MAX_READ_TURNS && quiet < READ_TURNS; turn++, quiet++) await nextTurn();
	server.off("connection", accepted);
}

/**
 * How long idle connections stay open while the loader drains, in ms. A proxy may be about to send
 * a request on one that it has kept open: it would get no answer, and may not send a POST again.
 */
const QUIET_MS = 500;

/**
 * Resolves when all connections of a closed server have ended, or when no request has come for a
 * while, after `maxMs` at the latest.
 */
export async function untilQuiet(server: Server, maxMs: number): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const quiet = setTimeout(resolve, Math.min(QUIET_MS, maxMs));
	const latest = setTimeout(resolve, maxMs);
	server.on("request", () => quiet.refresh());
	server.once("close", resolve);
	await promise;
	clearTimeout(quiet);
	clearTimeout(latest);
}

/** Notes a request's answer, which is sent after all earlier ones of its connection. */
export function noteAnswer(socket: CallerSocket, response: Answer): void {
	const latest = socket[LATEST];
	socket[LATEST] = response;
	if (latest === undefined || latest.closed) return;
	response[EARLIER] = latest;
	response.once("close", () => {
		response[EARLIER] = undefined;
	});
}

/** Calls back when all answers of the connection were sent: at once if all were sent. */
export function afterAnswers(socket: CallerSocket, then: () => void): void {
	const latest = socket[LATEST];
	if (latest === undefined || latest.closed) return then();
	latest.once("close", () => {
		if (!socket.destroyed) then();
	});
}

/**
 * False if another request of the same connection was read after this one: closing would lose its
 * answer.
 */
export const isLastAnswer = (request: IncomingMessage, response: ServerResponse): boolean =>
	(request.socket as CallerSocket)[LATEST] === response;

/**
 * The caller has closed its side: it still waits for the answer, or it is gone. With TCP only a
 * write can tell. An interim answer (RFC 9110 §15.2.1: callers ignore it) makes the socket fail at
 * the second write if the caller is gone.
 */
function probeCaller(socket: CallerSocket): void {
	const response = socket[LATEST];
	const write = () => {
		if (response && !response.writableEnded && !response.headersSent && response.req.httpVersionMinor > 0) response.writeContinue();
	};
	write();
	setTimeout(write, SECOND_WRITE_MS);
}

/**
 * Cuts an answer that has begun, so that its caller does not take it for a whole one.
 * @param hasLength the answer has a Content-Length
 */
export function cutAnswer(request: IncomingMessage, response: Answer, hasLength: boolean): void {
	const { socket } = request;
	const earlier = response[EARLIER];
	// An answer that waits for its turn has no connection yet; the earlier ones are sent whole first.
	if (earlier !== undefined && !earlier.closed) {
		earlier.once("close", () => cutAnswer(request, response, hasLength));
		return;
	}
	// Where only the end of the connection ends the answer (HTTP/1.0), an orderly end would make it
	// look whole.
	const isOrderly = response.chunkedEncoding || hasLength;
	// Node.js writes the pieces of this turn at its end: what came before the fault is sent.
	setImmediate(() => {
		if (isOrderly) socket.destroy();
		else socket.resetAndDestroy();
	});
}

/** An answer that the loader makes itself. */
export interface OwnAnswer {
	readonly status: number;
	/** without Content-Length and Connection, as [name, value, …] */
	readonly headers: readonly string[];
	readonly body: string;
	/** the request's Content-Length; -1: its body is chunked; undefined: it has no body */
	readonly declared: number | undefined;
	/** the connection is to end with this answer */
	readonly close: boolean;
}

/**
 * The unread body of a request that is read and thrown away so that its connection can go on, in
 * bytes.
 */
export const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/**
 * Sends an answer of the loader. The connection ends with it, and the answer says so, if the rest
 * of the request is better not read.
 */
export function sendOwnAnswer(request: IncomingMessage, response: ServerResponse, answer: OwnAnswer): void {
	const { status, body, declared, close } = answer;
	const isUnread = declared !== undefined && !request.complete;
	// A caller that waits for "100 Continue" may or may not send its body after another answer.
	const isEndless = isUnread && (declared < 0 || declared > MAX_DISCARDED_BYTES || request.headers.expect !== undefined);
	const closes = close || isEndless || !response.shouldKeepAlive;
	const headers = [...answer.headers, "Content-Length", String(Buffer.byteLength(body))];
	if (closes) headers.push("Connection", "close");
	response.writeHead(status, headers);
	if (!closes || !isUnread) return void response.end(body);
	response.flushHeaders();
	response.write(body);
	afterRest(request, () => response.end());
}

/**
 * Reads the rest of a request. Closing while the caller still sends would reset the connection, and
 * lose the answer.
 */
function afterRest(request: IncomingMessage, then: () => void): void {
	let discarded = 0;
	const timer = setTimeout(done, LINGER_MS);
	function done(): void {
		clearTimeout(timer);
		request.off("data", take);
		then();
	}
	function take(chunk: Buffer): void {
		timer.refresh();
		discarded += chunk.length;
		if (discarded > MAX_DISCARDED_BYTES) done();
	}
	request.on("data", take);
	request.once("end", done);
	request.once("close", () => clearTimeout(timer));
	request.resume();
}
