// All watches of the controller: one per kind, and those of add-ons as the cluster gets and loses
// them. A kind that the API server refuses to list must not stop the others.
import type { KubeObject } from "../api/types.ts";
import type { Api } from "./api.ts";
import { findAddOns } from "./capabilities.ts";
import type { Kind } from "./kinds.ts";
import { Reflector, sleep, type Timing } from "./reflector.ts";

/** Receives a change of an object. `now` is undefined if it was deleted, `before` if it is new. */
export type OnChange = (now: KubeObject | undefined, before: KubeObject | undefined) => void;

export interface WatchesOptions {
	readonly api: Api;
	readonly onChange: OnChange;
	/** A watch broke and begins again. */
	readonly onRestart: (kind: string, reason: string) => void;
	readonly timing: Timing | undefined;
}

const ADD_ONS_MS = 30_000;
/** The longest time of a timer: about 25 days. */
const FOR_EVER_MS = 2 ** 31 - 1;

export class Watches {
	readonly #options: WatchesOptions;
	readonly #addOns = new Map<string, AbortController>();

	constructor(options: WatchesOptions) {
		this.#options = options;
	}

	/** True if the cluster has the kind of an add-on, and it is watched. */
	has(kind: string): boolean {
		return this.#addOns.has(kind);
	}

	/** Watches one object. Resolves when it is known, or known not to exist. */
	async one(kind: Kind, namespace: string, name: string, onChange: OnChange, signal: AbortSignal): Promise<void> {
		const reflector = this.#reflector(kind, namespace, onChange, `metadata.name=${name}`);
		void reflector.run(signal);
		await settled(reflector, signal);
	}

	/**
	 * Watches a kind. Resolves when its objects are known, or when the API server refuses to list
	 * them. An empty namespace means all.
	 */
	async all(kind: Kind, namespace: string, signal: AbortSignal): Promise<void> {
		const stop = new AbortController();
		if (kind.addOn) this.#addOns.set(kind.kind, stop);
		const ended = AbortSignal.any([signal, stop.signal]);
		const reflector = this.#reflector(kind, namespace, this.#options.onChange);
		void reflector.run(ended);
		await (kind.kind === "Function" ? Promise.race([reflector.synced, sleep(FOR_EVER_MS, ended)]) : settled(reflector, ended));
	}

	/** Looks for add-ons until the signal aborts. `changed` gets the kinds that came and went. */
	async pollAddOns(
		namespace: string,
		signal: AbortSignal,
		{ everyMs = ADD_ONS_MS, changed, failed }: AddOnEvents & { readonly everyMs: number | undefined },
	): Promise<void> {
		for (;;) {
			await sleep(everyMs, signal);
			if (signal.aborted) return;
			try {
				const found = await findAddOns(this.#options.api);
				const names = new Set(found.map(({ kind }) => kind));
				const gone = [...this.#addOns.keys()].filter((kind) => !names.has(kind));
				const added = found.filter(({ kind }) => !this.#addOns.has(kind));
				for (const kind of gone) {
					this.#addOns.get(kind)?.abort();
					this.#addOns.delete(kind);
				}
				await Promise.all(added.map((kind) => this.all(kind, namespace, signal)));
				if (gone.length + added.length > 0)
					changed(
						added.map(({ kind }) => kind),
						gone,
					);
			} catch (error) {
				failed(error as Error);
			}
		}
	}

	#reflector(kind: Kind, namespace: string, onChange: OnChange, fieldSelector?: string): Reflector {
		const { api, onRestart, timing } = this.#options;
		return new Reflector({ api, kind, namespace, onChange, onRestart, ...(fieldSelector && { fieldSelector }), ...(timing && { timing }) });
	}
}

export interface AddOnEvents {
	readonly changed: (added: readonly string[], gone: readonly string[]) => void;
	/** The add-ons could not be looked up; the next look follows. */
	readonly failed: (error: Error) => void;
}

/** Resolves when the objects are known, or when the API server refuses to list them. */
const settled = ({ synced, refused }: Reflector, signal: AbortSignal): Promise<void> =>
	Promise.race([synced, refused, sleep(FOR_EVER_MS, signal)]);
