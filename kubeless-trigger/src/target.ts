// One function, called over HTTP.
import { type Dispatcher, Pool } from "undici";
import type { Target } from "./settings.ts";

/** The answer of a call. */
export type Outcome =
	| { readonly kind: "succeeded"; readonly status: number; readonly headers: Headers; readonly body: Buffer }
	/** The function may have run. */
	| Unsuccessful<"failed">
	/** The function did not run. */
	| Unsuccessful<"refused">;

interface Unsuccessful<Kind> {
	readonly kind: Kind;
	readonly reason: string;
	/** The answer's `Retry-After`, in ms. */
	readonly retryAfterMs?: number | undefined;
}

/** Errors that are raised before a byte of the request is sent. */
const NOT_SENT = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);
/**
 * The loader answers 408 at its own time limit, so this one is for a function that is not behind a
 * loader.
 */
const GRACE_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export class FunctionClient {
	readonly name: string;
	readonly #pool: Pool;
	readonly #path: string;

	/** @param concurrency connections at most */
	constructor({ function: name, url, timeout }: Target, concurrency: number) {
		const { origin, pathname, search } = new URL(url);
		const limitMs = timeout * 1000 + GRACE_MS;
		this.name = name;
		this.#path = pathname + search;
		this.#pool = new Pool(origin, { connections: concurrency, pipelining: 1, headersTimeout: limitMs, bodyTimeout: limitMs });
	}

	/** Calls the function once. It does not throw: the outcome says what happened. */
	call(headers: Record<string, string>, body: Buffer): Promise<Outcome> {
		return new Promise((resolve) => {
			try {
				this.#pool.dispatch({ method: "POST", path: this.#path, headers, body }, new Answer(resolve));
			} catch (error) {
				// The client does not accept a header, or it is closed.
				resolve({ kind: "failed", reason: (error as Error).message });
			}
		});
	}

	close(): Promise<void> {
		return this.#pool.close();
	}
}

type Headers = Record<string, string | string[] | undefined>;

/** Reads the answer of one call. A handler of undici's costs half of what its streams cost. */
class Answer implements Dispatcher.DispatchHandler {
	readonly #resolve: (outcome: Outcome) => void;
	#status = 0;
	#headers: Headers = {};
	readonly #chunks: Buffer[] = [];
	#bytes = 0;

	constructor(resolve: (outcome: Outcome) => void) {
		this.#resolve = resolve;
	}

	onRequestStart(): void {}

	onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
		if (status < 200) return; // informational
		this.#status = status;
		this.#headers = headers;
	}

	/** An answer that is too large is read to its end, so that the connection can be used again. */
	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		this.#bytes += chunk.length;
		if (this.#bytes <= MAX_ANSWER_BYTES) this.#chunks.push(chunk);
	}

	onResponseEnd(): void {
		this.#resolve(this.#outcome());
	}

	onResponseError(_controller: Dispatcher.DispatchController, { code, message }: NodeJS.ErrnoException): void {
		this.#resolve({ kind: NOT_SENT.has(code ?? "") ? "refused" : "failed", reason: message });
	}

	#outcome(): Outcome {
		const [status, headers] = [this.#status, this.#headers];
		if (status >= 200 && status < 300) {
			if (this.#bytes > MAX_ANSWER_BYTES) return { kind: "failed", reason: `the answer is larger than ${MAX_ANSWER_BYTES} bytes` };
			return { kind: "succeeded", status, headers, body: Buffer.concat(this.#chunks) };
		}
		// The loader marks the calls that it did not pass on to the function.
		const kind = headers["kubeless-refused"] === undefined ? "failed" : "refused";
		return { kind, reason: `status ${status}`, retryAfterMs: retryAfterMs(headers["retry-after"]) };
	}
}

/** `Retry-After` is in seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(value: string | string[] | undefined): number | undefined {
	if (typeof value !== "string") return undefined;
	const seconds = Number(value);
	const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
	return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
