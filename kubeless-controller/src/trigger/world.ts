import type { Config } from "../api/config.ts";
import type { KubelessFunction } from "../api/types.ts";
import type { Plan } from "../plan.ts";

/** What a trigger's plan depends on beside the trigger. */
export interface World {
	readonly config: Config;
	/** Whether the cluster knows a kind that an add-on brings. */
	has(kind: string): boolean;
	fn(namespace: string, name: string): KubelessFunction | undefined;
	functions(namespace: string): readonly KubelessFunction[];
}

/** Returns the plan of a trigger whose function is not there: it waits for it. */
export function missingFunction(name: string): Plan {
	const message = `There is no Function "${name}" in this namespace. The trigger starts to work when there is one.`;
	return { objects: [], notes: [], problem: { reason: "FunctionNotFound", message } };
}
