import { ask } from "../../support/ask.ts";
import { type Figure, figure } from "../figure.ts";
import { type Memory, memoryOf } from "../memory.ts";
import { treeOf } from "../processes.ts";
import { interleave } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { loaderSpec, type ServerSpec, start, trivialLoader } from "../servers.ts";

const MIB = 1024 * 1024;
const MOST_ROUNDS = 3;
/** The time without calls after which a server counts as idle, in ms. */
const REST_MS = 1000;

export const idle: Scenario = {
	name: "idle",
	title: "memory when idle (PSS falls as more Node.js processes share its pages, this bench among them; RSS does not)",
	async run(bench): Promise<Figure[]> {
		const rounds = Math.min(bench.options.rounds, MOST_ROUNDS);
		const alone = trivialLoader();
		const specs = [alone, ...bench.runtimes.map(({ id, hello }) => loaderSpec(id, hello))];
		// One at a time: two loaders would share the pages of Node.js, and each would appear smaller.
		const samples = await interleave(specs, rounds, async (spec, round) => {
			bench.report(`round ${round} of ${rounds}: ${spec.name}`);
			return rested(spec);
		});
		return [...samples].flatMap(([spec, taken]) => {
			const lines = (of: string, owner: string, part: (sample: Rested) => Memory, target?: "idle.loader") =>
				(["pss", "rss"] as const).map((kind) =>
					figure({
						what: `${kind.toUpperCase()}, ${owner}`,
						of,
						unit: "MiB",
						samples: taken.map((sample) => part(sample)[kind] / MIB),
						...(target && kind === "pss" && { target }),
					}),
				);
			if (spec === alone) return lines("loader", "loader alone", ({ own }) => own, "idle.loader");
			return lines(spec.name, "loader and workers", ({ all }) => all);
		});
	},
};

interface Rested {
	readonly own: Memory;
	readonly all: Memory;
}

async function rested(spec: ServerSpec): Promise<Rested> {
	const server = await start(spec);
	try {
		await ask(server.port, {});
		await new Promise((resolve) => setTimeout(resolve, REST_MS));
		return { own: memoryOf([server.pid]), all: memoryOf(treeOf(server.pid).map(({ pid }) => pid)) };
	} finally {
		await server.stop();
	}
}
