// Applies the objects of one owner's plan, one by one and in order, and removes those that the plan
// no longer has.

import { sha256 } from "../api/function.ts";
import { CREATED_BY, FIELD_MANAGER, keyOf, ownerOf } from "../api/names.ts";
import { GROUP, type KubeObject, type ManagedFields, type Resource } from "../api/types.ts";
import { sorted } from "../status.ts";
import { type Api, ApiError, isStatus } from "./api.ts";
import type { Cache } from "./cache.ts";
import { objectPath } from "./kinds.ts";

/**
 * Fields that Kubeless 1.0 wrote by plain updates. As long as they are its own, server-side apply
 * would never remove them.
 */
const OLD_MANAGERS = /^(?:kubeless|function-controller|http-controller|cronjob-controller|Go-http-client)/;
/** Keeps the number of replicas while it passes from the Function to a scaler. */
const HANDOVER_MANAGER = "kubeless-handover";

/** An object of a wanted name belongs to someone else. */
export class ForeignObject extends Error {}
/** The owner was deleted, or deleted and made anew, and the cache does not know yet. */
class OwnerGone extends Error {}

/**
 * Whether an error means that the owner or its namespace is being deleted: there is nothing left to
 * do.
 */
export const isGone = (error: unknown): boolean =>
	error instanceof OwnerGone || (isStatus(error, 403) && (error as Error).message.endsWith("because it is being terminated"));

interface Applied {
	readonly hash: string;
	readonly version: number;
	readonly warnings: readonly string[];
}

export class Applier {
	readonly #api: Api;
	readonly #cache: Cache;
	/**
	 * What was applied last, by the object's key: an object that still has that version needs no
	 * request.
	 */
	readonly #applied = new Map<string, Applied>();

	constructor(api: Api, cache: Cache) {
		this.#api = api;
		this.#cache = cache;
	}

	/** Forgets an object that was deleted. */
	forget(object: KubeObject): void {
		this.#applied.delete(keyOf(object));
	}

	/**
	 * Whether the cache has not caught up with what was applied: the object's status is about an older
	 * version then.
	 */
	isBehind(object: KubeObject): boolean {
		const applied = this.#applied.get(keyOf(object));
		return applied !== undefined && versionOf(object) < applied.version;
	}

	/**
	 * Applies the objects in order. Returns the API server's warnings about them. Throws at the first
	 * that fails.
	 */
	async apply(owner: Resource<unknown>, objects: readonly KubeObject[]): Promise<string[]> {
		const warnings: string[] = [];
		let ownerLives = false;
		for (const object of objects) {
			const key = keyOf(object);
			const hash = sha256(JSON.stringify(sorted(object)));
			const cached = this.#cache.get(key);
			const current = cached && this.#current(key, hash, cached);
			if (current) {
				warnings.push(...current.warnings);
				continue;
			}
			const path = objectPath(object.kind, object.metadata.namespace ?? "", object.metadata.name);
			const live = cached ?? (await this.#api.find(path));
			if (live) assertOurs(live, owner);
			if (!live && !ownerLives) {
				await this.#assertAlive(owner);
				ownerLives = true;
			}
			if (live) await this.#takeOver(path, live, object);
			const answer = await this.#api.apply(path, object, FIELD_MANAGER);
			this.#applied.set(key, { hash, version: versionOf(answer.body), warnings: answer.warnings });
			warnings.push(...answer.warnings);
		}
		return warnings;
	}

	/**
	 * Deletes objects that the owner's last plan had and this one has not. Revisions are no part of a
	 * plan.
	 */
	async prune(owner: Resource<unknown>, objects: readonly KubeObject[]): Promise<void> {
		const wanted = new Set(objects.map(keyOf));
		for (const object of this.#cache.ownedBy(owner)) {
			if (wanted.has(keyOf(object)) || object.kind === "ControllerRevision" || object.metadata.deletionTimestamp) continue;
			await this.remove(object);
		}
	}

	async remove({ kind, metadata: { name, namespace = "", uid } }: KubeObject): Promise<void> {
		const body = { propagationPolicy: "Background", preconditions: { uid } };
		try {
			await this.#api.send("DELETE", objectPath(kind, namespace, name), { body });
		} catch (error) {
			// 409: there is another object of that name by now.
			if (!isStatus(error, 404, 409)) throw error;
		}
	}

	/** Returns what was applied last, if it is what is wanted and it has not been changed since. */
	#current(key: string, hash: string, cached: KubeObject): Applied | undefined {
		const applied = this.#applied.get(key);
		// The cache may still be behind the answer to our own request.
		const unchanged = applied?.hash === hash && versionOf(cached) <= applied.version && !cached.metadata.deletionTimestamp;
		return unchanged ? applied : undefined;
	}

	/**
	 * Without this check a Function that is gone, but still in the cache, would race with the garbage
	 * collector for ever.
	 */
	async #assertAlive({ kind, metadata: { name, namespace, uid } }: Resource<unknown>): Promise<void> {
		const live = await this.#api.find(objectPath(kind, namespace, name));
		if (live?.metadata.uid !== uid || live?.metadata.deletionTimestamp) throw new OwnerGone(`${kind} ${namespace}/${name} is gone`);
	}

	/**
	 * Prepares fields that other managers have: those of Kubeless 1.0 become ours, a scaler's replicas
	 * stay.
	 */
	async #takeOver(path: string, live: KubeObject, wanted: KubeObject): Promise<void> {
		const { managedFields = [] } = live.metadata;
		const ours = managedFields.find(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
		if (!ours) return managedFields.some(isOld) ? this.#adopt(path) : undefined;
		const { replicas } = (live.spec ?? {}) as { replicas?: number };
		const handsOver = live.kind === "Deployment" && ownsReplicas(ours) && (wanted.spec as { replicas?: number }).replicas === undefined;
		if (handsOver && replicas) {
			const { apiVersion, kind, metadata } = live;
			const claim = { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, spec: { replicas } };
			await this.#api.apply(path, claim, HANDOVER_MANAGER);
		}
	}

	/**
	 * Makes the newest entry of Kubeless 1.0 ours, so that what it set and we do not set is removed.
	 */
	async #adopt(path: string): Promise<void> {
		const { managedFields = [] } = (await this.#api.get(path)).metadata;
		const [newest] = managedFields.filter(isOld).sort((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1));
		if (!newest) return;
		const kept = managedFields.filter((entry) => !isOld(entry));
		const body = { metadata: { managedFields: [...kept, { ...newest, manager: FIELD_MANAGER, operation: "Apply" }] } };
		await this.#api.send("PATCH", path, { body, type: "application/merge-patch+json" });
	}
}

/**
 * An object is ours if it has our owner, an owner of that name that was deleted, or if Kubeless
 * made it and no other resource of ours did.
 */
function assertOurs(live: KubeObject, owner: Resource<unknown>): void {
	const { labels = {}, ownerReferences = [], name, namespace } = live.metadata;
	const { uid, kind, name: ownerName } = ownerOf(owner);
	const owners = ownerReferences.filter(({ apiVersion }) => apiVersion.startsWith(`${GROUP}/`));
	if (owners.some((other) => other.uid === uid || (other.kind === kind && other.name === ownerName))) return;
	const made = Object.entries(CREATED_BY).every(([label, value]) => labels[label] === value);
	if (made && ownerReferences.length === 0) return;
	const whose = owners[0] ? `belongs to the ${owners[0].kind} ${owners[0].name}` : "was not made by Kubeless";
	throw new ForeignObject(
		`${live.kind} ${namespace}/${name} ${whose}. It is left as it is. Rename the ${kind}, or remove the ${live.kind}.`,
	);
}

const isOld = ({ manager = "", operation, subresource }: ManagedFields): boolean =>
	operation === "Update" && !subresource && OLD_MANAGERS.test(manager);

const ownsReplicas = ({ fieldsV1 }: ManagedFields): boolean => {
	const spec = fieldsV1?.["f:spec"] as Record<string, unknown> | undefined;
	return spec !== undefined && "f:replicas" in spec;
};

/**
 * Changes of an object's status do not count, where the API server counts generations. Versions of
 * one kind are ordered numbers.
 */
const versionOf = ({ metadata: { generation, resourceVersion } }: KubeObject): number => generation ?? Number(resourceVersion ?? 0);

/**
 * Server-side apply answers 500 for a field that does not exist and for a value of a wrong type.
 */
const UNREADABLE = /^failed to (?:create typed patch object|convert new object)/;

/** Returns a condition's reason and message for an error of a pass. */
export function failureOf(error: unknown): { reason: string; message: string } {
	const { message } = error as Error;
	if (error instanceof ForeignObject) return { reason: "Conflict", message };
	if (!(error instanceof ApiError)) return { reason: "ApiUnreachable", message: `The API server cannot be reached: ${message}` };
	if (error.status === 403 && message.includes("exceeded quota"))
		return { reason: "QuotaExceeded", message: `${message}. Raise the quota, or lower the function's requests.` };
	if (error.status === 403)
		return { reason: "Forbidden", message: `${message}. Check the controller's Role and the namespace's policies.` };
	if (error.status === 422 || error.status === 400 || UNREADABLE.test(message))
		return { reason: "InvalidObject", message: `The API server refuses the object: ${message}` };
	if (error.status === 404) return { reason: "NotFound", message };
	return { reason: error.reason || "ApiError", message };
}
