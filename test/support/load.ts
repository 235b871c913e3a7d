import assert from "node:assert/strict";
import http from "node:http";
import { type Asked, ask, type Got } from "./ask.ts";
import type { Loader } from "./loader.ts";

/** The outcome of one call: a response, or an error. */
export interface Outcome {
	readonly number: number;
	readonly got?: Got;
	readonly error?: NodeJS.ErrnoException;
}

/**
 * Sends `count` calls over at most `connections` keep-alive connections. Resolves when all calls
 * have ended.
 */
export async function load(
	{ port }: Pick<Loader, "port">,
	count: number,
	connections: number,
	request: (number: number) => Asked,
): Promise<Outcome[]> {
	const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
	const outcomes: Outcome[] = [];
	let next = 0;
	const caller = async () => {
		while (next < count) {
			const number = next++;
			const outcome = await ask(port, { ...request(number), agent }).then(
				(got) => ({ number, got }),
				(error) => ({ number, error }),
			);
			outcomes.push(outcome);
		}
	};
	await Promise.all(Array.from({ length: Math.min(count, connections) }, caller));
	agent.destroy();
	return outcomes;
}

/** Returns the number of calls by status; status 0 means no response. */
export function statuses(outcomes: readonly Outcome[]): Record<number, number> {
	const counts: Record<number, number> = {};
	for (const { got } of outcomes) counts[got?.status ?? 0] = (counts[got?.status ?? 0] ?? 0) + 1;
	return counts;
}

/**
 * Asserts that /metrics counts the calls that the callers made, and that the loader has no open
 * call.
 */
export async function assertCounted(loader: Loader, outcomes: readonly Outcome[], before = 0): Promise<void> {
	const seen = outcomes.filter(({ got }) => got !== undefined).length;
	const counted = (figures: { sum(name: string): number }) =>
		figures.sum("function_calls_total") + figures.sum("function_rejections_total");
	const figures = await loader.figuresWhen("no call in flight", (one) => one.inFlight === 0);
	assert.equal(counted(figures) - before, seen, "calls and rejections in /metrics are the answers that came");
}
