import type { AnswerFault } from "./contract.ts";

/** The header by which a server says that what it sends is for the log: why the call failed. */
const HEADER = "kubeless-error";
const CODES: ReadonlySet<string> = new Set<AnswerFault>(["BODY_MALFORMED", "FUNCTION_THREW", "RESULT_INVALID"]);
/** Of a report's body so many `bytes` are kept. */
const KEPT = 64 * 1024;

/** Why a call failed, as a server tells it: the code in a header, the words in the body. */
export class Report {
	readonly code: AnswerFault;
	readonly #parts: Buffer[] = [];
	#room = KEPT;

	constructor(code: AnswerFault) {
		this.code = code;
	}

	add(bytes: Buffer): void {
		if (this.#room === 0) return;
		const part = bytes.subarray(0, this.#room);
		this.#room -= part.length;
		this.#parts.push(part);
	}

	/** `{ "message": …, "stack": … }`, or a text that is the message. */
	get words(): { readonly message: string; readonly stack: string | undefined } {
		const text = Buffer.concat(this.#parts).toString();
		try {
			const { message, stack } = JSON.parse(text);
			if (typeof message === "string") return { message, stack: typeof stack === "string" ? stack : undefined };
		} catch {
			// It is a text.
		}
		return { message: text, stack: undefined };
	}
}

/** The report that an answer with these headers is; undefined: it is an answer. */
export function reportOf(head: readonly string[]): Report | undefined {
	for (let index = 0; index < head.length; index += 2) {
		const name = head[index] as string;
		if (name.length !== HEADER.length || name.toLowerCase() !== HEADER) continue;
		const code = (head[index + 1] as string).trim();
		return CODES.has(code) ? new Report(code as AnswerFault) : undefined;
	}
	return undefined;
}
