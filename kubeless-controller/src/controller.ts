// Ties watches, queue and passes together: a change of an object adds the key of the resource that
// it belongs to.
import type { Logger } from "pino";
import { type Config, parseConfig } from "./api/config.ts";
import { FIELD_MANAGER, keyOf } from "./api/names.ts";
import { type Condition, GROUP, type KubeObject, type Labels, type Resource, SpecError } from "./api/types.ts";
import type { Api } from "./kube/api.ts";
import { Applier } from "./kube/applier.ts";
import { Cache, podResource } from "./kube/cache.ts";
import { findAddOns } from "./kube/capabilities.ts";
import { recordEvent } from "./kube/events.ts";
import { CONFIG_MAPS, MADE, objectPath, PODS, RESOURCES } from "./kube/kinds.ts";
import { Queue } from "./kube/queue.ts";
import type { Timing } from "./kube/reflector.ts";
import { Watches } from "./kube/watches.ts";
import type { Metrics } from "./metrics.ts";
import { reconcile, type Subject, type Tools } from "./reconcile.ts";
import { equal } from "./status.ts";
import { subjects } from "./subjects.ts";

/** News of a made object or a pod often come in groups: they become one pass, in ms. */
const COLLECT_MS = 100;
/** States that every resource passes through: they are no events. */
const PROGRESS = new Set(["Starting", "RollingOut", "NotConfigured", "Suspended", "ScaledToZero", "WaitingForGateway"]);
/** The names of the runtimes, for the admission policy. */
export const RUNTIMES_CONFIG_MAP = "kubeless-runtimes";

export interface ControllerOptions {
	readonly api: Api;
	readonly log: Logger;
	readonly metrics: Metrics;
	/** This replica, for events. */
	readonly identity: string;
	readonly configNamespace: string;
	readonly configName: string;
	readonly concurrency: number;
	/** Variables such as PYTHON3.13_RUNTIME, which replace a runtime's image. */
	readonly imageOverrides: Readonly<Record<string, string>>;
	readonly timing?: Timing;
	/** Pause between two looks for add-ons, in ms. */
	readonly addOnsMs?: number;
	readonly backoff?: { readonly minBackoffMs: number; readonly maxBackoffMs: number };
}

export class Controller {
	readonly #options: ControllerOptions;
	readonly #cache = new Cache();
	readonly #applier: Applier;
	readonly #queue: Queue;
	readonly #subjects: Readonly<Record<string, Subject>>;
	readonly #tools: Tools;
	readonly #watches: Watches;
	#config: Config | SpecError = new SpecError("InvalidConfig", "kubeless-config has not been read yet.");
	#namespace = "";
	#started = false;
	#fail: (error: Error) => void = () => {};

	constructor(options: ControllerOptions) {
		this.#options = options;
		const { api, log, metrics, concurrency, backoff, timing } = options;
		this.#watches = new Watches({
			api,
			onChange: (now, before) => this.#onChange(now, before),
			onRestart: (kind, reason) => {
				metrics.watchRestarts.inc({ kind });
				log.warn({ kind, reason }, "watch restarted");
			},
			timing,
		});
		this.#applier = new Applier(api, this.#cache);
		this.#tools = {
			api,
			applier: this.#applier,
			written: new Map(),
			onCondition: (resource, condition) => this.#onCondition(resource, condition),
		};
		this.#subjects = subjects({
			api,
			applier: this.#applier,
			cache: this.#cache,
			config: () => {
				if (this.#config instanceof SpecError) throw this.#config;
				return this.#config;
			},
			has: (kind) => this.#watches.has(kind),
		});
		this.#queue = new Queue({
			work: (key) => this.#work(key),
			onError: (key, error, retryMs) => log.warn({ key, error: (error as Error).message, retryMs: Math.round(retryMs) }, "pass failed"),
			concurrency,
			...backoff,
		});
		metrics.onCollect(() => ({
			queue: this.#queue.length,
			resources: RESOURCES.map(({ kind }) => [kind, this.#cache.ofKind(kind).length]),
		}));
	}

	/**
	 * Runs until the signal aborts. Throws if it must start anew: the namespace to watch has changed.
	 */
	async run(signal: AbortSignal): Promise<void> {
		const stop = new AbortController();
		const ended = AbortSignal.any([signal, stop.signal]);
		const failed = new Promise<never>((_, reject) => (this.#fail = reject));
		try {
			await Promise.race([this.#start(ended), failed]);
			await Promise.race([this.#followAddOns(ended), failed]);
		} finally {
			stop.abort();
			await this.#queue.stop();
		}
	}

	/** Whether all objects are known and passes run. */
	get started(): boolean {
		return this.#started;
	}

	async #start(signal: AbortSignal): Promise<void> {
		const { api, configNamespace, configName, log } = this.#options;
		const onConfig = (now: KubeObject | undefined) => this.#onConfig(now?.["data"] as Labels | undefined);
		await this.#watches.one(CONFIG_MAPS, configNamespace, configName, onConfig, signal);
		if (this.#config instanceof SpecError && this.#config.message.endsWith("read yet.")) this.#onConfig(undefined);
		const kinds = [...RESOURCES, ...MADE.filter(({ addOn }) => !addOn), PODS, ...(await findAddOns(api))];
		// The functions must be known before anything is done: a trigger whose function is missing
		// removes its objects.
		await Promise.all(kinds.map((kind) => this.#watches.all(kind, this.#namespace, signal)));
		if (signal.aborted) return;
		this.#started = true;
		log.info({ namespace: this.#namespace || "all", functions: this.#cache.ofKind("Function").length }, "controller started");
		this.#addAll();
	}

	#followAddOns(signal: AbortSignal): Promise<void> {
		const { addOnsMs: everyMs, log } = this.#options;
		return this.#watches.pollAddOns(this.#namespace, signal, {
			everyMs,
			changed: (added, gone) => {
				log.info({ added, gone }, "add-ons changed");
				this.#addAll();
			},
			failed: ({ message }) => log.warn({ error: message }, "add-ons cannot be looked up"),
		});
	}

	/** A configuration that cannot be read leaves the previous one in place. */
	#onConfig(data: Labels | undefined): void {
		const { log, imageOverrides } = this.#options;
		const namespace = data?.["functions-namespace"] ?? "";
		if (this.#started && namespace !== this.#namespace) this.#fail(new Error("functions-namespace has changed"));
		this.#namespace = namespace;
		try {
			this.#config = parseConfig(data, imageOverrides);
		} catch (error) {
			if (!(error instanceof SpecError)) throw error;
			if (this.#config instanceof SpecError) this.#config = error;
			log.error({ error: error.message }, "kubeless-config cannot be read, the previous one stays in force");
			return;
		}
		log.info({ runtimes: this.#config.runtimes.length }, "kubeless-config read");
		void this.#publishRuntimes(this.#config);
		if (this.#started) this.#addAll();
	}

	async #publishRuntimes({ runtimes }: Config): Promise<void> {
		const { api, configNamespace, log } = this.#options;
		const metadata = { name: RUNTIMES_CONFIG_MAP, namespace: configNamespace };
		const data = { runtimes: runtimes.map(({ name }) => name).join(",") };
		const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
		await api.apply(objectPath("ConfigMap", configNamespace, RUNTIMES_CONFIG_MAP), object, FIELD_MANAGER).catch((error: Error) => {
			log.warn({ error: error.message }, "the list of runtimes for the admission policy cannot be written");
		});
	}

	#onChange(now: KubeObject | undefined, before: KubeObject | undefined): void {
		const object = (now ?? before) as KubeObject;
		if (now) this.#cache.set(now);
		else this.#cache.remove(object);
		if (!now && !isResource(object)) this.#applier.forget(object);
		if (!this.#started) return;
		if (isResource(object)) this.#onResource(object, now, before);
		else if (object.kind === "Pod") this.#addKnown(podResource(object));
		else
			for (const { apiVersion, kind, name } of object.metadata.ownerReferences ?? []) {
				if (apiVersion.startsWith(`${GROUP}/`)) this.#addKnown(`${kind}/${object.metadata.namespace}/${name}`);
			}
	}

	#onResource(object: KubeObject, now: KubeObject | undefined, before: KubeObject | undefined): void {
		if (!now) this.#tools.written.delete(object.metadata.uid ?? "");
		if (now && before && !isChanged(now, before)) return; // our own status
		if (now) this.#queue.add(keyOf(now), { fresh: true });
		if (object.kind !== "Function") return;
		for (const { kind } of RESOURCES.slice(1)) {
			for (const trigger of this.#cache.ofKind(kind, object.metadata.namespace)) this.#queue.add(keyOf(trigger), { fresh: true });
		}
	}

	#addKnown(key: string | undefined): void {
		if (key && this.#cache.get(key)) this.#queue.add(key, { delayMs: COLLECT_MS });
	}

	#addAll(): void {
		for (const { kind } of RESOURCES) for (const resource of this.#cache.ofKind(kind)) this.#queue.add(keyOf(resource), { fresh: true });
	}

	async #work(key: string): Promise<void> {
		const resource = this.#cache.get(key) as Resource<unknown> | undefined;
		const subject = resource && this.#subjects[resource.kind];
		if (!resource || !subject) return;
		const end = this.#options.metrics.passes.startTimer({ kind: resource.kind });
		let result = "error";
		try {
			await reconcile(resource, subject, this.#tools);
			result = "ok";
		} finally {
			end({ result });
		}
	}

	#onCondition(resource: Resource<unknown>, condition: Condition): void {
		const { api, log, identity } = this.#options;
		const { type, status, reason, message } = condition;
		log.info({ resource: keyOf(resource), type, status, reason, ...(status !== "True" && { message }) }, "condition changed");
		const reports = (status === "False" && !PROGRESS.has(reason)) || (type === "Ready" && status === "True");
		if (!reports) return;
		recordEvent(api, resource, condition, identity).catch((error: Error) => log.warn({ error: error.message }, "event cannot be written"));
	}
}

const isResource = ({ apiVersion }: KubeObject): boolean => apiVersion.startsWith(`${GROUP}/`);

/** Whether more than the status differs. */
function isChanged({ metadata: now }: KubeObject, { metadata: before }: KubeObject): boolean {
	const fields = ["uid", "generation", "labels", "annotations", "finalizers", "deletionTimestamp"] as const;
	return fields.some((field) => !equal(now[field], before[field]));
}
