import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { conformanceFile } from "../../kubeless-loader/src/conform/candidate.ts";
import { expand, type Manifest } from "../../kubeless-loader/src/manifest.ts";
import { type Outcome, playVectors } from "./vectors.ts";

/** Where versions are installed, and functions are compiled with them. */
export const CACHE = join(import.meta.dirname, "../../node_modules/.cache/versions");

/** Factor for the time limits of vectors: on a busy machine only a hang reaches them. */
const PATIENCE = "10";

/** Needs of optional vectors that a worker has on later versions only. */
const LACKS = [{ id: "php", before: 8, need: "recursion" }];

/** A version of a language. */
export interface Subject {
	readonly manifest: Manifest;
	readonly version: string;
	/** where it came from, for tables */
	readonly by: string;
	readonly env: NodeJS.ProcessEnv;
}

/** Where to look for versions, besides PATH. */
export interface Places {
	/** folders of executables */
	readonly folders?: readonly string[];
	/** the Debian suite whose chroot this is */
	readonly from?: string | undefined;
	/** the VERSIONS that toolchain.others of the manifest installs, by blanks; default: all */
	readonly wanted?: string | undefined;
}

/** Returns each version once, the one on PATH first. */
export function versionsOf(manifest: Manifest, { folders = [], from, wanted }: Places): Subject[] {
	const found = new Map<string, Subject>();
	// In a chroot, versions from other places than Debian would only be repeated.
	const further = from === undefined || manifest.toolchain?.others?.debian ? others(manifest, wanted) : [];
	const places = [undefined, ...folders, ...further].map((line) => line?.split("\t"));
	for (const place of places) {
		const [folder, by = from ?? "installed"] = place ?? [];
		const env = environment(folder);
		const version = versionIn(check(manifest, env));
		if (version !== undefined && !found.has(version)) found.set(version, { manifest, version, by, env });
	}
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
function others({ id, folder, toolchain }: Manifest, wanted: string | undefined): string[] {
	if (!toolchain?.others) return [];
	const place = join(CACHE, id);
	mkdirSync(place, { recursive: true });
	const env = {
		...environment(undefined),
		RUNTIME_DIR: folder,
		VERSIONS_DIR: place,
		...(wanted === undefined ? {} : { VERSIONS: wanted }),
	};
	const [command = "", ...args] = toolchain.others.command.map((word) => expand(word, env));
	const { status, stdout } = spawnSync(command, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
	if (status !== 0) throw new Error(`${id}: ${command} ${args.join(" ")} ended with ${status}`);
	return stdout.split("\n").filter((line) => line !== "");
}

function environment(folder: string | undefined): NodeJS.ProcessEnv {
	const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
	return folder === undefined ? env : { ...env, PATH: `${folder}${delimiter}${env["PATH"]}` };
}

/** Plays the wire's vectors to the worker of a manifest on one version of its language. */
export function play({ manifest, version, env }: Subject): Promise<Outcome> {
	const { id, folder } = manifest;
	const cache = join(CACHE, "loader", `${id}-${version}`);
	const lacks = LACKS.filter(({ id: one, before }) => one === id && Number.parseInt(version, 10) < before).flatMap(({ need }) => [
		"--lacks",
		need,
	]);
	const options = ["--patience", PATIENCE, ...lacks, ...builtFunction(manifest, `${cache}-examples`, env)];
	return playVectors(join(folder, "runtime.json"), { ...env, KUBELESS_LOADER_CACHE: cache }, options);
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
