/**
 * Measures all contestants in every round. Each round begins with another contestant, so that a
 * temporary disturbance affects all equally. Returns the samples of each contestant by round.
 */
export async function interleave<T, S>(
	contestants: readonly T[],
	rounds: number,
	measure: (contestant: T, round: number) => Promise<S>,
): Promise<Map<T, S[]>> {
	const samples = new Map<T, S[]>(contestants.map((contestant) => [contestant, []]));
	for (let round = 1; round <= rounds; round++) {
		for (let turn = 0; turn < contestants.length; turn++) {
			const contestant = contestants[(round + turn) % contestants.length] as T;
			samples.get(contestant)?.push(await measure(contestant, round));
		}
	}
	return samples;
}

/** The same after an uncounted round 0, which compiles code, fills caches and allocates memory. */
export async function interleaveWarm<T, S>(
	contestants: readonly T[],
	rounds: number,
	measure: (contestant: T, round: number) => Promise<S>,
): Promise<Map<T, S[]>> {
	for (const contestant of contestants) await measure(contestant, 0);
	return interleave(contestants, rounds, measure);
}

export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length / 2;
	const [low, high] = [sorted[Math.ceil(middle) - 1] as number, sorted[Math.floor(middle)] as number];
	return (low + high) / 2;
}
