import { type Figure, type FigureParts, figure } from "../figure.ts";
import { interleaveWarm } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { BARE_SERVER, loaderSpec, type ServerSpec, start, trivialLoader } from "../servers.ts";

interface Start extends Pick<FigureParts, "what" | "of" | "target"> {
	readonly spec: ServerSpec;
	readonly probe: string;
}

export const starting: Scenario = {
	name: "start",
	title: "process start to first 200",
	async run(bench): Promise<Figure[]> {
		// bin.mjs enables Node.js's code cache, which needs a writable folder. Many containers have none.
		const uncached = { NODE_DISABLE_COMPILE_CACHE: "1" };
		const starts: Start[] = [
			{ what: "a bare server's, for scale", of: "bare", spec: BARE_SERVER, probe: "/" },
			{ what: "of /healthz", of: "loader", spec: trivialLoader(), probe: "/healthz" },
			{ what: "of a call, worker in sh", of: "loader", spec: trivialLoader(), probe: "/", target: "start.loader" },
			{ what: "same, no compile cache", of: "loader", spec: trivialLoader(uncached), probe: "/" },
			...bench.runtimes.flatMap(({ id, hello }): Start[] => [
				{ what: "of a call", of: id, spec: loaderSpec(id, hello), probe: "/", target: "start" },
				{ what: "same, no compile cache", of: id, spec: loaderSpec(id, hello, "", uncached), probe: "/" },
			]),
		];
		const { starts: rounds } = bench.options;
		const samples = await interleaveWarm(starts, rounds, (one, round) => {
			bench.report(`start ${round} of ${rounds}: ${one.of}`);
			return timed(one);
		});
		return [...samples].map(([{ what, of, target }, taken]) => figure({ what, of, unit: "ms", samples: taken, ...(target && { target }) }));
	},
};

async function timed({ spec, probe }: Start): Promise<number> {
	const server = await start(spec, probe);
	await server.stop();
	return server.startedIn;
}
