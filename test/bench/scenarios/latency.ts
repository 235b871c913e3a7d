import { against } from "../against.ts";
import { contest } from "../contest.ts";
import type { Figure } from "../figure.ts";
import type { Scenario } from "../scenario.ts";
import { BARE_SERVER, loaderSpec } from "../servers.ts";

export const latency: Scenario = {
	name: "latency",
	title: "GET hello world, 1 connection",
	async run(bench): Promise<Figure[]> {
		const bare = { spec: BARE_SERVER };
		const loaders = bench.runtimes.map(({ id, hello }) => ({ spec: loaderSpec(id, hello) }));
		const samples = await contest(bench, [bare, ...loaders], { connections: 1 });
		return [
			...against(samples, bare, loaders, {
				what: "latency, p50",
				unit: "µs",
				value: ({ p50 }) => p50,
				as: "difference",
				target: "latency",
			}),
			...against(samples, bare, loaders, { what: "latency, p99", unit: "µs", value: ({ p99 }) => p99, as: "difference" }),
		];
	},
};
