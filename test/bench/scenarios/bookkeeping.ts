import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { contest } from "../contest.ts";
import { type Figure, figure } from "../figure.ts";
import type { Scenario } from "../scenario.ts";
import { loaderSpec } from "../servers.ts";

const LOOP = fileURLToPath(new URL("../bookkeeping-loop.ts", import.meta.url));
const CONNECTIONS = 32;
const MORE_ROUNDS = 3;

export const bookkeeping: Scenario = {
	name: "bookkeeping",
	title: "what is kept about every call",
	async run(bench): Promise<Figure[]> {
		bench.report("the loader's own functions, on their own");
		const { stdout } = await promisify(execFile)(process.execPath, [LOOP]);
		const alone = figure({
			what: "metrics, access line, limits, on their own",
			of: "loader",
			unit: "µs",
			samples: stdout.trim().split("\n").map(Number),
			target: "bookkeeping",
		});
		const [runtime] = bench.runtimes;
		if (!runtime) return [alone];
		// Only the access log can be switched off, so only its cost can be measured in real calls.
		const on = { spec: loaderSpec(runtime.id, runtime.hello) };
		const off = {
			spec: loaderSpec(`${runtime.id} without access log`, runtime.hello, "", { FUNC_ACCESS_LOG: "false", FUNC_RUNTIME: runtime.id }),
		};
		// The difference of 1 to 2 µs is smaller than the noise: many short rounds show it sooner than a
		// few long ones.
		const options = { ...bench.options, duration: 1, rounds: bench.options.rounds * MORE_ROUNDS };
		const samples = await contest({ ...bench, options }, [on, off], { connections: CONNECTIONS });
		const cpu = (contestant: typeof on) => (samples.get(contestant) ?? []).map((sample) => sample.cpu);
		if (!samples.has(on) || !samples.has(off)) return [alone];
		const log = figure({
			what: "access log, by switching it off",
			of: runtime.id,
			unit: "µs",
			samples: cpu(on),
			against: { samples: cpu(off), as: "difference" },
		});
		return [alone, log];
	},
};
