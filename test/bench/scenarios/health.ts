import { appendFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ask } from "../../support/ask.ts";
import { Figures } from "../../support/figures.ts";
import { withServers } from "../contest.ts";
import { type Figure, figure } from "../figure.ts";
import type { Runtime } from "../runtimes.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { loaderSpec, type Server, type ServerSpec } from "../servers.ts";

const LANGUAGES = ["nodejs", "python"];
const WORKERS = 32;
const PROBE_EVERY_MS = 5;
/** The longest wait for a reload, in ms. */
const PATIENCE_MS = 300_000;

interface Contestant {
	readonly spec: ServerSpec;
	readonly runtime: Runtime;
}

export const health: Scenario = {
	name: "health",
	title: `/healthz, asked every ${PROBE_EVERY_MS} ms while ${WORKERS} workers are replaced at a reload`,
	async run(bench): Promise<Figure[]> {
		const env = { FUNC_WORKERS: String(WORKERS), FUNC_WATCH: "true" };
		const loaders = bench.runtimes
			.filter(({ id }) => LANGUAGES.includes(id))
			.map((runtime): Contestant => ({ runtime, spec: loaderSpec(runtime.id, runtime.hello, "", env) }));
		const figures: Figure[] = [];
		// One after the other: the workers of two loaders would compete.
		for (const one of loaders) {
			figures.push(...(await withServers(bench, [one], async (servers) => measure(bench, one, servers.get(one)))));
		}
		return figures;
	},
};

async function measure(bench: Bench, { runtime, spec }: Contestant, server: Server | undefined): Promise<Figure[]> {
	if (server === undefined) return [];
	const { name, port } = server;
	await until(port, "all workers run", (figures) => figures.sum("function_workers_ready") >= WORKERS);
	bench.report(`${name}: reload of ${WORKERS} workers`);
	const file = join(spec.env["KUBELESS_INSTALL_VOLUME"] as string, basename(runtime.hello));
	let isDone = false;
	const answered = probes(port, () => isDone);
	appendFileSync(file, "\n"); // a new version
	const isOver = (figures: Figures) =>
		figures.sum("function_worker_starts_total") >= 2 * WORKERS && figures.sum("function_workers_ready") >= WORKERS;
	await until(port, "the new workers run", isOver);
	isDone = true;
	const taken = (await answered).sort((a, b) => a - b);
	const one = (what: string, value: number): Figure => figure({ what, of: name, unit: "ms", samples: [value], target: "health" });
	return [
		one("99 of 100 answers within", taken[Math.floor(taken.length * 0.99)] ?? Number.NaN),
		one("the latest answer", taken.at(-1) ?? Number.NaN),
	];
}

/** Asks /healthz at the interval, also while earlier answers are awaited. Returns the times. */
async function probes(port: number, isDone: () => boolean): Promise<number[]> {
	const answers: Promise<number>[] = [];
	while (!isDone()) {
		answers.push(ask(port, { path: "/healthz" }).then(({ ms }) => ms));
		await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
	}
	return Promise.all(answers);
}

async function until(port: number, what: string, holds: (figures: Figures) => boolean): Promise<void> {
	const deadline = performance.now() + PATIENCE_MS;
	while (!holds(new Figures((await ask(port, { path: "/metrics" })).text))) {
		if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}
