import { against } from "../against.ts";
import { contest } from "../contest.ts";
import type { Figure } from "../figure.ts";
import type { Scenario } from "../scenario.ts";
import { BARE_SERVER, loaderSpec } from "../servers.ts";

const CONNECTIONS = 32;

export const hello: Scenario = {
	name: "hello",
	title: `GET hello world, ${CONNECTIONS} connections`,
	async run(bench): Promise<Figure[]> {
		const bare = { spec: BARE_SERVER };
		const loaders = bench.runtimes.map(({ id, hello }) => ({ spec: loaderSpec(id, hello) }));
		const samples = await contest(bench, [bare, ...loaders], { connections: CONNECTIONS });
		return [
			...against(samples, bare, loaders, { what: "CPU per call", unit: "µs", value: ({ cpu }) => cpu, as: "ratio", target: "hello.cpu" }),
			...against(samples, bare, loaders, {
				what: "calls per second",
				unit: "calls/s",
				value: ({ rate }) => rate,
				as: "ratio",
				target: "hello.rate",
			}),
			...against(samples, bare, loaders, { what: "latency, p50", unit: "µs", value: ({ p50 }) => p50, as: "ratio" }),
			...against(samples, bare, loaders, { what: "latency, p99", unit: "µs", value: ({ p99 }) => p99, as: "ratio" }),
		];
	},
};
