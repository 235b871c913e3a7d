import { cpuSeconds } from "./processes.ts";
import { interleave } from "./rounds.ts";
import type { Bench } from "./scenario.ts";
import { type Server, type ServerSpec, start } from "./servers.ts";
import { type Load, wrk } from "./wrk.ts";

/** What one measurement of one server told. */
export interface Sample {
	/** user and system time of the server and all its processes, per call, in `µs` */
	readonly cpu: number;
	/** calls per second */
	readonly rate: number;
	/** latencies in `µs` */
	readonly p50: number;
	readonly p99: number;
}

/** A server to measure, and the path that is called. */
export interface Contestant {
	readonly spec: ServerSpec;
	readonly path?: string;
}

/** Before the first round: code is compiled, connections and workers are there. In `s`. */
const WARM_UP = 2;

/** Starts those servers that do start, side by side; what does not is noted. They are stopped when `use` is over. */
export async function withServers<C extends { readonly spec: ServerSpec }, T>(
	bench: Bench,
	contestants: readonly C[],
	use: (servers: Map<C, Server>) => Promise<T>,
): Promise<T> {
	const servers = new Map<C, Server>();
	try {
		for (const contestant of contestants) {
			bench.say(`starting ${contestant.spec.name}`);
			try {
				servers.set(contestant, await start(contestant.spec));
			} catch (error) {
				bench.note((error as Error).message);
			}
		}
		return await use(servers);
	} finally {
		await Promise.all([...servers.values()].map((server) => server.stop()));
	}
}

/** Loads each server in turn, in interleaved rounds; the samples are in the rounds' order. */
export async function contest<C extends Contestant>(
	bench: Bench,
	contestants: readonly C[],
	load: Pick<Load, "connections" | "body">,
): Promise<Map<C, Sample[]>> {
	const { duration, rounds } = bench.options;
	return withServers(bench, contestants, async (servers) => {
		const once = ([{ path }, { port }]: [C, Server], seconds: number) => wrk({ ...load, port, ...(path && { path }), duration: seconds });
		const entries = [...servers];
		for (const entry of entries) {
			bench.say(`warming up ${entry[1].name}`);
			await once(entry, Math.min(WARM_UP, duration));
		}
		const failed = new Map<string, number>();
		const samples = await interleave(entries, rounds, async (entry, round) => {
			const [, { name, pid }] = entry;
			bench.say(`round ${round} of ${rounds}: ${name}`);
			const before = cpuSeconds(pid);
			const { calls, seconds, p50, p99, refused, broken } = await once(entry, duration);
			const cpu = ((cpuSeconds(pid) - before) / calls) * 1e6;
			// No call at all is a failure nobody counted.
			failed.set(name, (failed.get(name) ?? 0) + (calls === 0 ? 1 : refused + broken));
			return { cpu, rate: calls / seconds, p50, p99 };
		});
		for (const [name, count] of failed) if (count > 0) bench.note(`${name}: ${count} calls failed; its figures tell nothing.`);
		return new Map([...samples].map(([[contestant], taken]) => [contestant, taken]));
	});
}
