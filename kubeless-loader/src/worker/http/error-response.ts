import type { AnswerFault } from "../contract.ts";

/** With this header a server declares that the call failed, and that the body is for the log. */
const HEADER = "kubeless-error";
const CODES: ReadonlySet<string> = new Set<AnswerFault>(["BODY_MALFORMED", "FUNCTION_THREW", "RESULT_INVALID"]);
/** Bytes of the body that are kept for the log. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * A response by which a server reports a failed call: the code in a header, message and stack in
 * the body.
 */
export class ErrorResponse {
	readonly code: AnswerFault;
	readonly #parts: Buffer[] = [];
	#room = MAX_BODY_BYTES;

	constructor(code: AnswerFault) {
		this.code = code;
	}

	add(bytes: Buffer): void {
		if (this.#room === 0) return;
		const part = bytes.subarray(0, this.#room);
		this.#room -= part.length;
		this.#parts.push(part);
	}

	/** Returns the parsed body: `{ "message": …, "stack": … }`, or plain text that is the message. */
	get details(): { readonly message: string; readonly stack: string | undefined } {
		const text = Buffer.concat(this.#parts).toString();
		try {
			const { message, stack } = JSON.parse(text);
			if (typeof message === "string") return { message, stack: typeof stack === "string" ? stack : undefined };
		} catch {
			// Plain text.
		}
		return { message: text, stack: undefined };
	}
}

/** Returns undefined if a response with these headers is the function's own answer. */
export function errorResponse(head: readonly string[]): ErrorResponse | undefined {
	for (let index = 0; index < head.length; index += 2) {
		const name = head[index] as string;
		if (name.length !== HEADER.length || name.toLowerCase() !== HEADER) continue;
		const code = (head[index + 1] as string).trim();
		return CODES.has(code) ? new ErrorResponse(code as AnswerFault) : undefined;
	}
	return undefined;
}
