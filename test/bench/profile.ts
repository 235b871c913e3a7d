// npm run profile -- RUNTIME: prints the self times of the loader's functions under the load of the
// bench.
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endAllAtExit, temporaryFolder } from "./children.ts";
import { type ProfileSummary, readCpuProfile } from "./cpuprofile.ts";
import { buildIfStale, needTools } from "./needs.ts";
import { above0, UsageError } from "./options.ts";
import { cpuSeconds } from "./processes.ts";
import { findRuntimes } from "./runtimes.ts";
import { loaderSpec, start } from "./servers.ts";
import { wrk } from "./wrk.ts";

const USAGE = `Usage: npm run profile -- RUNTIME [options]

Loads a loader with that runtime's hello world, and prints the functions that took the most time themselves.

  --seconds S       how long (default 5)
  --connections N   at once (default 32)
  --top N           functions to print (default 25)
  --workers         profile the workers too, where they are Node.js processes
  --help            this text

The profiles are kept in test/bench/results/, for the performance panel of a browser's developer tools.
`;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RESULTS = fileURLToPath(new URL("./results", import.meta.url));
// Runs the sources: in the minified bundle names and lines are lost.
const LOADER = join(ROOT, "kubeless-loader/src/main.ts");
/** The sampling interval in µs: finer than V8's default, with little overhead. */
const INTERVAL = 250;
/** The warm-up before the profile, in s: V8 compiles in that time. */
const WARM_UP = 2;

async function main(): Promise<number> {
	const { values, positionals } = readArguments();
	if (values.help) {
		process.stdout.write(USAGE);
		return 0;
	}
	const duration = above0("--seconds", values.seconds, 5);
	const connections = above0("--connections", values.connections, 32);
	const top = above0("--top", values.top, 25);
	const [id, ...more] = positionals;
	if (id === undefined || more.length > 0) throw new UsageError("Which runtime? Give one: npm run profile -- RUNTIME.");
	endAllAtExit();
	needTools();
	const { runtimes, skipped } = findRuntimes([id]);
	buildIfStale((what) => console.error(what));
	const [runtime] = runtimes;
	if (!runtime) throw new UsageError(`${id} cannot be profiled: ${skipped[0]?.why}.`);

	const folder = temporaryFolder();
	const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL}`];
	// Flags in the environment apply to all Node.js processes below the loader, flags on the command
	// line to the loader only.
	const own = values.workers ? [] : flags;
	const env: Record<string, string> = values.workers ? { NODE_OPTIONS: flags.join(" ") } : {};
	const server = await start(loaderSpec(id, runtime.hello, "", env, [process.execPath, ...own, LOADER]));
	await wrk({ port: server.port, connections, duration: WARM_UP });
	const before = cpuSeconds(server.pid);
	const from = microseconds();
	const { calls } = await wrk({ port: server.port, connections, duration });
	const to = microseconds();
	const cpu = ((cpuSeconds(server.pid) - before) / calls) * 1e6;
	await server.stop(); // processes write their profiles at exit
	console.log(
		`${id}: ${calls} calls in ${duration} s over ${connections} connections, ${cpu.toFixed(1)} µs of CPU per call in the loader and its workers\n`,
	);
	mkdirSync(RESULTS, { recursive: true });
	for (const file of readdirSync(folder).sort()) {
		const owner = new RegExp(`\\.${server.pid}\\.`).test(file) ? "loader" : "worker";
		const kept = join(RESULTS, `${id}-${owner}-${file}`);
		renameSync(join(folder, file), kept);
		print(owner, readCpuProfile(kept, from, to), calls, top);
		console.log(`kept in ${relative(process.cwd(), kept)}\n`);
	}
	return 0;
}

function readArguments() {
	const text = { type: "string" } as const;
	const flag = { type: "boolean" } as const;
	const options = { seconds: text, connections: text, top: text, workers: flag, help: { ...flag, short: "h" } };
	try {
		return parseArgs({ allowPositionals: true, options });
	} catch (cause) {
		throw new UsageError(`${(cause as Error).message}. npm run profile -- --help shows the options.`);
	}
}

function print(owner: string, { functions, busy }: ProfileSummary, calls: number, top: number): void {
	console.log(`${owner}: ${(busy / calls).toFixed(2)} µs per call in JavaScript and native code, including waits for a CPU`);
	console.log("   self  per call  function");
	for (const { name, place, self } of functions.slice(0, top)) {
		const share = `${((self / busy) * 100).toFixed(1)} %`.padStart(7);
		const each = `${(self / calls).toFixed(2)} µs`.padStart(9);
		console.log(`${share} ${each}  ${name}  ${place.replace(/^file:\/\//, "").replace(ROOT, "")}`.trimEnd());
	}
}

const microseconds = (): number => Number(process.hrtime.bigint() / 1000n);

try {
	process.exitCode = await main();
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}
process.exit();
