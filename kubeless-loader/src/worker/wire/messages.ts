// The messages of a worker, as types. A line is checked here, once, against the rules for its type.
import type { AnswerFault, LoadFailure } from "../contract.ts";
import { isCount, type Line, WireError } from "./frames.ts";

/** The wire's version (PROTOCOL 8.1). */
export const WIRE_VERSION = 1;

/** The whole answer (PROTOCOL 4.4). */
export interface ResultMessage {
	readonly type: "result";
	readonly id: unknown;
	readonly status?: number;
}

/** The beginning of a streamed answer (PROTOCOL 4.5). */
export interface HeadMessage {
	readonly type: "head";
	readonly id: unknown;
	readonly status?: number;
}

/** A piece of a streamed answer, its end, or a call that was given back (PROTOCOL 4.5, 5.5). */
export interface CallMessage<Type extends "chunk" | "end" | "withdrawn"> {
	readonly type: Type;
	readonly id: unknown;
}

/** A failed call (PROTOCOL 4.6). */
export interface ErrorMessage {
	readonly type: "error";
	readonly id: unknown;
	readonly code: AnswerFault;
	readonly message: string;
	readonly stack: string | undefined;
}

/** Lines that the function printed (PROTOCOL 7.1). */
export interface LogMessage {
	readonly type: "log";
	readonly id: unknown;
	readonly stream: "stdout" | "stderr";
}

/** The function is loaded (PROTOCOL 3.2). */
export interface ReadyMessage {
	readonly type: "ready";
	readonly wire: unknown;
	readonly concurrency: number | undefined;
	readonly ahead: number;
	/** it takes an envelope beside the data in it (PROTOCOL 4.11) */
	readonly envelopes: boolean;
}

/** The function could not be loaded (PROTOCOL 3.2). */
export interface FailedMessage {
	readonly type: "failed";
	readonly failure: LoadFailure;
}

/** `id` is not checked here: whether it names an open call is for the table of calls to say. */
export type WorkerMessage =
	| ResultMessage
	| HeadMessage
	| CallMessage<"chunk">
	| CallMessage<"end">
	| CallMessage<"withdrawn">
	| ErrorMessage
	| LogMessage
	| ReadyMessage
	| FailedMessage;

/**
 * Checks the fields of a line for its type; the types of most frames come first. Fields that are
 * for the log alone are left out if they are not text.
 * @throws {WireError} if the type is not one of a worker's, or a field breaks its rule
 */
export function workerMessage(line: Line): WorkerMessage {
	switch (line.type) {
		case "result":
		case "head": {
			const { status = 200 } = line;
			// 1xx are for the loader to send: to a caller they are not an answer.
			if (!isCount(status, 999) || status < 200) throw new WireError("4.4", `status is ${JSON.stringify(status)}`);
			return line as ResultMessage | HeadMessage;
		}
		case "chunk":
		case "end":
		case "withdrawn":
			return line as CallMessage<"chunk">;
		case "error": {
			const { id, code, message, stack } = line;
			return { type: "error", id, code: faultOf(code), message: textOf(message) ?? "", stack: textOf(stack) };
		}
		case "log":
			return { type: "log", id: line.id, stream: line["stream"] === "stderr" ? "stderr" : "stdout" };
		case "ready": {
			const { wire, concurrency, ahead = 0, envelopes = false } = line;
			// Another version may give the other fields another meaning (PROTOCOL 8.2).
			if (wire !== WIRE_VERSION) return { type: "ready", wire, concurrency: undefined, ahead: 0, envelopes: false };
			if (!isCount(ahead)) throw new WireError("3.2", `ahead is ${JSON.stringify(ahead)}`);
			if (concurrency !== undefined && !(isCount(concurrency) && concurrency > 0))
				throw new WireError("3.2", `concurrency is ${JSON.stringify(concurrency)}`);
			if (typeof envelopes !== "boolean") throw new WireError("3.2", `envelopes is ${JSON.stringify(envelopes)}`);
			return { type: "ready", wire, concurrency, ahead, envelopes };
		}
		case "failed": {
			const { code, message, stack, handlers } = line;
			return {
				type: "failed",
				failure: {
					code: textOf(code) ?? "HANDLER_FAILED_TO_LOAD",
					message: textOf(message) ?? "the worker gave no reason",
					stack: textOf(stack),
					handlers: Array.isArray(handlers) ? handlers.filter((name) => typeof name === "string") : undefined,
				},
			};
		}
		default:
			throw new WireError("2.2", `a worker does not send ${JSON.stringify(line.type)}`);
	}
}

function faultOf(code: unknown): AnswerFault {
	switch (code) {
		case "BODY_MALFORMED":
		case "RESULT_INVALID":
			return code;
		case "CANCELLED":
			return "CALLER_GONE";
		default:
			return "FUNCTION_THREW";
	}
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
