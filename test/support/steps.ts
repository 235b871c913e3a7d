/** Runs a generator to its end. Returns what it returns. */
export function ended<T>(steps: Generator<unknown, T>): T {
	for (;;) {
		const { done, value } = steps.next();
		if (done) return value as T;
	}
}
