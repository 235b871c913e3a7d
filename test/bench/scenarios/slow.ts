import { load, statuses } from "../../support/load.ts";
import { withServers } from "../contest.ts";
import { type Figure, figure } from "../figure.ts";
import { interleaveWarm } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { loaderSpec } from "../servers.ts";

const SLEEP_MS = 100;
const CONNECTIONS = 100;
/**
 * The same concurrency for all runtimes: concurrent calls, or processes if a worker runs one call
 * at a time.
 */
const CONCURRENCY = 10;
/**
 * Calls per connection. The total is a multiple of the concurrency, so that the last batch is full.
 */
const CALLS = 4;
const MOST_ROUNDS = 3;

export const slow: Scenario = {
	name: "slow",
	title: `a function that sleeps ${SLEEP_MS} ms, ${CONNECTIONS} connections, FUNC_CONCURRENCY=${CONCURRENCY}`,
	async run(bench): Promise<Figure[]> {
		const rounds = Math.min(bench.options.rounds, MOST_ROUNDS);
		const env = { FUNC_CONCURRENCY: String(CONCURRENCY) };
		const loaders = bench.runtimes.flatMap(({ id, conformance }) =>
			conformance ? [{ spec: loaderSpec(id, conformance, "sleeps", env) }] : [],
		);
		return withServers(bench, loaders, async (servers) => {
			const shares = await interleaveWarm([...servers.values()], rounds, async (server, round) => {
				bench.report(`round ${round} of ${rounds}: ${server.name}`);
				const calls = CONNECTIONS * CALLS;
				const started = performance.now();
				const outcomes = await load(server, calls, CONNECTIONS, () => ({ body: String(SLEEP_MS) }));
				const took = performance.now() - started;
				const ideal = (calls / CONCURRENCY) * SLEEP_MS;
				const ok = statuses(outcomes)[200] ?? 0;
				if (ok < calls) bench.note(`${server.name}: of ${calls} calls only ${ok} were answered 200; its share is not valid.`);
				return (ideal / took) * 100;
			});
			return [...shares].map(([{ name }, taken]) =>
				figure({ what: `of ${(CONCURRENCY * 1000) / SLEEP_MS} calls/s`, of: name, unit: "%", samples: taken, target: "slow.share" }),
			);
		});
	},
};
