// One function, called over HTTP.
import { Pool } from "undici";
import type { Target } from "./settings.ts";

/** The answer of a call. */
export type Outcome =
	| { readonly kind: "succeeded"; readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer }
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
	async call(headers: Record<string, string>, body: Buffer): Promise<Outcome> {
		try {
			const { statusCode, headers: answered, body: stream } = await this.#pool.request({ method: "POST", path: this.#path, headers, body });
			const answer = await read(stream);
			if (statusCode >= 200 && statusCode < 300) {
				if (answer === undefined) return { kind: "failed", reason: `the answer is larger than ${MAX_ANSWER_BYTES} bytes` };
				return { kind: "succeeded", status: statusCode, headers: flat(answered), body: answer };
			}
			// The loader marks the calls that it did not pass on to the function.
			const kind = answered["kubeless-refused"] === undefined ? "failed" : "refused";
			return { kind, reason: `status ${statusCode}`, retryAfterMs: retryAfterMs(answered["retry-after"]) };
		} catch (error) {
			const { code, message } = error as NodeJS.ErrnoException;
			return { kind: NOT_SENT.has(code ?? "") ? "refused" : "failed", reason: message };
		}
	}

	close(): Promise<void> {
		return this.#pool.close();
	}
}

type Headers = Record<string, string | string[] | undefined>;

const flat = (headers: Headers): Record<string, string> =>
	Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]));

/**
 * Returns undefined for a body that is too large; the rest of it is read and dropped, so that the
 * connection can be used again.
 */
async function read(stream: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of stream) {
		bytes += chunk.length;
		if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
	}
	return bytes <= MAX_ANSWER_BYTES ? Buffer.concat(chunks) : undefined;
}

/** `Retry-After` is in seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(value: string | string[] | undefined): number | undefined {
	if (typeof value !== "string") return undefined;
	const seconds = Number(value);
	const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
	return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
