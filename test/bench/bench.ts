import { relative } from "node:path";
import { endAllAtExit } from "./children.ts";
import type { Figure } from "./figure.ts";
import { buildIfStale, needTools } from "./needs.ts";
import { type Options, readOptions, UsageError } from "./options.ts";
import { watchOthers } from "./others.ts";
import { overview } from "./overview.ts";
import { progress } from "./progress.ts";
import { describeMachine, type ScenarioResults, writeResults } from "./results.ts";
import { findRuntimes } from "./runtimes.ts";
import type { Scenario } from "./scenario.ts";
import { bookkeeping } from "./scenarios/bookkeeping.ts";
import { events } from "./scenarios/events.ts";
import { health } from "./scenarios/health.ts";
import { hello } from "./scenarios/hello.ts";
import { idle } from "./scenarios/idle.ts";
import { json } from "./scenarios/json.ts";
import { large } from "./scenarios/large.ts";
import { latency } from "./scenarios/latency.ts";
import { overload } from "./scenarios/overload.ts";
import { proxy } from "./scenarios/proxy.ts";
import { size } from "./scenarios/size.ts";
import { slow } from "./scenarios/slow.ts";
import { starting } from "./scenarios/start.ts";
import { table } from "./table.ts";
import { tryOut } from "./trial.ts";

const SCENARIOS: readonly Scenario[] = [
	hello,
	latency,
	json,
	large,
	slow,
	overload,
	health,
	starting,
	idle,
	bookkeeping,
	proxy,
	size,
	events,
];
/** If other processes use more CPUs than this, the measured times are not reliable. */
const BUSY = 0.1;

try {
	const options = readOptions(
		process.argv.slice(2),
		SCENARIOS.map(({ name }) => name),
	);
	if (typeof options === "string") process.stdout.write(options);
	else await bench(options);
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}
// Open handles of a failed scenario must not keep this process or its children running.
process.exit();

async function bench(options: Options): Promise<void> {
	endAllAtExit();
	needTools();
	const found = findRuntimes(options.only);
	buildIfStale((what) => console.error(what));
	const { able: runtimes, skipped } = await tryOut(found.runtimes);
	const machine = describeMachine();
	const notes = [...found.skipped, ...skipped].map(({ what, why }) => `${what} is not measured: ${why}`);
	console.log(`${machine.cpu}, ${machine.cpus} CPUs, Node.js ${machine.node}, wrk ${machine.wrk}`);
	console.log(
		`${options.rounds} rounds of ${options.duration} s; ${runtimes.map(({ id }) => id).join(", ") || "no runtime can be measured"}\n`,
	);

	const scenarios: ScenarioResults[] = [];
	for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios?.includes(name) ?? true)) {
		const { name, title } = scenario;
		const { report, end } = progress(title);
		const note = (what: string) => void notes.push(`${name}: ${what}`);
		const others = watchOthers();
		// A failed scenario must not lose the figures of the others.
		const figures = await scenario.run({ options, runtimes, report, note }).catch((error: Error): Figure[] => {
			note(error.message);
			return [];
		});
		const othersCpus = others();
		end();
		const busy = othersCpus > BUSY ? ` (other processes used ${othersCpus.toFixed(1)} of ${machine.cpus} CPUs)` : "";
		if (figures.length > 0) console.log(`${title}${busy}\n${table(figures)}`);
		scenarios.push({ name, title, othersCpus, figures });
	}
	console.log(`Targets, and the figures that miss them (!)\n${overview(scenarios)}`);
	for (const text of notes) console.log(`! ${text}`);
	const files = writeResults({ date: new Date().toISOString(), machine, options, scenarios, notes });
	for (const file of files) console.log(`written to ${relative(process.cwd(), file)}`);
}
