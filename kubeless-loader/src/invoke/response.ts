// The caller's side of a call: writes the HTTP response.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Head } from "../worker/contract.ts";
import type { ByteBudget } from "./body.ts";
import { cutAnswer, isLastAnswer, sendOwnAnswer } from "./connection.ts";
import { CORS_HEADER, isBodiless, resultHeaders, streamHeaders } from "./reply.ts";
import { joinSockets, switchingProtocols } from "./tunnel.ts";

/** Bodies up to this many bytes are written together with the headers, as text. */
const MAX_TEXT_BODY = 16 * 1024;

/** How long a caller may read nothing of the end of an answer, in ms. */
const MAX_UNREAD_MS = 60_000;

/** An answer that is the loader's own. */
export interface Refusal {
	readonly status: number;
	readonly body: string;
	/** the fault, if the function did not run */
	readonly refused: string | undefined;
	/** for a status of 503: when the caller may try again, in seconds */
	readonly retryAfterS: number | undefined;
	/** the connection ends with this answer */
	readonly draining: boolean;
	/** the declared length of the request's body in bytes; -1: not declared; undefined: no body */
	readonly declared: number | undefined;
}

/**
 * Every method that writes throws an Error with a message for the log if the function's answer
 * cannot be sent.
 */
export class CallerResponse {
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	readonly #budget: ByteBudget;
	/** the status sent, or to be sent with the end of the stream */
	status = 0;
	/** bytes of the body that are sent to the caller */
	bytes = 0;
	/** the answer has no body, whatever the function returned */
	bodiless = false;
	/** the Content-Length of a streamed answer, in bytes; undefined: it has none */
	#length: number | undefined;
	/** `onceDrained` waits for the caller */
	#draining = false;
	/** bytes, counted in the budget, that wait for the caller to read */
	#unread = 0;

	constructor(request: IncomingMessage, response: ServerResponse, budget: ByteBudget) {
		this.#request = request;
		this.#response = response;
		this.#budget = budget;
	}

	/**
	 * Writes a whole answer; the body is `bytes` from `start` to `end`.
	 * @param draining the connection ends with its last answer
	 */
	result(status: number, head: Head, bytes: Buffer, start: number, end: number, draining: boolean): void {
		const response = this.#response;
		const length = end - start;
		const isHead = this.#request.method === "HEAD";
		try {
			const headers = resultHeaders(head, status, length, isHead);
			if (draining && isLastAnswer(this.#request, response)) headers.push("Connection", "close");
			response.writeHead(status, headers);
		} catch (cause) {
			throw unsendable(cause);
		}
		this.status = status;
		this.bytes = isHead || isBodiless(status) ? 0 : length;
		// Text of one encoding is written together with the headers; a buffer would take a second write.
		if (length <= MAX_TEXT_BODY) response.end(bytes.toString("latin1", start, end), "latin1");
		else response.end(bytes.subarray(start, end));
	}

	/** Writes the beginning of a streamed answer. */
	head(status: number, head: Head, draining: boolean): void {
		const response = this.#response;
		try {
			const { pairs, length } = streamHeaders(head, status);
			this.#length = length;
			const closes = draining && isLastAnswer(this.#request, response);
			response.writeHead(status, closes ? [...pairs, "Connection", "close"] : [...pairs]);
		} catch (cause) {
			throw unsendable(cause);
		}
		this.status = status;
		this.bodiless = isBodiless(status) || this.#request.method === "HEAD";
		// A stream that breaks its Content-Length would be read as the beginning of the next answer.
		response.strictContentLength = !this.bodiless;
		response.flushHeaders();
	}

	/**
	 * Writes a piece of a streamed answer. Returns false if the caller reads too slowly: the budget
	 * then counts the bytes until the caller has read them, or has gone.
	 */
	chunk(bytes: Buffer): boolean {
		if (!this.bodiless) this.bytes += bytes.length;
		if (this.#response.write(bytes)) return true;
		this.#unread += bytes.length;
		this.#budget.add(bytes.length);
		return false;
	}

	/** Calls back once when the caller has caught up; further requests before that are ignored. */
	onceDrained(then: () => void): void {
		if (this.#draining) return;
		this.#draining = true;
		this.#response.once("drain", () => {
			this.#draining = false;
			this.releaseUnread();
			then();
		});
	}

	/** Releases what the budget counts for this answer: the caller has read it, or never will. */
	releaseUnread(): void {
		if (this.#unread > 0) this.#budget.release(this.#unread);
		this.#unread = 0;
	}

	/** Ends a streamed answer; `trailers` as [name, value, …]. */
	end(trailers: readonly string[] | undefined): void {
		// The call is over, and with it its time limit: a caller that does not read must not hold memory
		// for ever.
		if (this.#unread > 0) this.#response.setTimeout(MAX_UNREAD_MS, () => this.#response.destroy());
		if (trailers !== undefined) this.#response.addTrailers(inPairs(trailers));
		this.#response.end();
	}

	/** Switches the connection's protocol. `closed` is called once, when both sides have ended. */
	upgrade(head: readonly string[], connection: Duplex, closed: () => void): void {
		const { socket } = this.#request;
		this.status = 101;
		this.#response.removeAllListeners("close");
		this.#response.detachSocket(socket);
		socket.write(switchingProtocols(head), "latin1");
		joinSockets(socket, connection, closed);
	}

	/** False once the caller's connection is gone. */
	get connected(): boolean {
		return !this.#request.socket.destroyed;
	}

	/**
	 * Answers without the function; an answer that has begun is cut off instead, so that it is not
	 * taken for whole.
	 */
	refuse({ status, body, refused, retryAfterS, draining, declared }: Refusal): void {
		const response = this.#response;
		const request = this.#request;
		if (response.headersSent) {
			// All bytes that the answer has were sent: only the end is missing.
			if (this.bytes === this.#length) return void response.end();
			this.status = status;
			return cutAnswer(request, response, this.#length !== undefined);
		}
		this.status = status;
		const headers = [...CORS_HEADER, "Content-Type", "text/plain; charset=utf-8"];
		if (refused !== undefined) headers.push("Kubeless-Refused", refused);
		if (retryAfterS !== undefined) headers.push("Retry-After", String(retryAfterS));
		sendOwnAnswer(request, response, { status, headers, body, declared, close: draining && isLastAnswer(request, response) });
		if (request.method !== "HEAD") this.bytes = Buffer.byteLength(body);
	}
}

const unsendable = (cause: unknown): Error => new Error(`the answer's headers cannot be sent: ${(cause as Error).message}`);

/** [name, value, name, value, …] as [[name, value], …] */
function inPairs(flat: readonly string[]): [string, string][] {
	const pairs: [string, string][] = [];
	for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] as string, flat[index + 1] as string]);
	return pairs;
}
