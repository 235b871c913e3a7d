// One pass for one resource: plan, apply, prune, report. It knows no kind: what is special about
// one comes as a Subject.

import { FIELD_MANAGER } from "./api/names.ts";
import { type Condition, OLD_FINALIZERS, type Resource, SpecError, type Status } from "./api/types.ts";
import { type Api, isStatus } from "./kube/api.ts";
import { type Applier, failureOf, isGone } from "./kube/applier.ts";
import { objectPath } from "./kube/kinds.ts";
import type { Plan } from "./plan.ts";
import { changedConditions, type Failure, nextStatus, type Outcome } from "./status.ts";

/** What is special about a kind of resource. */
export interface Subject {
	/** Returns the objects that the resource wants. Throws a SpecError if its spec has a mistake. */
	plan(resource: Resource<unknown>): Plan;
	/** Called when all objects are applied. */
	applied?(resource: Resource<unknown>): Promise<void>;
	status(resource: Resource<unknown>, outcome: Outcome): Status;
}

export interface Tools {
	readonly api: Api;
	readonly applier: Applier;
	/** The last status that was written, by the resource's uid: the cache may not have it yet. */
	readonly written: Map<string, { readonly version: number; readonly status: Status }>;
	readonly onCondition: (resource: Resource<unknown>, condition: Condition) => void;
}

/**
 * Makes the cluster match the resource, and its status match the cluster. Throws if the pass must
 * be tried again.
 */
export async function reconcile(resource: Resource<unknown>, subject: Subject, tools: Tools): Promise<void> {
	await removeOldFinalizers(resource, tools.api);
	if (resource.metadata.deletionTimestamp) return; // the garbage collector removes what it owns
	let failed: { error: unknown } | undefined;
	let outcome: Outcome;
	try {
		outcome = await apply(resource, subject, tools);
	} catch (error) {
		if (isGone(error)) return;
		const permanent = error instanceof SpecError;
		const failure: Failure = permanent ? { reason: error.reason, message: error.message, permanent } : { ...failureOf(error), permanent };
		outcome = { failure, warnings: [] };
		if (!permanent) failed = { error };
	}
	await report(resource, subject.status(resource, outcome), tools);
	if (failed) throw failed.error;
}

async function apply(resource: Resource<unknown>, subject: Subject, { applier }: Tools): Promise<Outcome> {
	const plan = subject.plan(resource);
	const warnings = await applier.apply(resource, plan.objects);
	await applier.prune(resource, plan.objects);
	await subject.applied?.(resource);
	return { plan, warnings };
}

async function report(resource: Resource<unknown>, status: Status, { api, written, onCondition }: Tools): Promise<void> {
	const { apiVersion, kind, metadata } = resource;
	const { name, namespace, uid, generation = 0, resourceVersion } = metadata;
	const last = written.get(uid);
	const previous = last && last.version > Number(resourceVersion) ? last.status : resource.status;
	const next = nextStatus(previous, status, generation, new Date());
	if (!next) return;
	const path = `${objectPath(kind, namespace, name)}/status`;
	try {
		// The uid keeps the status of a deleted resource away from one of the same name that was made
		// since.
		const { body } = await api.apply(path, { apiVersion, kind, metadata: { name, namespace, uid }, status: next }, FIELD_MANAGER);
		written.set(uid, { version: Number(body.metadata.resourceVersion), status: next });
	} catch (error) {
		if (isStatus(error, 404, 409)) return;
		throw error;
	}
	for (const condition of changedConditions(previous, next)) onCondition(resource, condition);
}

/**
 * Removes the finalizers of Kubeless 1.0: their controller is gone, and with them a deletion would
 * never end.
 */
async function removeOldFinalizers({ kind, metadata }: Resource<unknown>, api: Api): Promise<void> {
	const { name, namespace, finalizers = [], resourceVersion } = metadata;
	const kept = finalizers.filter((finalizer) => !OLD_FINALIZERS.includes(finalizer));
	if (kept.length === finalizers.length) return;
	const body = { metadata: { finalizers: kept, resourceVersion } };
	try {
		await api.send("PATCH", objectPath(kind, namespace, name), { body, type: "application/merge-patch+json" });
	} catch (error) {
		if (!isStatus(error, 404)) throw error;
	}
}
