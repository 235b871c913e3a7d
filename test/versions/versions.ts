// npm run test:versions: runs the vectors on every version of every language that this machine has
// or can install, and checks the workers for versions that cannot be had. Takes minutes.
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { conformanceFile } from "../../kubeless-loader/src/conform/candidate.ts";
import { expand, type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { checks } from "./checks.ts";
import { type Result, record, table, today } from "./results.ts";
import { playVectors } from "./vectors.ts";

const USAGE = `Usage: npm run test:versions -- [options] [FOLDER …]

Runs the wire's vectors with every worker on every version of its language: on PATH, in each FOLDER of executables, and in
the folders that toolchain.others of a manifest prints. Then checks the syntax of workers for versions that cannot be had.

  --debian SUITE    also with the versions of this Debian suite, such as trixie, in a chroot that is made once. May be
                    repeated. Needs root and mmdebstrap.
  --only A,B        only these runtimes
  --record          write the results into test/versions/results.json, of which docs/support.md is made
  --from WHERE      the origin of the versions on PATH, for the table
  --help            this text
`;

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, "node_modules/.cache/versions");
/** Factor for the time limits of vectors: on a busy machine only a hang reaches them. */
const PATIENCE = "10";

/** A version of a language. */
interface Subject {
	readonly manifest: Manifest;
	readonly version: string;
	readonly by: string;
	readonly env: NodeJS.ProcessEnv;
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		debian: { type: "string", multiple: true },
		only: { type: "string" },
		record: { type: "boolean" },
		from: { type: "string" },
		help: { type: "boolean", short: "h" },
	},
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
	const only = values.only?.split(",");
	const manifests = readManifests(join(ROOT, "runtimes")).filter(({ id, speaks }) => speaks === "wire" && (only?.includes(id) ?? true));
	const results: Result[] = [];
	const next = manifests.flatMap(versionsOf).values();
	const runner = async (): Promise<void> => {
		for (const subject of next) finish(await play(subject));
	};
	const finish = (result: Result): void => {
		results.push(result);
		if (values.record) record([result]);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, runner));
	// In a chroot the checks would only be repeated.
	if (values.from === undefined) for (const { id } of manifests) for (const result of checks(id, CACHE)) finish(result);
	console.log(`\n${table(results)}`);
	const suites = (values.debian ?? []).map(inDebian);
	return [...results.map(({ ok }) => ok), ...suites].every(Boolean) ? 0 : 1;
}

/** Returns each version once, the one on PATH first. */
function versionsOf(manifest: Manifest): Subject[] {
	const found = new Map<string, Subject>();
	// In a chroot, versions from other places than Debian would only be repeated.
	const further = values.from === undefined || manifest.toolchain?.others?.debian ? others(manifest) : [];
	const places = [undefined, ...positionals, ...further].map((line) => line?.split("\t"));
	for (const place of places) {
		const [folder, by = values.from ?? "installed"] = place ?? [];
		const env = environment(folder);
		const version = versionIn(check(manifest, env));
		if (version !== undefined && !found.has(version)) found.set(version, { manifest, version, by, env });
	}
	if (found.size === 0) console.log(`MISSING: ${manifest.name}: ${manifest.toolchain?.check.join(" ")} fails`);
	return [...found.values()];
}

function check({ toolchain }: Manifest, env: NodeJS.ProcessEnv): SpawnSyncReturns<string> {
	const [command = "true", ...args] = toolchain?.check ?? [];
	return spawnSync(command, args, { env, encoding: "utf8" });
}

/** Returns the version in the output of the manifest's check; "any" if the output has none. */
function versionIn({ status, stdout, stderr }: SpawnSyncReturns<string>): string | undefined {
	if (status !== 0) return undefined;
	return /\d+(?:\.\d+)*/.exec(`${stdout} ${stderr}`)?.[0] ?? "any";
}

/**
 * Returns what toolchain.others of the manifest prints: folders of executables with further
 * versions, each with its origin after a tab.
 */
function others({ id, folder, toolchain }: Manifest): string[] {
	if (!toolchain?.others) return [];
	const place = join(CACHE, id);
	mkdirSync(place, { recursive: true });
	const env = { ...environment(undefined), RUNTIME_DIR: folder, VERSIONS_DIR: place };
	const [command = "", ...args] = toolchain.others.command.map((word) => expand(word, env));
	const { status, stdout } = spawnSync(command, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
	if (status !== 0) throw new Error(`${id}: ${command} ${args.join(" ")} ended with ${status}`);
	return stdout.split("\n").filter((line) => line !== "");
}

function environment(folder: string | undefined): NodeJS.ProcessEnv {
	const { NODE_OPTIONS: _, ...env } = process.env;
	return folder === undefined ? env : { ...env, PATH: `${folder}${delimiter}${env["PATH"]}` };
}

async function play({ manifest, version, by, env }: Subject): Promise<Result> {
	const { id, name, folder } = manifest;
	const started = performance.now();
	const cache = join(CACHE, "loader", `${id}-${version}`);
	const options = ["--patience", PATIENCE, ...builtFunction(manifest, `${cache}-examples`, env)];
	const outcome = await playVectors(join(folder, "runtime.json"), { ...env, KUBELESS_LOADER_CACHE: cache }, options);
	const { code, output, mandatory, optional } = outcome;
	const seconds = ((performance.now() - started) / 1000).toFixed(0);
	console.log(`${code === 0 ? "ok    " : "BROKEN"} ${name} ${version}: kept ${mandatory} + ${optional}  (${seconds} s)`);
	if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "       "));
	return { runtime: id, version, level: "run", by, mandatory, optional, ok: code === 0, date: today() };
}

/**
 * Returns the option that names the function for the vectors, if examples/build.sh has to make it.
 */
function builtFunction(manifest: Manifest, place: string, env: NodeJS.ProcessEnv): string[] {
	const build = join(manifest.folder, "examples/build.sh");
	if (conformanceFile(manifest) || !existsSync(build)) return [];
	const { status } = spawnSync("sh", [build, place], { env, stdio: ["ignore", "ignore", "inherit"] });
	if (status !== 0) throw new Error(`${manifest.id}: ${build} ended with ${status}`);
	return ["--function", join(place, `conformance${manifest.suffixes?.[0]}`)];
}

/** Runs this program in a chroot of that Debian suite. Returns whether nothing is broken. */
function inDebian(suite: string): boolean {
	const manifests = readManifests(join(ROOT, "runtimes"));
	const packages = new Set(manifests.flatMap(({ toolchain }) => [...(toolchain?.debian ?? []), ...(toolchain?.others?.debian ?? [])]));
	const script = join(import.meta.dirname, "debian.sh");
	const place = join(CACHE, suite);
	const options = [...(values.only === undefined ? [] : ["--only", values.only]), ...(values.record ? ["--record"] : [])];
	const again = [process.execPath, import.meta.filename, "--from", `Debian ${suite}`, ...options];
	console.log(`\nDebian ${suite}${existsSync(place) && readdirSync(place).length > 0 ? "" : ", which takes some minutes to install"}`);
	const env = { ...process.env, TMPDIR: tmpdir() };
	const { status } = spawnSync("sh", [script, suite, place, [...packages].join(" "), ROOT, ...again], { env, stdio: "inherit" });
	return status === 0;
}
