// Keeps a copy of a kind's objects: one list, then a watch from there. It never ends by itself: a
// watch that breaks, is silent or too old (410 Gone) starts again, and a list every now and then
// finds what a watch may have lost.
import type { KubeObject } from "../api/types.ts";
import { type Api, ApiError, isStatus, type Query } from "./api.ts";
import { type Kind, listPath } from "./kinds.ts";

export interface Timing {
	/**
	 * The server ends a watch after this time, in s; the actual one is up to twice as long, so that
	 * watches do not end together.
	 */
	readonly watchSeconds: number;
	/**
	 * The server sends a bookmark about every minute. A watch without any news for this time is dead,
	 * in ms.
	 */
	readonly silenceMs: number;
	/** Age of the list at which a watch's end leads to a new list, in ms. */
	readonly relistMs: number;
	readonly minBackoffMs: number;
	readonly maxBackoffMs: number;
}

export const TIMING: Timing = { watchSeconds: 300, silenceMs: 150_000, relistMs: 1_800_000, minBackoffMs: 500, maxBackoffMs: 30_000 };
/** Objects in one answer of a list. */
const PAGE = 500;
/** A watch that ends sooner counts as a failure, in ms. */
const MIN_WATCH_MS = 500;

export interface ReflectorOptions {
	readonly api: Api;
	readonly kind: Kind;
	/** Empty: all namespaces. */
	readonly namespace: string;
	/** Restricts the objects further, such as to one name. */
	readonly fieldSelector?: string;
	/** @param now undefined: deleted @param before undefined: new */
	readonly onChange: (now: KubeObject | undefined, before: KubeObject | undefined) => void;
	readonly onRestart: (kind: string, reason: string) => void;
	readonly timing?: Timing;
}

interface List {
	metadata: { resourceVersion: string; continue?: string };
	items: KubeObject[];
}

export class Reflector {
	readonly #options: ReflectorOptions & { timing: Timing };
	readonly #objects = new Map<string, KubeObject>();
	readonly #query: Query;
	#markSynced = (): void => {};
	#markRefused = (): void => {};
	/** Resolves after the first list. */
	readonly synced: Promise<void> = new Promise((resolve) => (this.#markSynced = resolve));
	/**
	 * Resolves when the API server has refused a list: the kind does not exist, or may not be read.
	 */
	readonly refused: Promise<void> = new Promise((resolve) => (this.#markRefused = resolve));

	constructor(options: ReflectorOptions) {
		this.#options = { timing: TIMING, ...options };
		this.#query = { labelSelector: options.kind.selector, fieldSelector: options.fieldSelector };
	}

	get objects(): Iterable<KubeObject> {
		return this.#objects.values();
	}

	/** Runs until the signal aborts. */
	async run(signal: AbortSignal): Promise<void> {
		const { timing, onRestart, kind } = this.#options;
		let version: string | undefined;
		let listedAt = 0;
		let failures = 0;
		while (!signal.aborted) {
			try {
				if (version === undefined || Date.now() - listedAt > timing.relistMs) {
					version = await this.#list(signal);
					listedAt = Date.now();
					this.#markSynced();
				}
				const startedAt = Date.now();
				for await (const next of this.#watch(version, signal)) {
					version = next;
					failures = 0;
				}
				if (Date.now() - startedAt < MIN_WATCH_MS) throw new Error("the watch ended at once");
			} catch (error) {
				if (signal.aborted) return;
				// A broken connection continues from the last version; an answer that refuses the version, or
				// anything else, lists anew.
				if (error instanceof ApiError || failures > 2) version = undefined;
				if (isStatus(error, 403, 404)) this.#markRefused();
				onRestart(kind.kind, (error as Error).message);
				const pause =
					error instanceof ApiError && error.status === 410 && failures === 0 ? 0 : timing.minBackoffMs * 2 ** Math.min(failures, 10);
				failures++;
				await sleep(Math.min(timing.maxBackoffMs, pause) * (0.5 + Math.random() / 2), signal);
			}
		}
	}

	async #list(signal: AbortSignal): Promise<string> {
		const { api, kind, namespace } = this.#options;
		const found = new Map<string, KubeObject>();
		let next: string | undefined;
		let version: string;
		do {
			const query: Query = { ...this.#query, limit: PAGE, continue: next };
			const { body } = await api.send<List>("GET", listPath(kind, namespace), { query, signal });
			// Items of a list come without apiVersion and kind.
			for (const item of body.items) found.set(keyIn(item), this.#trimmed(item));
			next = body.metadata.continue;
			version = body.metadata.resourceVersion;
		} while (next);
		for (const [key, before] of [...this.#objects]) if (!found.has(key)) this.#remove(key, before);
		for (const [key, object] of found) this.#set(key, object);
		return version;
	}

	/** Yields the version after each event. */
	async *#watch(resourceVersion: string, signal: AbortSignal): AsyncGenerator<string> {
		const { api, kind, namespace, timing } = this.#options;
		const timeoutSeconds = Math.round(timing.watchSeconds * (1 + Math.random()));
		const query: Query = { ...this.#query, resourceVersion, allowWatchBookmarks: true, timeoutSeconds };
		for await (const { type, object } of api.watch(listPath(kind, namespace), query, timing.silenceMs, signal)) {
			if (type === "ERROR") {
				const { code, reason, message } = object as unknown as { code?: number; reason?: string; message?: string };
				throw new ApiError(code ?? 500, reason ?? "", message ?? "the watch failed");
			}
			const key = type === "BOOKMARK" ? "" : keyIn(object);
			if (type === "DELETED") this.#remove(key, this.#trimmed(object));
			else if (type !== "BOOKMARK") this.#set(key, this.#trimmed(object));
			yield object.metadata.resourceVersion ?? resourceVersion;
		}
	}

	#trimmed(object: KubeObject): KubeObject {
		const { apiVersion, kind, trim } = this.#options.kind;
		return trim({ ...object, apiVersion, kind });
	}

	#set(key: string, object: KubeObject): void {
		const before = this.#objects.get(key);
		if (before && before.metadata.resourceVersion !== undefined && before.metadata.resourceVersion === object.metadata.resourceVersion)
			return;
		this.#objects.set(key, object);
		this.#options.onChange(object, before);
	}

	#remove(key: string, object: KubeObject): void {
		if (!this.#objects.delete(key)) return;
		this.#options.onChange(undefined, object);
	}
}

const keyIn = ({ metadata: { namespace = "", name } }: KubeObject): string => `${namespace}/${name}`;

/** Resolves after a time, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", done);
			resolve();
		};
		const timer = setTimeout(done, ms);
		signal?.addEventListener("abort", done);
		if (signal?.aborted) done();
	});
}
