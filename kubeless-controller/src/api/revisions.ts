// The versions of a Function: what a ControllerRevision holds in `data.spec`, and what a rollback
// makes of it.
import type { FunctionSpec } from "./types.ts";

/** Versions that are kept, the current one among them. */
export const HISTORY_LIMIT = 10;

/**
 * Returns what is kept of a version: the function and how it runs, but not how many replicas it has
 * or whether it is suspended.
 */
export function revisionSpec({ suspend: _, ...spec }: FunctionSpec): FunctionSpec {
	const { replicas: __, ...deployment } = spec.deployment?.spec ?? {};
	return spec.deployment?.spec ? { ...spec, deployment: { ...spec.deployment, spec: deployment } } : spec;
}

/** Returns the spec that brings an older version back, with the replicas of the current one. */
export function rolledBack(current: FunctionSpec, revision: FunctionSpec): FunctionSpec {
	const replicas = current.deployment?.spec?.replicas;
	const kept = current.suspend === undefined ? revision : { ...revision, suspend: current.suspend };
	if (replicas === undefined) return kept;
	return { ...kept, deployment: { ...kept.deployment, spec: { ...kept.deployment?.spec, replicas } } };
}
