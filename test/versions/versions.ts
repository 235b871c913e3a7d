// npm run test:versions: runs the vectors on every version of every language that this machine has
// or can install. Takes minutes.
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { conformanceFile } from "../../kubeless-loader/src/conform/candidate.ts";
import { expand, type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";

const USAGE = `Usage: npm run test:versions -- [options] [FOLDER …]

Runs the wire's vectors with every worker on every version of its language: on PATH, in each FOLDER of executables, and in
the folders that toolchain.others of a manifest prints.

  --debian SUITE    also with the versions of this Debian suite, such as trixie, in a chroot that is made once. May be
                    repeated. Needs root and mmdebstrap.
  --only A,B        only these runtimes
  --help            this text
`;

const ROOT = join(import.meta.dirname, "../..");
const LOADER = join(ROOT, "kubeless-loader/bin.mjs");
const CACHE = join(ROOT, "node_modules/.cache/versions");

/** A version of a language. */
interface Subject {
	readonly manifest: Manifest;
	readonly version: string;
	readonly env: NodeJS.ProcessEnv;
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { debian: { type: "string", multiple: true }, only: { type: "string" }, help: { type: "boolean", short: "h" } },
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
	const only = values.only?.split(",");
	const manifests = readManifests(join(ROOT, "runtimes")).filter(
		(manifest) => conformanceFile(manifest) && (only?.includes(manifest.id) ?? true),
	);
	const subjects = manifests.flatMap(versionsOf);
	let broken = 0;
	const next = subjects.values();
	// Most of the time is waiting, so this runs one more than there are CPUs.
	const runner = async (): Promise<void> => {
		for (const subject of next) if (!(await passes(subject))) broken++;
	};
	await Promise.all(Array.from({ length: availableParallelism() + 1 }, runner));
	for (const suite of values.debian ?? []) if (!inDebian(suite)) broken++;
	return broken === 0 ? 0 : 1;
}

/** Returns each version once, the one on PATH first. */
function versionsOf(manifest: Manifest): Subject[] {
	const found = new Map<string, Subject>();
	for (const folder of [undefined, ...positionals, ...others(manifest)]) {
		const env = environment(folder);
		const version = versionIn(check(manifest, env));
		if (version !== undefined && !found.has(version)) found.set(version, { manifest, version, env });
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
	return /\d+(?:\.\d+)+/.exec(`${stdout} ${stderr}`)?.[0] ?? "any";
}

/** Returns folders of executables with further versions, from toolchain.others of the manifest. */
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

async function passes({ manifest: { id, name, folder }, version, env }: Subject): Promise<boolean> {
	const started = performance.now();
	const cache = join(CACHE, "loader", `${id}-${version}`);
	const args = [LOADER, "conform", "--manifest", join(folder, "runtime.json"), "--patience", "10"];
	const child = spawn(process.execPath, args, { env: { ...env, KUBELESS_LOADER_CACHE: cache }, stdio: ["ignore", "pipe", "pipe"] });
	let output = "";
	for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
	const [code] = await once(child, "close");
	const counts = output.match(/^(?:Mandatory|Optional):.*$/gm)?.map((line) => line.replace(/ +/g, " ")) ?? [];
	const seconds = ((performance.now() - started) / 1000).toFixed(0);
	console.log(`${code === 0 ? "ok    " : "BROKEN"} ${name} ${version}  ${counts.join("; ")}  (${seconds} s)`);
	if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "       "));
	return code === 0;
}

/** Runs this program in a chroot of that Debian suite. */
function inDebian(suite: string): boolean {
	const manifests = readManifests(join(ROOT, "runtimes"));
	const packages = new Set(manifests.flatMap(({ toolchain }) => [...(toolchain?.debian ?? []), ...(toolchain?.others?.debian ?? [])]));
	const script = join(import.meta.dirname, "debian.sh");
	const place = join(CACHE, suite);
	const again = [process.execPath, import.meta.filename, ...(values.only === undefined ? [] : ["--only", values.only])];
	console.log(`\nDebian ${suite}${existsSync(place) && readdirSync(place).length > 0 ? "" : ", which takes some minutes to install"}`);
	const env = { ...process.env, TMPDIR: tmpdir() };
	const { status } = spawnSync("sh", [script, suite, place, [...packages].join(" "), ROOT, ...again], { env, stdio: "inherit" });
	return status === 0;
}
