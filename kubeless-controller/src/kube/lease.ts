// Leader election by a Lease (coordination.k8s.io/v1): of several replicas one works, the others
// wait. The rules are client-go's: a replica takes a Lease that was not renewed for its duration as
// seen by the replica's own clock, and stops when it cannot renew its own.
import { type Api, isStatus } from "./api.ts";
import { sleep } from "./reflector.ts";

export interface LeaseOptions {
	readonly api: Api;
	readonly namespace: string;
	readonly name: string;
	/** This replica: the pod's name. */
	readonly identity: string;
	/** A Lease that was not renewed for this time is free, in ms. */
	readonly durationMs?: number;
	/** The holder gives up if it could not renew for this time, in ms: less than the duration. */
	readonly renewDeadlineMs?: number;
	/** Pause between two tries, in ms. */
	readonly retryMs?: number;
}

interface LeaseSpec {
	holderIdentity?: string;
	leaseDurationSeconds?: number;
	acquireTime?: string;
	renewTime?: string;
	leaseTransitions?: number;
}

interface LeaseObject {
	apiVersion: string;
	kind: string;
	metadata: { name: string; namespace: string; resourceVersion?: string };
	spec?: LeaseSpec;
}

export class Lease {
	readonly #options: Required<LeaseOptions>;
	/** The renewal that was seen last, and when: another machine's clock does not count. */
	#seen = { renewal: "", at: 0 };
	#renewedAt = 0;
	holds = false;
	/** Whether the API server has answered about the Lease. */
	seen = false;

	constructor(options: LeaseOptions) {
		this.#options = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, ...options };
	}

	/**
	 * Resolves when this replica holds the Lease; earlier if the signal aborts. @param onError called
	 * for tries that failed
	 */
	async acquire(signal: AbortSignal, onError: (error: Error) => void): Promise<void> {
		while (!signal.aborted) {
			try {
				if (await this.#try()) return;
			} catch (error) {
				onError(error as Error);
			}
			await sleep(this.#options.retryMs * (1 + Math.random() / 5), signal);
		}
	}

	/**
	 * Renews until the signal aborts. Throws if another replica holds the Lease, or if it could not be
	 * renewed in time.
	 */
	async keep(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await sleep(this.#options.retryMs, signal);
			if (signal.aborted) return;
			const answered = new AbortController();
			const failure = await Promise.race([
				this.#try().then(
					(held) => (held ? undefined : "another replica holds it"),
					(error: Error) => (performance.now() - this.#renewedAt > this.#options.renewDeadlineMs ? error.message : undefined),
				),
				// A request waits longer than the Lease lasts.
				sleep(this.#options.renewDeadlineMs, answered.signal).then(() => "the API server does not answer"),
			]);
			answered.abort();
			if (failure === undefined) continue;
			this.holds = false;
			throw new Error(`lost the Lease ${this.#options.name}: ${failure}`);
		}
	}

	/** Frees the Lease, so that another replica need not wait for its end. */
	async release(): Promise<void> {
		if (!this.holds) return;
		this.holds = false;
		const lease = (await this.#options.api.get(this.#path())) as unknown as LeaseObject;
		if (lease.spec?.holderIdentity !== this.#options.identity) return;
		await this.#put({ ...lease, spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now() } });
	}

	/** Returns whether this replica holds the Lease now. */
	async #try(): Promise<boolean> {
		const startedAt = performance.now();
		const lease = await this.#options.api.find(this.#path()).then((found) => found as unknown as LeaseObject | undefined);
		this.seen = true;
		if (lease && !this.#isFree(lease.spec ?? {})) {
			this.holds = false;
			return false;
		}
		try {
			await this.#put(this.#mine(lease));
		} catch (error) {
			// Another replica was faster.
			if (!isStatus(error, 409)) throw error;
			this.holds = false;
			return false;
		}
		this.#renewedAt = startedAt;
		this.holds = true;
		return true;
	}

	#isFree({ holderIdentity, renewTime = "" }: LeaseSpec): boolean {
		if (!holderIdentity || holderIdentity === this.#options.identity) return true;
		const renewal = `${holderIdentity} ${renewTime}`;
		if (renewal !== this.#seen.renewal) this.#seen = { renewal, at: performance.now() };
		return performance.now() - this.#seen.at > this.#options.durationMs;
	}

	#mine(lease: LeaseObject | undefined): LeaseObject {
		const { identity, durationMs, name, namespace } = this.#options;
		const { spec = {} } = lease ?? {};
		const renews = spec.holderIdentity === identity;
		return {
			apiVersion: "coordination.k8s.io/v1",
			kind: "Lease",
			metadata: lease?.metadata ?? { name, namespace },
			spec: {
				holderIdentity: identity,
				leaseDurationSeconds: Math.ceil(durationMs / 1000),
				acquireTime: (renews && spec.acquireTime) || now(),
				renewTime: now(),
				leaseTransitions: (spec.leaseTransitions ?? 0) + (renews ? 0 : 1),
			},
		};
	}

	async #put(lease: LeaseObject): Promise<void> {
		const exists = lease.metadata.resourceVersion !== undefined;
		const path = this.#path();
		await this.#options.api.send(exists ? "PUT" : "POST", exists ? path : path.slice(0, path.lastIndexOf("/")), { body: lease });
	}

	#path(): string {
		const { namespace, name } = this.#options;
		return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
	}
}

/** Returns the time as a MicroTime. */
const now = (): string => new Date().toISOString().replace("Z", "000Z");
