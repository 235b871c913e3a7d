// The part of a status that all resources share.
import type { Condition, Status } from "./api/types.ts";
import type { Plan } from "./plan.ts";

/** Why a pass ended before all objects were applied. */
export interface Failure {
	readonly reason: string;
	readonly message: string;
	/** A mistake in the spec: trying again does not help. */
	readonly permanent: boolean;
}

/** How a pass ended. */
export interface Outcome {
	readonly plan?: Plan;
	readonly failure?: Failure;
	/** The API server's warnings about the objects, such as an unknown field. */
	readonly warnings: readonly string[];
}

export function configured({ plan, failure, warnings }: Outcome): Condition {
	if (failure) return { type: "Configured", status: "False", reason: failure.reason, message: failure.message };
	if (plan?.problem) return { type: "Configured", status: "False", ...plan.problem };
	const notes = [...(plan?.notes ?? []), ...warnings.map((warning) => `The API server warns: ${warning}.`)];
	if (notes.length > 0) return { type: "Configured", status: "True", reason: "ConfiguredPartly", message: notes.join(" ") };
	return { type: "Configured", status: "True", reason: "Configured", message: "All objects are as the spec wants them." };
}

/**
 * Returns the status with generation and transition times filled in: a condition keeps its time as
 * long as its status stays. Returns undefined if nothing differs from the previous status, so that
 * no write is needed.
 */
export function nextStatus(previous: Status | undefined, status: Status, generation: number, now: Date): Status | undefined {
	const conditions = (status.conditions ?? []).map((condition): Condition => {
		const before = previous?.conditions?.find(({ type }) => type === condition.type);
		const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
		return { ...condition, observedGeneration: generation, lastTransitionTime: kept ?? now.toISOString().replace(/\.\d+/, "") };
	});
	const next = { ...status, observedGeneration: generation, conditions };
	return equal(previous, next) ? undefined : next;
}

/** Returns the conditions whose status or reason has changed: each becomes an Event. */
export function changedConditions(previous: Status | undefined, { conditions = [] }: Status): Condition[] {
	return conditions.filter((condition) => {
		const before = previous?.conditions?.find(({ type }) => type === condition.type);
		return before?.status !== condition.status || before.reason !== condition.reason;
	});
}

/** Compares two JSON values without regard to the order of fields. */
export function equal(a: unknown, b: unknown): boolean {
	return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

export function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).filter(([, field]) => field !== undefined);
	return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, sorted(field)]));
}
