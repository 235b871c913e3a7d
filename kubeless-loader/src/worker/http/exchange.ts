import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { Worker, WorkerCall } from "../contract.ts";
import type { HeldCall } from "../process/child.ts";
import type { Connection } from "./connection.ts";
import { type ErrorResponse, errorResponse } from "./error-response.ts";

/** The part of the worker that its exchanges use. */
export interface ExchangeHost extends Worker {
	holds(exchange: Exchange): boolean;
	cancel(exchange: Exchange): void;
	/** The server has finished the call: it answered it, or stopped working on it. */
	concluded(exchange: Exchange): void;
	/** The protocol was switched: the call is over, its connection is not. */
	tunnelled(exchange: Exchange, socket: Duplex): void;
	/**
	 * There is no whole answer. If the process is about to end, that is the reason rather than the
	 * connection.
	 */
	broken(exchange: Exchange, error: Error): void;
	/** The answer ended with the connection; it is whole unless the process has died. */
	endedWithConnection(exchange: Exchange): void;
}

const EMPTY = Buffer.alloc(0);

/**
 * One call over HTTP, as undici reports it. An answer that arrives in one piece is passed on as
 * one.
 */
export class Exchange implements Dispatcher.DispatchHandler, HeldCall {
	readonly worker: ExchangeHost;
	readonly call: WorkerCall;
	readonly connection: Connection;
	id = 0;
	cancelled = false;
	#paused = false;
	/** the answer's head was passed on; a stream follows */
	#streaming = false;
	#controller: Dispatcher.DispatchController | undefined;
	#status = 0;
	#head: string[] = [];
	/** the body's bytes that came in the same turn as the head */
	#first: Buffer | undefined;
	/** only the end of the connection ends the answer's body */
	#untilClose = false;
	#trailers: readonly string[] | undefined;
	/** set if the response reports an error instead of answering */
	#error: ErrorResponse | undefined;

	constructor(worker: ExchangeHost, call: WorkerCall, connection: Connection) {
		this.worker = worker;
		this.call = call;
		this.connection = connection;
	}

	get open(): boolean {
		return this.worker.holds(this);
	}

	/** True once part of the call may have reached the server. */
	get begun(): boolean {
		return this.#controller !== undefined;
	}

	/** The connection is closed with the call, and with it the part of the body that it holds. */
	onceWritten(then: () => void): void {
		then();
	}

	cancel(): void {
		this.worker.cancel(this);
	}

	resume(): void {
		if (!this.#paused) return;
		this.#paused = false;
		this.#controller?.resume();
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.#controller = controller;
	}

	onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
		if (status < 200) return; // interim answers end at this hop
		this.#status = status;
		this.#head = texts(controller.rawHeaders);
		this.#untilClose = endsWithConnection(status, this.call.method, this.#head);
		this.#error = errorResponse(this.#head);
		if (this.#error === undefined) process.nextTick(this.#stream);
	}

	onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
		if (this.cancelled) return;
		if (this.#error !== undefined) this.#error.add(bytes);
		else if (!this.#streaming && this.#first === undefined) this.#first = bytes;
		else {
			this.#stream();
			this.#pass(controller, bytes);
		}
	}

	onResponseEnd(controller: Dispatcher.DispatchController): void {
		const trailers = texts(controller.rawTrailers);
		if (trailers.length > 0) this.#trailers = trailers;
		if (this.#untilClose) this.worker.endedWithConnection(this);
		else this.conclude();
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		this.worker.broken(this, error);
	}

	onRequestUpgrade(controller: Dispatcher.DispatchController, _status: number, _headers: unknown, socket: Duplex): void {
		this.#streaming = true;
		this.connection.tunnel = socket;
		if (this.cancelled) {
			socket.on("close", () => this.worker.concluded(this));
			return void socket.destroy();
		}
		this.call.answer.upgraded(texts(controller.rawHeaders), socket);
		this.worker.tunnelled(this, socket);
	}

	/** Passes the end of the answer on. */
	conclude(): void {
		const { answer } = this.call;
		this.worker.concluded(this);
		if (this.cancelled) return;
		if (this.#error !== undefined) {
			const { message, stack } = this.#error.details;
			return answer.fail(this.#error.code, message, stack);
		}
		const first = this.#first ?? EMPTY;
		if (!this.#streaming && this.#trailers === undefined) answer.result(this.#status, this.#head, first, 0, first.length);
		else {
			this.#begin();
			answer.end(this.#trailers);
		}
	}

	/** The answer has more than one piece, or its pieces are slow: it is streamed from now on. */
	#stream = (): void => {
		if (!this.cancelled && this.open) this.#begin();
	};

	#begin(): void {
		if (this.#streaming) return;
		this.#streaming = true;
		this.call.answer.head(this.#status, this.#head);
		const first = this.#first;
		this.#first = undefined;
		if (first !== undefined && this.#controller) this.#pass(this.#controller, first);
	}

	#pass(controller: Dispatcher.DispatchController, bytes: Buffer): void {
		if (this.call.answer.chunk(bytes)) return;
		this.#paused = true;
		controller.pause();
	}
}

/** RFC 9112 §6.3, rule 8. */
function endsWithConnection(status: number, method: string, head: readonly string[]): boolean {
	if (method === "HEAD" || status === 204 || status === 304) return false;
	for (let index = 0; index < head.length; index += 2) {
		const name = head[index] as string;
		if (/^(?:content-length|transfer-encoding)$/i.test(name)) return false;
	}
	return true;
}

function texts(raw: Dispatcher.DispatchController["rawHeaders"]): string[] {
	return Array.isArray(raw) ? raw.map((text) => (typeof text === "string" ? text : text.toString("latin1"))) : [];
}
