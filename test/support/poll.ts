/** How long it lasts from one look to the next, in `ms`. */
const PAUSE_MS = 20;

/** What the look gives, which is looked at again and again. @throws with what is missing, when it gives nothing within `ms` */
export async function poll<T>(look: () => T | undefined | Promise<T | undefined>, missing: () => string, ms = 120_000): Promise<T> {
	const deadline = Date.now() + ms;
	for (;;) {
		const found = await look();
		if (found !== undefined) return found;
		if (Date.now() > deadline) throw new Error(`${missing()} (after ${ms} ms)`);
		await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
	}
}
