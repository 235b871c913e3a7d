import { after } from "node:test";

/** Where things to be cleared away are noted: a test's context, or a suite (`suiteOwner`). */
export interface Owner {
	after(clear: () => void | Promise<void>): void;
}

/** For what a suite's tests share; to be called in the suite's own body, since a hook's `after` runs after the hook. */
export function suiteOwner(): Owner {
	const clears: (() => void | Promise<void>)[] = [];
	after(async () => {
		for (const clear of clears.reverse()) await clear();
	});
	return { after: (clear) => void clears.push(clear) };
}
