import { type Arrival, arrivals } from "../../support/arrivals.ts";
import { ask } from "../../support/ask.ts";
import { Figures } from "../../support/figures.ts";
import { withServers } from "../contest.ts";
import { type Figure, figure } from "../figure.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { loaderSpec, type Server } from "../servers.ts";

/** One language of each way of running calls: async, threads, one at a time. */
const LANGUAGES = ["nodejs", "python", "php"];
const SLEEP_MS = 250;
const CONCURRENCY = 10;
const CAPACITY = (CONCURRENCY * 1000) / SLEEP_MS;
const TIMEOUT_S = 2;
/** Offered calls as multiples of the capacity. */
const LOADS = [1.2, 2, 10];
/** Before and after an overload the load is this part of the capacity, for this many seconds. */
const NORMAL = 0.6;
const NORMAL_S = 5;

export const overload: Scenario = {
	name: "overload",
	title: `a function that sleeps ${SLEEP_MS} ms, FUNC_CONCURRENCY=${CONCURRENCY}, FUNC_TIMEOUT=${TIMEOUT_S}, offered more than its ${CAPACITY} calls/s`,
	async run(bench): Promise<Figure[]> {
		const env = { FUNC_CONCURRENCY: String(CONCURRENCY), FUNC_TIMEOUT: String(TIMEOUT_S) };
		const loaders = bench.runtimes.flatMap(({ id, conformance }) =>
			conformance && LANGUAGES.includes(id) ? [{ spec: loaderSpec(id, conformance, "sleeps", env) }] : [],
		);
		return withServers(bench, loaders, async (servers) => {
			const figures: Figure[] = [];
			for (const server of servers.values()) for (const times of LOADS) figures.push(...(await measure(bench, server, times)));
			return figures;
		});
	},
};

async function measure(bench: Bench, { name, port }: Server, times: number): Promise<Figure[]> {
	const seconds = bench.options.overload;
	const send = (share: number, during: number) => arrivals(port, CAPACITY * share, during, String(SLEEP_MS));
	bench.report(`${name}: ${times} times the capacity for ${seconds} s`);
	await send(1, NORMAL_S); // all processes run
	const before = await figuresOf(port);
	// Both loads run at once for a moment, as the callers of the overload get their answers.
	const loaded = send(times, seconds);
	await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
	const after = await send(NORMAL, NORMAL_S);
	const all = await loaded;
	const ended = await figuresOf(port);
	const inTime = all.filter(({ status, done }) => status === 200 && done <= seconds * 1000).length;
	const share = (status: number): number => (all.filter((one) => one.status === status).length / all.length) * 100;
	const what = (text: string): string => `${times}x: ${text}`;
	const one = (text: string, unit: Figure["unit"], value: number, target?: Parameters<typeof figure>[0]["target"]): Figure =>
		figure({ what: what(text), of: name, unit, samples: [value], ...(target && { target }) });
	return [
		one("goodput, of the capacity", "%", (inTime / (CAPACITY * seconds)) * 100, "overload.goodput"),
		one("refused with 503", "%", share(503)),
		one("answered 408", "%", share(408), "overload.timeouts"),
		one(
			"workers started again",
			"workers",
			ended.sum("function_worker_starts_total") - before.sum("function_worker_starts_total"),
			"overload.restarts",
		),
		one("until all calls are answered 200 again", "ms", recovery(after), "overload.recovery"),
	];
}

/** Returns when the last call arrived that was not answered 200, in `ms` after the overload. */
const recovery = (after: readonly Arrival[]): number => Math.max(0, ...after.filter(({ status }) => status !== 200).map(({ at }) => at));

const figuresOf = async (port: number): Promise<Figures> => new Figures((await ask(port, { path: "/metrics" })).text);
