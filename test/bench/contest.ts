import { cpuSeconds } from "./processes.ts";
import { interleave } from "./rounds.ts";
import type { Bench } from "./scenario.ts";
import { type Server, type ServerSpec, start } from "./servers.ts";
import { type Load, wrk } from "./wrk.ts";

/** The result of one measurement of one server. */
export interface Sample {
	/** user and system time of the server and all its processes, per call, in µs */
	readonly cpu: number;
	/** calls per second */
	readonly rate: number;
	/** latencies in µs */
	readonly p50: number;
	readonly p99: number;
}

/** A server to measure, and the path of the calls. */
export interface Contestant {
	readonly spec: ServerSpec;
	readonly path?: string;
}

/** The time of the warm-up before the first round, in s. */
const WARM_UP = 2;

/**
 * Starts all servers, and adds a note for each that fails to start. Stops them when `use` has
 * ended.
 */
export async function withServers<C extends { readonly spec: ServerSpec }, T>(
	bench: Bench,
	contestants: readonly C[],
	use: (servers: Map<C, Server>) => Promise<T>,
): Promise<T> {
	const servers = new Map<C, Server>();
	try {
		for (const contestant of contestants) {
			bench.report(`starting ${contestant.spec.name}`);
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

/** Measures each server in interleaved rounds. The samples are in the order of the rounds. */
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
			bench.report(`warming up ${entry[1].name}`);
			await once(entry, Math.min(WARM_UP, duration));
		}
		const failed = new Map<string, number>();
		const samples = await interleave(entries, rounds, async (entry, round) => {
			const [, { name, pid }] = entry;
			bench.report(`round ${round} of ${rounds}: ${name}`);
			const before = cpuSeconds(pid);
			const { calls, seconds, p50, p99, refused, broken } = await once(entry, duration);
			const cpu = ((cpuSeconds(pid) - before) / calls) * 1e6;
			// A measurement without calls counts as one failure.
			failed.set(name, (failed.get(name) ?? 0) + (calls === 0 ? 1 : refused + broken));
			return { cpu, rate: calls / seconds, p50, p99 };
		});
		for (const [name, count] of failed) if (count > 0) bench.note(`${name}: ${count} calls failed; its figures are not valid.`);
		return new Map([...samples].map(([[contestant], taken]) => [contestant, taken]));
	});
}
