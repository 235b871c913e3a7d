import { against } from "../against.ts";
import { withServers } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { peakMemory } from "../memory.ts";
import { treeOf } from "../processes.ts";
import { interleaveWarm } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { BARE_SERVER, loaderSpec } from "../servers.ts";
import { transfer } from "../transfer.ts";

const MIB = 1024 * 1024;
const SIZE = 10 * MIB;
/** Few connections, so that the bytes in flight are known: one body per connection. */
const CONNECTIONS = 4;
const BODY = Buffer.alloc(SIZE, "0123456789abcdef");

interface Sample {
	/** bytes per second */
	readonly rate: number;
	/** the peak memory so far in bytes: of the loader's process, and of all processes */
	readonly own: number;
	readonly all: number;
}

export const large: Scenario = {
	name: "large",
	title: `POST of ${SIZE / MIB} MiB, echoed, ${CONNECTIONS} connections`,
	async run(bench): Promise<Figure[]> {
		const { duration, rounds } = bench.options;
		const bare = { spec: BARE_SERVER };
		const loaders = bench.runtimes.flatMap(({ id, conformance }) => (conformance ? [{ spec: loaderSpec(id, conformance, "echoes") }] : []));
		return withServers(bench, [bare, ...loaders], async (servers) => {
			const failed = new Map<string, string[]>();
			const samples = await interleaveWarm([...servers], rounds, async ([, { name, pid, port }], round): Promise<Sample> => {
				bench.report(`round ${round} of ${rounds}: ${name}`);
				const { rate, failures } = await transfer(port, BODY, CONNECTIONS, duration);
				failed.set(name, [...(failed.get(name) ?? []), ...failures]);
				return { rate, own: peakMemory(pid), all: treeOf(pid).reduce((total, one) => total + peakMemory(one.pid), 0) };
			});
			for (const [name, [why, ...more]] of failed)
				if (why) bench.note(`${name}: ${1 + more.length} transfers failed, the first since ${why}.`);
			const taken = new Map([...samples].map(([[contestant], counted]) => [contestant, counted]));
			const rate = {
				what: "echoed",
				unit: "MB/s",
				value: (sample: Sample) => sample.rate / 1e6,
				as: "ratio",
				target: "large.rate",
			} as const;
			const own = {
				what: "peak memory (RSS), loader alone",
				unit: "MiB",
				value: (sample: Sample) => sample.own / MIB,
				as: "ratio",
			} as const;
			const all = {
				what: "peak memory (RSS), with workers",
				unit: "MiB",
				value: (sample: Sample) => sample.all / MIB,
				as: "ratio",
			} as const;
			return [rate, own, all].flatMap((wanted) => against(taken, bare, loaders, wanted));
		});
	},
};
