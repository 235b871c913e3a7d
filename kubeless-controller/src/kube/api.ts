// Requests to the API server: JSON in, JSON out, an ApiError for every answer that is not 2xx.
import { type Dispatcher, request } from "undici";
import type { KubeObject } from "../api/types.ts";
import type { Cluster, Credentials } from "./credentials.ts";

/**
 * A service account's token is renewed in its file after 80 % of its life, which is at least 10
 * minutes.
 */
const CREDENTIALS_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type PatchType = "application/merge-patch+json" | "application/json-patch+json" | "application/apply-patch+yaml";

export interface Answer<T> {
	readonly body: T;
	/** Warnings about an object that the API server accepts nevertheless. */
	readonly warnings: readonly string[];
}

export interface WatchEvent {
	readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
	readonly object: KubeObject;
}

export class ApiError extends Error {
	readonly status: number;
	readonly reason: string;

	constructor(status: number, reason: string, message: string) {
		super(message);
		this.status = status;
		this.reason = reason;
	}
}

export interface Request {
	readonly query?: Query;
	readonly body?: unknown;
	readonly type?: PatchType;
	readonly signal?: AbortSignal;
}

export interface ApiOptions {
	readonly userAgent?: string;
	readonly onRequest?: (method: string, status: number) => void;
}

export class Api {
	readonly #cluster: Cluster;
	readonly #userAgent: string;
	readonly #onRequest: (method: string, status: number) => void;
	#credentials: Promise<Credentials> | undefined;
	#loadedAt = 0;

	constructor(cluster: Cluster, { userAgent = "kubeless-controller", onRequest = () => {} }: ApiOptions = {}) {
		this.#cluster = cluster;
		this.#userAgent = userAgent;
		this.#onRequest = onRequest;
	}

	get<T = KubeObject>(path: string, query?: Query): Promise<T> {
		return this.send<T>("GET", path, { ...(query && { query }) }).then(({ body }) => body);
	}

	/** Returns the object, or undefined if there is none. */
	async find(path: string): Promise<KubeObject | undefined> {
		try {
			return await this.get(path);
		} catch (error) {
			if (isStatus(error, 404)) return undefined;
			throw error;
		}
	}

	/**
	 * Creates or changes an object by server-side apply. Fields of other managers stay, fields that we
	 * do not state any more go.
	 */
	apply(path: string, object: unknown, fieldManager: string): Promise<Answer<KubeObject>> {
		return this.send("PATCH", path, { body: object, query: { fieldManager, force: true }, type: "application/apply-patch+yaml" });
	}

	async send<T = KubeObject>(method: Dispatcher.HttpMethod, path: string, { query, body, type, signal }: Request = {}): Promise<Answer<T>> {
		const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
		const response = await this.#request(method, path, query, signal ? AbortSignal.any([signal, timeout]) : timeout, body, type);
		const text = await response.body.text();
		this.#check(method, response.statusCode, text);
		return { body: JSON.parse(text) as T, warnings: warningsOf(response.headers["warning"]) };
	}

	/**
	 * Yields the events of a watch until the server ends it. Throws if the connection breaks, or is
	 * silent for `silenceMs`.
	 */
	async *watch(path: string, query: Query, silenceMs: number, signal: AbortSignal): AsyncGenerator<WatchEvent> {
		const silence = new AbortController();
		const timer = setTimeout(() => silence.abort(new Error(`the watch was silent for ${silenceMs} ms`)), silenceMs);
		try {
			const response = await this.#request("GET", path, { ...query, watch: true }, AbortSignal.any([signal, silence.signal]));
			if (response.statusCode !== 200) this.#check("WATCH", response.statusCode, await response.body.text());
			this.#onRequest("WATCH", response.statusCode);
			let rest = "";
			const decoder = new TextDecoder();
			for await (const chunk of response.body) {
				timer.refresh();
				const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
				rest = lines.pop() ?? "";
				for (const line of lines) yield JSON.parse(line) as WatchEvent;
			}
		} finally {
			clearTimeout(timer);
			silence.abort();
		}
	}

	async #request(
		method: Dispatcher.HttpMethod,
		path: string,
		query: Query = {},
		signal: AbortSignal,
		body?: unknown,
		type?: PatchType,
	): Promise<Dispatcher.ResponseData> {
		const { headers, dispatcher } = await this.#fresh();
		const url = new URL(this.#cluster.server + path);
		for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
		const contentType = body === undefined ? {} : { "content-type": type ?? "application/json" };
		return request(url, {
			method,
			headers: { ...headers, ...contentType, accept: "application/json", "user-agent": this.#userAgent },
			body: body === undefined ? null : JSON.stringify(body),
			signal,
			// A watch sends its next bytes whenever there is news: `silenceMs` limits that.
			bodyTimeout: 0,
			...(dispatcher && { dispatcher }),
		});
	}

	#check(method: string, status: number, text: string): void {
		this.#onRequest(method, status);
		if (status < 300) return;
		if (status === 401) this.#credentials = undefined;
		let answer: { reason?: string; message?: string } = {};
		try {
			answer = JSON.parse(text);
		} catch {
			answer = { message: text.trim() }; // a proxy's answer
		}
		throw new ApiError(status, answer.reason ?? "", answer.message || `the API server answered ${status}`);
	}

	#fresh(): Promise<Credentials> {
		if (!this.#credentials || Date.now() - this.#loadedAt > CREDENTIALS_MS) {
			const previous = this.#credentials;
			this.#loadedAt = Date.now();
			this.#credentials = this.#cluster.credentials();
			this.#credentials.catch(() => (this.#credentials = undefined));
			// Running watches keep their connection; close() waits for them.
			previous?.then(({ dispatcher }) => dispatcher?.close()).catch(() => {});
		}
		return this.#credentials as Promise<Credentials>;
	}
}

export const isStatus = (error: unknown, ...statuses: number[]): boolean => error instanceof ApiError && statuses.includes(error.status);

/** Returns the texts of `Warning: 299 - "…"` headers (RFC 7234, 5.5). */
function warningsOf(header: string | string[] | undefined): string[] {
	if (header === undefined) return [];
	return [header]
		.flat()
		.flatMap((line) => [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1")));
}
