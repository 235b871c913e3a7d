import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { accessLine } from "../access-log.ts";
import { FAULTS, type FaultCode } from "../errors.ts";
import type { LogStream } from "../log.ts";
import type { MethodSeries, Metrics } from "../metrics.ts";
import type { Answer, AnswerFault, EventFields, Head, Worker } from "../worker/contract.ts";
import type { Pool, PoolCall } from "../worker/pool.ts";
import type { ByteBudget } from "./body.ts";
import { callerAddress } from "./caller.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import { originForm, type RequestHead, readHead } from "./event.ts";
import { CORS_HEADER, isBodiless, resultHeaders, streamHeaders } from "./reply.ts";
import { joinSockets, switchingProtocols } from "./tunnel.ts";
import type { RequestUpload } from "./upload.ts";

/** What all calls of a loader share. */
export interface CallHost {
	readonly pool: Pool;
	readonly deadlines: Deadlines;
	readonly metrics: Metrics;
	readonly budget: ByteBudget;
	readonly log: Logger;
	/** where access lines go; undefined: nowhere */
	readonly access: LogStream | undefined;
	/** answers tell the function's errors: at a desk only */
	readonly tellErrors: boolean;
	/** shutting down: no new calls, and connections end with the answer they wait for */
	draining: boolean;
	/** answers that are not with their callers yet, to the last byte */
	unsent: number;
}

/** Up to this many `bytes` a body goes out in one write with the headers, as text. */
const SMALL_BODY = 16 * 1024;

const NO_HEAD = readHead([]);

/** One call, from the request to the answer. Whatever happens to it, the first end counts and there is no second. */
export class Call implements PoolCall, Answer, Timed {
	readonly #host: CallHost;
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	readonly #series: MethodSeries;
	/** it has its answer, or nobody to give it to */
	#over = false;
	/** when it got a worker, in `ms` of performance.now() */
	#sentAt = 0;
	/** status of a streamed answer */
	#status = 0;
	/** `bytes` of a streamed answer's body */
	#streamed = 0;
	/** `bytes` held in the budget */
	#paid = 0;

	/** the request's headers, once they have been read */
	requestHead: RequestHead = NO_HEAD;

	// What the worker gets and notes.
	readonly answer: Answer = this;
	fields = "";
	headBlock = "";
	body: readonly Buffer[] | undefined;
	bodyLength = 0;
	upload: RequestUpload | undefined;
	upgrade: string | undefined;
	id = 0;
	abandoned = false;
	paused = false;
	begun = false;
	exchange: unknown = undefined;

	// What the pool notes.
	worker: Worker | undefined;
	waiting = false;
	queuedAt = 0;

	// Its place among the deadlines.
	dueAt = 0;
	earlier: Timed | undefined;
	later: Timed | undefined;

	constructor(host: CallHost, request: IncomingMessage, response: ServerResponse) {
		this.#host = host;
		this.#request = request;
		this.#response = response;
		this.#series = host.metrics.of(request.method as string);
		host.metrics.inFlight++;
		host.unsent++;
		response.on("close", () => {
			host.unsent--;
			this.#callerGone();
		});
	}

	get method(): string {
		return this.#request.method as string;
	}

	get url(): string {
		return originForm(this.#request.url as string);
	}

	get headers(): readonly string[] {
		return this.#request.rawHeaders;
	}

	get address(): string {
		return callerAddress(this.#request.socket);
	}

	get event(): EventFields {
		return this.requestHead;
	}

	/** Bytes taken from the budget, to be given back at the end. */
	owes(paid: number): void {
		this.#paid = paid;
	}

	/** What the worker gets as body. */
	setBody(parts: readonly Buffer[]): void {
		this.body = parts;
		this.bodyLength = 0;
		for (const part of parts) this.bodyLength += part.length;
	}

	/** Asks for a worker; from here on the time limit runs. */
	begin(): void {
		if (this.#over) return;
		const { deadlines, pool } = this.#host;
		this.queuedAt = performance.now();
		deadlines.add(this, this.queuedAt);
		if (!pool.submit(this)) this.refuse("QUEUE_FULL");
	}

	sent(): void {
		this.#sentAt = performance.now();
	}

	returned(): void {
		this.#sentAt = 0;
	}

	result(status: number, head: Head, bytes: Buffer, start: number, end: number): void {
		if (this.#over) return;
		const length = end - start;
		const response = this.#response;
		try {
			const headers = resultHeaders(head, status, length, this.#request.method === "HEAD");
			if (this.#host.draining) headers.push("Connection", "close");
			response.writeHead(status, headers);
		} catch (cause) {
			return this.fail("RESULT_INVALID", `the answer's headers cannot be sent: ${(cause as Error).message}`);
		}
		// Text of one encoding goes out together with the headers in one write; a buffer would take two.
		if (length <= SMALL_BODY) response.end(bytes.toString("latin1", start, end), "latin1");
		else response.end(bytes.subarray(start, end));
		this.#finish(status, length, undefined);
	}

	head(status: number, head: Head): void {
		if (this.#over) return;
		const response = this.#response;
		try {
			response.writeHead(status, streamHeaders(head));
		} catch (cause) {
			return this.fail("RESULT_INVALID", `the answer's headers cannot be sent: ${(cause as Error).message}`);
		}
		// A stream that does not keep to its Content-Length would be read as the beginning of the next answer.
		response.strictContentLength = !isBodiless(status) && this.#request.method !== "HEAD";
		response.flushHeaders();
		this.#status = status;
	}

	chunk(bytes: Buffer): boolean {
		if (this.#over) return true;
		const response = this.#response;
		this.#streamed += bytes.length;
		try {
			if (response.write(bytes)) return true;
		} catch (cause) {
			this.fail("RESULT_INVALID", (cause as Error).message);
			return true;
		}
		if (!this.paused) response.once("drain", () => this.worker?.resume(this));
		return false;
	}

	end(trailers?: readonly string[]): void {
		if (this.#over) return;
		try {
			if (trailers !== undefined) this.#response.addTrailers(inPairs(trailers));
			this.#response.end();
		} catch (cause) {
			return this.fail("RESULT_INVALID", (cause as Error).message);
		}
		this.#finish(this.#status, this.#streamed, undefined);
	}

	upgraded(head: readonly string[], connection: Duplex): void {
		const { socket } = this.#request;
		if (this.#over || socket.destroyed) return void connection.destroy();
		const response = this.#response;
		this.#finish(101, 0, undefined);
		// It is no answer any more, but what drains waits for it all the same.
		response.removeAllListeners("close");
		response.detachSocket(socket);
		socket.write(switchingProtocols(head), "latin1");
		joinSockets(socket, connection, () => {
			this.#host.unsent--;
		});
	}

	fail(code: AnswerFault | FaultCode, message: string, stack?: string): void {
		if (this.#over) return;
		const { log, tellErrors } = this.#host;
		const { status, blame, body } = FAULTS[code];
		const told = tellErrors && message !== "" ? `${stack ?? message}\n` : body;
		if (blame !== "caller") {
			log.error(
				{
					code,
					blame,
					call: this.id,
					method: this.#request.method,
					path: this.#request.url,
					traceparent: this.requestHead.traceparent,
					stack,
				},
				message || body,
			);
		}
		this.#refuse(status, told);
		this.#finish(status, told.length, code);
	}

	/** The call gets no worker. */
	refuse(code: FaultCode): void {
		if (this.#over) return;
		const { status, body } = FAULTS[code];
		this.#host.metrics.rejected(code);
		this.#refuse(status, body);
		this.#finish(status, body.length, code);
	}

	/** More of the body came than may be; some of it may be with the function. */
	tooLarge(): void {
		this.#host.pool.cancel(this);
		this.refuse("BODY_TOO_LARGE");
	}

	/** It is over because its time is. */
	expire(): void {
		if (this.#over) return;
		this.#host.pool.expire(this);
		this.#host.metrics.timedOut();
		this.fail("FUNCTION_TIMED_OUT", this.#sentAt > 0 ? "the function did not answer in time" : "no worker was free in time");
	}

	/** Answers without the function, or breaks off an answer that has begun. */
	#refuse(status: number, body: string): void {
		const response = this.#response;
		// Cut: a caller must not take half an answer for a whole one.
		if (response.headersSent) return void response.destroy();
		const headers = [...CORS_HEADER, "Content-Type", "text/plain; charset=utf-8", "Content-Length", String(Buffer.byteLength(body))];
		if (status === 503) headers.push("Retry-After", "1");
		const request = this.#request;
		const ends = this.#host.draining || !response.shouldKeepAlive;
		if (ends && this.requestHead.length !== undefined && !request.complete) {
			// Closed while the caller still sends, the connection would be reset and the answer lost with it.
			response.shouldKeepAlive = true;
			request.once("end", () => request.socket.end());
		} else if (this.#host.draining) headers.push("Connection", "close");
		response.writeHead(status, headers);
		response.end(body);
	}

	#callerGone(): void {
		if (this.#over) return;
		this.#host.pool.cancel(this);
		this.#finish(FAULTS.CALLER_GONE.status, this.#streamed, "CALLER_GONE");
	}

	#finish(status: number, bytes: number, fault: FaultCode | undefined): void {
		this.#over = true;
		const { access, budget, deadlines, metrics } = this.#host;
		deadlines.remove(this);
		if (this.#paid > 0) budget.give(this.#paid);
		if (this.upload !== undefined) this.bodyLength = this.upload.leave();
		metrics.inFlight--;
		if (access) access.write(accessLine(this.#request, this.requestHead, status, bytes));
		// A malformed body never reached the function, nor did a call that got no worker.
		if (this.#sentAt === 0 || fault === "BODY_MALFORMED") return;
		const series = this.#series;
		series.calls++;
		if (fault !== undefined && FAULTS[fault].blame === "function") series.failures++;
		series.duration.observe((performance.now() - this.#sentAt) / 1000);
		metrics.wait.observe((this.#sentAt - this.queuedAt) / 1000);
		metrics.requestBytes.observe(this.bodyLength);
		metrics.responseBytes.observe(bytes);
	}
}

/** [name, value, name, value, …] as [[name, value], …] */
function inPairs(flat: readonly string[]): [string, string][] {
	const pairs: [string, string][] = [];
	for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] as string, flat[index + 1] as string]);
	return pairs;
}
