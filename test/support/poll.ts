/** The time between two calls of `look`, in ms. */
const PAUSE_MS = 20;

/**
 * Returns the first defined result of `look`, which is called repeatedly. @throws with `missing()`
 * if there is no result within `ms`
 */
export async function poll<T>(look: () => T | undefined | Promise<T | undefined>, missing: () => string, ms = 120_000): Promise<T> {
	const deadline = Date.now() + ms;
	for (;;) {
		const found = await look();
		if (found !== undefined) return found;
		if (Date.now() > deadline) throw new Error(`${missing()} (after ${ms} ms)`);
		await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
	}
}
