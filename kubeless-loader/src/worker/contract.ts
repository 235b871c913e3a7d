// worker/ is the loader's side of the processes that run the function. This file says what a worker
// is to the rest of the loader: the pool and the calls know these interfaces alone. The three kinds
// of worker (wire/, http/, command/) implement them; start.ts chooses one of them.
import type { Duplex, Readable } from "node:stream";

/** An answer's headers: one block (PROTOCOL 2.5), or [name, value, name, value, …]. */
export type Head = string | readonly string[];

/** Receives what a worker answers to one call. */
export interface Answer {
	/**
	 * The whole answer. The body is `bytes` from `start` to `end`; the buffer is valid during this
	 * call only.
	 */
	result(status: number, head: Head, bytes: Buffer, start: number, end: number): void;
	/** The beginning of a streamed answer. */
	head(status: number, head: Head): void;
	/**
	 * A piece of a streamed answer; the receiver may keep the bytes. Returns false if the caller reads
	 * too slowly: pause.
	 */
	chunk(bytes: Buffer): boolean;
	/** True if the loader must not hold further bytes for callers that read slowly. */
	readonly memoryFull: boolean;
	/** The end of a streamed answer; `trailers` as [name, value, name, value, …]. */
	end(trailers?: readonly string[]): void;
	/**
	 * The protocol was switched, as the caller requested: bytes flow both ways until either side
	 * closes.
	 */
	upgraded(head: readonly string[], connection: Duplex): void;
	/** The call failed. `message` and `stack` come from the function and are for the log. */
	fail(code: AnswerFault, message: string, stack?: string): void;
}

export type AnswerFault =
	| "BODY_MALFORMED"
	| "FUNCTION_THREW"
	| "RESULT_INVALID"
	| "CALLER_GONE"
	| "WORKER_DIED"
	| "WIRE_BROKEN"
	| "ANSWER_BROKEN";

/** The event that a request describes. */
export interface EventFields {
	readonly eventId: string | undefined;
	readonly eventType: string | undefined;
	readonly eventTime: string | undefined;
	readonly eventNamespace: string | undefined;
	/** CloudEvents attributes by name */
	readonly attributes: Readonly<Record<string, string>> | undefined;
	/** the content type declares the data to be JSON */
	readonly json: boolean;
	/** the request's body as it came, if it was opened: the call's body is then the data in it */
	readonly envelope: HeldBody | undefined;
}

/** A request body that was read before its call began. */
export interface HeldBody {
	readonly parts: readonly Buffer[];
	/** of all parts, in bytes */
	readonly length: number;
}

/** A request body that is passed on while it arrives. */
export interface Upload extends Readable {
	/** the Content-Length in bytes, or -1 if the caller sent none */
	readonly declared: number;
	/** Stops reading: the call was cancelled. */
	hold(): void;
}

/** One call, as a worker sees it. */
export interface WorkerCall {
	readonly method: string;
	/** path and query, not decoded */
	readonly url: string;
	/** [name, value, name, value, …] as received */
	readonly headers: readonly string[];
	/** the IP address of the caller's connection; empty if unknown */
	readonly address: string;
	readonly event: EventFields;
	/** when the loader stops waiting for the answer, in ms since 1970 */
	readonly deadline: number;
	/** undefined if the request has no body, or if it is an upload */
	readonly body: HeldBody | undefined;
	/** only for kinds whose intake is "streamed" */
	readonly upload: Upload | undefined;
	/** the protocol that the caller wants to switch to; only for kinds whose intake has `upgrades` */
	readonly upgrade: string | undefined;
	readonly answer: Answer;
}

/** A call that was sent to a worker: the handle by which it is cancelled and resumed. */
export interface SentCall {
	readonly worker: Worker;
	/** the call's number in its worker, for the log */
	readonly id: number;
	/** false once the worker has finished the call */
	readonly open: boolean;
	/**
	 * Calls back when the request's body is no longer held for the worker, after the call as well; at
	 * once if it is not held now.
	 */
	onceWritten(then: () => void): void;
	/**
	 * The answer is no longer needed: the worker may stop the handler, and discards what it still
	 * answers (PROTOCOL 6.1).
	 */
	cancel(): void;
	/** The caller reads again, after `Answer.chunk` returned false. */
	resume(): void;
}

/** The requests that a kind of worker takes, stated by the kind. */
export interface Intake {
	/**
	 * "whole": every body is read before the call begins; "streamed": a long body is passed on while
	 * it arrives
	 */
	readonly body: "whole" | "streamed";
	/** a structured CloudEvent: "opened" passes on its data, "as sent" the envelope */
	readonly envelopes: "opened" | "as sent";
	/** the worker can switch a connection's protocol (WebSocket) */
	readonly upgrades: boolean;
}

/** Why a worker ended: the label of the metric. */
export type ExitReason = "exit" | "signal" | "protocol" | "timeout" | "load_failed" | "load_timeout" | "replaced" | "idle" | "stopped";

/** The events of one worker; none is emitted before its constructor has returned. */
export interface WorkerEvents {
	ready(): void;
	/** A call ended, so the worker has room for another one. */
	room(): void;
	/**
	 * These calls were not begun and will not be, the earliest first: they may go to another worker.
	 */
	returned(calls: readonly WorkerCall[]): void;
	/** The worker ended; `why` is a sentence for the log. */
	gone(reason: ExitReason, why: string): void;
	/** The function could not be loaded; `gone` follows. */
	failed(failure: LoadFailure): void;
	/**
	 * A line that the function printed; `call` is the call that printed it, if known; `cut`: the next
	 * line continues it.
	 */
	line(stream: "stdout" | "stderr", text: string, call: WorkerCall | undefined, cut: boolean): void;
}

/** Why a function could not be loaded, as its language reports it (PROTOCOL 3.2). */
export interface LoadFailure {
	readonly code: string;
	readonly message: string;
	readonly stack?: string | undefined;
	/** the handlers that the file does have */
	readonly handlers?: readonly string[] | undefined;
}

/** Starts a worker; bound to one state of the function's file and its dependencies. */
export type StartWorker = (events: WorkerEvents) => Worker;

/** Holds one loaded function and runs calls of it. */
export interface Worker {
	/** the worker's process; undefined if each call has its own */
	readonly pid: number | undefined;
	/** all running processes that the loader started for this worker */
	readonly pids: readonly number[];
	/** calls it takes at once; 0 until it is ready */
	readonly concurrency: number;
	/** further calls that it may be sent, to be begun when those before have ended (PROTOCOL 5.5) */
	readonly ahead: number;
	/** calls it holds, the cancelled ones included */
	readonly inFlight: number;
	/** takes calls: it is ready and not about to end */
	readonly open: boolean;
	send(call: WorkerCall): SentCall;
	/** Takes back the calls that were not begun: they come by `returned`. */
	recall(): void;
	/** Takes no new calls, finishes those it holds, then ends; its exit counts as `reason`. */
	retire(reason: ExitReason): void;
	/** Ends now; the calls it holds fail. */
	kill(reason: ExitReason, why: string): void;
}
