import type { Started } from "./control.ts";

/** What the tests on the node share. */
export interface Context extends Started {
	/** A folder for functions' files. */
	readonly folder: string;
	/** The Node.js runtime, such as nodejs24. */
	readonly nodejs: string;
	/** Runs a `kubeless` command that must succeed, and returns its output. */
	done(...args: string[]): Promise<string>;
	/** Runs a `kubeless` command that must fail, and returns its sentence. */
	fails(...args: string[]): Promise<string>;
}
