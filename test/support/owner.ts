import { after } from "node:test";

/** Runs clean-up functions at its end: a test's context, or a suite (`suiteOwner`). */
export interface Owner {
	after(clear: () => void | Promise<void>): void;
}

/**
 * The owner of resources that a suite's tests share. Must be called in the suite's body: `after` in
 * a hook runs after the hook.
 */
export function suiteOwner(): Owner {
	const clears: (() => void | Promise<void>)[] = [];
	after(async () => {
		for (const clear of clears.reverse()) await clear();
	});
	return { after: (clear) => void clears.push(clear) };
}
