import type { Duplex, Readable } from "node:stream";

/** An answer's headers: one block (PROTOCOL 2.5), or name, value, name, value, … */
export type Head = string | readonly string[];

/** What the answer to a call is made of; the caller's side of a call, as a worker sees it. */
export interface Answer {
	/** The whole answer; the body is `bytes` from `start` to `end`, valid during this call only. */
	result(status: number, head: Head, bytes: Buffer, start: number, end: number): void;
	/** The beginning of a streamed answer. */
	head(status: number, head: Head): void;
	/** A piece of a streamed answer; the bytes may be kept. Returns false when the caller reads too slowly: pause. */
	chunk(bytes: Buffer): boolean;
	/** `trailers` as name, value, name, value, … */
	end(trailers?: readonly string[]): void;
	/** The protocol was changed, as the caller asked: from now on bytes go both ways until either side closes. */
	upgraded(head: readonly string[], connection: Duplex): void;
	/** The call failed; `message` and `stack` are the function's own words, for the log. */
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

/** What a request said about its event. */
export interface EventFields {
	readonly eventId: string | undefined;
	readonly eventType: string | undefined;
	readonly eventTime: string | undefined;
	readonly eventNamespace: string | undefined;
	/** CloudEvents attributes by name */
	readonly attributes: Readonly<Record<string, string>> | undefined;
}

/** A body that is passed on while it comes, not held. */
export interface Upload extends Readable {
	/** what the caller said its length is, in `bytes`; -1: it did not */
	readonly declared: number;
	/** Gives out no more: nobody waits for the call. */
	hold(): void;
}

/** One call on its way through a worker. */
export interface WorkerCall {
	/** the `call` line's fields after the id, as JSON text without braces (PROTOCOL 4.1), in pure ASCII */
	readonly fields: string;
	/** the request's headers as one block (PROTOCOL 2.5) */
	readonly headBlock: string;
	/** the body as it came, in parts; undefined where there is none */
	readonly body: readonly Buffer[] | undefined;
	/** all of the body, in `bytes` */
	readonly bodyLength: number;
	/** a body that is still coming; `body` is undefined then. Workers that speak the wire get none */
	readonly upload: Upload | undefined;

	// The request as it came, for workers that are not told by `fields` and `headBlock`.
	readonly method: string;
	/** path and query, undecoded */
	readonly url: string;
	/** name, value, name, value, … */
	readonly headers: readonly string[];
	/** where the caller's connection came from; empty where it is not known */
	readonly address: string;
	readonly event: EventFields;
	/** the protocol the caller asks to change to */
	readonly upgrade: string | undefined;

	readonly answer: Answer;
	/** the number it has on its worker's wire */
	id: number;
	/** nobody waits for it any more: its answer is thrown away */
	abandoned: boolean;
	/** the caller reads slower than the worker writes */
	paused: boolean;
	/** its answer's head has come, and what is left is a stream */
	begun: boolean;
	/** what its worker keeps of it, if that is more than its id */
	exchange: unknown;
}

/** Why a worker ended, as the metric counts it. */
export type ExitReason = "exit" | "signal" | "protocol" | "timeout" | "load_failed" | "load_timeout" | "replaced" | "idle" | "stopped";

/** What a worker tells its pool. */
export interface WorkerEvents {
	ready(worker: Worker): void;
	/** a call ended, so there is room for another */
	room(worker: Worker): void;
	/** it has not begun these calls, the earliest first, and will not */
	returned(calls: readonly WorkerCall[]): void;
	/** it will take no more calls, and `why` is a sentence for the log */
	gone(worker: Worker, reason: ExitReason, why: string): void;
	/** it could not load the function; `gone` follows */
	failed(worker: Worker, failure: LoadFailure): void;
	/** a line the function printed */
	line(stream: "stdout" | "stderr", text: string, call: WorkerCall | undefined): void;
}

/** Why a function could not be loaded, in the language's own words (PROTOCOL 3.2). */
export interface LoadFailure {
	readonly code: string;
	readonly message: string;
	readonly stack?: string | undefined;
	readonly handlers?: readonly string[] | undefined;
}

/** A process that holds one loaded function and takes calls of it. */
export interface Worker {
	/** the process that is the worker; undefined where each call has its own */
	readonly pid: number | undefined;
	/** all processes the worker has started itself and that still run */
	readonly pids: readonly number[];
	/** the handler's name, once ready */
	readonly handler: string;
	/** calls it takes at once, once ready */
	readonly concurrency: number;
	/** calls it may be sent on top of that, to be begun when those before have ended (PROTOCOL 5.5) */
	readonly ahead: number;
	/** calls it holds, the abandoned ones included */
	readonly inFlight: number;
	/** ready, not on its way out and not in doubt */
	readonly open: boolean;
	/** calls that ran out of time and that it has not let go of yet: while there are any, it is sent no new ones */
	doubts: number;
	/** it has been lent to a call */
	used: boolean;
	/** whether the call has not ended in it yet */
	holds(call: WorkerCall): boolean;
	send(call: WorkerCall): void;
	/** Nobody waits for this call any more (PROTOCOL 6.1). */
	cancel(call: WorkerCall): void;
	/** Those calls that it has not begun come back by `returned`. */
	recall(): void;
	/** The caller reads again. */
	resume(call: WorkerCall): void;
	/** Takes no new calls, finishes those it holds, then ends; `reason` is what its end is counted as. */
	retire(reason: ExitReason): void;
	/** Ends now; the calls it holds fail. */
	kill(reason: ExitReason, why: string): void;
}
