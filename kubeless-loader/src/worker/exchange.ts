import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { Connection } from "./connection.ts";
import type { WorkerCall } from "./contract.ts";
import { type Report, reportOf } from "./report.ts";

/** What an exchange tells its worker. */
export interface ExchangeHost {
	/** The server was given the whole call back: answered, or nothing of it is going on any more. */
	concluded(exchange: Exchange): void;
	/** There is no whole answer; what the worker's end would explain is not a fault of the connection. */
	broken(exchange: Exchange, error: Error): void;
	/** The answer ended where the connection did: whether that was its end, the process knows. */
	endedWithConnection(exchange: Exchange): void;
}

const NOTHING = Buffer.alloc(0);

/** One call over HTTP, as undici tells it; an answer that comes in one piece is given as one. */
export class Exchange implements Dispatcher.DispatchHandler {
	readonly call: WorkerCall;
	readonly connection: Connection;
	readonly #host: ExchangeHost;
	#controller: Dispatcher.DispatchController | undefined;
	#status = 0;
	#head: string[] = [];
	/** what came in the same turn as the head */
	#first: Buffer | undefined;
	/** nothing but the end of the connection ends the answer's body */
	#untilClose = false;
	#trailers: readonly string[] | undefined;
	/** what comes is not for the caller */
	#report: Report | undefined;

	constructor(host: ExchangeHost, call: WorkerCall, connection: Connection) {
		this.#host = host;
		this.call = call;
		this.connection = connection;
	}

	/** Some of the call may be with the server. */
	get begun(): boolean {
		return this.#controller !== undefined;
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.#controller = controller;
	}

	onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
		if (status < 200) return; // interim answers end at this hop
		this.#status = status;
		this.#head = texts(controller.rawHeaders);
		this.#untilClose = endsWithConnection(status, this.call.method, this.#head);
		this.#report = reportOf(this.#head);
		if (this.#report === undefined) process.nextTick(this.#begin);
	}

	onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
		const { call } = this;
		if (call.abandoned) return;
		if (this.#report !== undefined) this.#report.add(bytes);
		else if (!call.begun && this.#first === undefined) this.#first = bytes;
		else {
			this.#begin();
			this.#pass(controller, bytes);
		}
	}

	onResponseEnd(controller: Dispatcher.DispatchController): void {
		const trailers = texts(controller.rawTrailers);
		if (trailers.length > 0) this.#trailers = trailers;
		if (this.#untilClose) this.#host.endedWithConnection(this);
		else this.conclude();
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		this.#host.broken(this, error);
	}

	onRequestUpgrade(controller: Dispatcher.DispatchController, _status: number, _headers: unknown, socket: Duplex): void {
		const { call } = this;
		call.begun = true;
		this.connection.tunnel = socket;
		socket.on("close", () => this.#host.concluded(this));
		if (call.abandoned) socket.destroy();
		else call.answer.upgraded(texts(controller.rawHeaders), socket);
	}

	resume(): void {
		this.#controller?.resume();
	}

	/** Gives the end of the answer to the caller. */
	conclude(): void {
		const { call } = this;
		this.#host.concluded(this);
		if (call.abandoned) return;
		if (this.#report !== undefined) {
			const { message, stack } = this.#report.words;
			return call.answer.fail(this.#report.code, message, stack);
		}
		const first = this.#first ?? NOTHING;
		if (!call.begun && this.#trailers === undefined) call.answer.result(this.#status, this.#head, first, 0, first.length);
		else {
			this.#begin();
			call.answer.end(this.#trailers);
		}
	}

	/** The answer is more than one piece, or its pieces are slow: it is streamed from now on. */
	#begin = (): void => {
		const { call } = this;
		if (call.begun || call.abandoned || call.exchange !== this) return;
		call.begun = true;
		call.answer.head(this.#status, this.#head);
		const first = this.#first;
		this.#first = undefined;
		if (first !== undefined && this.#controller) this.#pass(this.#controller, first);
	};

	#pass(controller: Dispatcher.DispatchController, bytes: Buffer): void {
		const { call } = this;
		if (call.answer.chunk(bytes)) return;
		call.paused = true;
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
