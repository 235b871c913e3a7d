import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import type { Options } from "./options.ts";
import { wrkVersion } from "./wrk.ts";

const FOLDER = fileURLToPath(new URL("./results", import.meta.url));

/** The results of a run, with all data that a comparison with another run needs. */
export interface Results {
	readonly date: string;
	readonly machine: Machine;
	readonly options: Options;
	readonly scenarios: readonly ScenarioResults[];
	readonly notes: readonly string[];
}

export interface ScenarioResults {
	readonly name: string;
	readonly title: string;
	/**
	 * the average number of CPUs that other processes used: with more, the figures are less reliable
	 */
	readonly othersCpus: number;
	readonly figures: readonly Figure[];
}

export interface Machine {
	readonly cpu: string;
	readonly cpus: number;
	/** in bytes */
	readonly memory: number;
	readonly kernel: string;
	readonly node: string;
	readonly wrk: string;
	/** the measured commit; absent outside a git repository */
	readonly commit?: string;
}

export function describeMachine(): Machine {
	const commit = spawnSync("git", ["describe", "--always", "--dirty"], { cwd: import.meta.dirname, encoding: "utf8" }).stdout?.trim();
	return {
		cpu: os.cpus()[0]?.model ?? "unknown",
		cpus: os.availableParallelism(),
		memory: os.totalmem(),
		kernel: `${os.type()} ${os.release()}`,
		node: process.version,
		wrk: wrkVersion() ?? "none",
		...(commit && { commit }),
	};
}

/**
 * Writes the results to a new file in results/, and to `output` if it is set. Returns the paths.
 */
export function writeResults(results: Results): string[] {
	const own = join(FOLDER, `${results.date.replaceAll(":", "-").slice(0, 19)}.json`);
	const files = results.options.output === undefined ? [own] : [own, results.options.output];
	for (const file of files) {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
	}
	return files;
}
