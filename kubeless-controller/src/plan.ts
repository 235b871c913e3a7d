import type { KubeObject } from "./api/types.ts";

/** What a resource wants of the cluster. */
export interface Plan {
	/** In the order in which they are applied. */
	readonly objects: readonly KubeObject[];
	/** What was asked for and cannot be had here: a sentence each, for the status. */
	readonly notes: readonly string[];
	/**
	 * Why the resource cannot work now, although its spec is right: its function is missing, for one.
	 */
	readonly problem?: { readonly reason: string; readonly message: string };
}
