// The function that notes its executions, in every language that has one, and for every kind of
// worker.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expand, type Manifest, readManifests, type Speaks } from "../../kubeless-loader/src/manifest.ts";
import { baseEnv } from "../conformance/runtimes.ts";
import { installLibraries } from "../support/libraries.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";

const EXAMPLE = "faults";
/** The function's versions, in the order in which they are served. The source has the first. */
export const VERSIONS = ["one", "two", "three"] as const;
export type Version = (typeof VERSIONS)[number];
const VERSION = /(?<=version\s*=\s*["']?)one\b/i;

export interface Language {
	readonly id: string;
	/** Returns why it cannot be tested on this machine; undefined: it can. */
	missing(): string | undefined;
	/** Makes what the runs share. */
	prepare(owner: Owner): Subject;
}

/** A function, ready to be served. */
export interface Subject {
	readonly id: string;
	readonly speaks: Speaks;
	/** Its folder is the same in all runs, as the caches of compilers depend on it. */
	readonly volume: string;
	/** the path of the function's file in this folder */
	readonly file: string;
	readonly env: Readonly<Record<string, string>>;
	readonly sources: Readonly<Record<Version | "broken", Buffer>>;
}

/**
 * Replaces the function's file: "rename" at once, "write" in place, so that a reader may see a
 * part of it.
 */
export function replace({ file, speaks, sources }: Subject, to: Version | "broken", way: "rename" | "write"): void {
	if (way === "write" && speaks !== "command") return writeFileSync(file, sources[to]);
	const aside = `${file}.new`;
	writeFileSync(aside, sources[to]);
	renameSync(aside, file);
}

const FOLDERS = ["../../runtimes", "./kinds"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** Returns the languages whose examples have the function. */
export function languages(): Language[] {
	return FOLDERS.flatMap(readManifests).flatMap((manifest) => {
		const { id, folder, suffixes = [], toolchain, name } = manifest;
		const examples = join(folder, "examples");
		const build = join(examples, "build.sh");
		const suffix = suffixes.find((one) => existsSync(join(examples, EXAMPLE + one))) ?? (existsSync(build) ? suffixes[0] : undefined);
		if (suffix === undefined) return [];
		const [command = "true", ...args] = toolchain?.check ?? [];
		const check = () => spawnSync(command, args, { env: baseEnv(), encoding: "utf8" });
		const missing = () => (check().status === 0 ? undefined : `${name} is missing: "${[command, ...args].join(" ")}" fails`);
		return [{ id, missing, prepare: (owner: Owner) => prepare(owner, manifest, suffix, check().stdout) }];
	});
}

function prepare(owner: Owner, manifest: Manifest, suffix: string, version: string): Subject {
	const { id, folder: home } = manifest;
	const place = folder(owner);
	const volume = join(place, "function");
	mkdirSync(volume);
	const names = join(home, "examples/handlers.json");
	const module = (existsSync(names) && JSON.parse(readFileSync(names, "utf8"))[EXAMPLE]) || EXAMPLE;
	return {
		id,
		speaks: manifest.speaks,
		volume,
		file: join(volume, module + suffix),
		env: {
			MOD_NAME: module,
			FUNC_HANDLER: "notes",
			KUBELESS_RUNTIME_MANIFEST: join(home, "runtime.json"),
			...libraries(manifest, version),
		},
		sources: existsSync(join(home, "examples", EXAMPLE + suffix))
			? sourcesOf(readFileSync(join(home, "examples", EXAMPLE + suffix), "utf8"), manifest.speaks)
			: built(home, suffix, place),
	};
}

function sourcesOf(text: string, speaks: Speaks): Subject["sources"] {
	if (!VERSION.test(text)) throw new Error("the function has no version");
	const of = (version: Version) => Buffer.from(text.replace(VERSION, version));
	// Not a part of the text: a shell file without functions is a program, and no error.
	// A command is read for each call, so a broken one would be served.
	const broken = speaks === "command" ? of("one") : Buffer.from(`${text}\n}{ ((\n`);
	return { one: of("one"), two: of("two"), three: of("three"), broken };
}

/** Runs examples/build.sh, which makes what cannot be read as text. */
function built(home: string, suffix: string, place: string): Subject["sources"] {
	const names = VERSIONS.map((version) => `${EXAMPLE}-${version}`);
	const { status, stderr } = spawnSync("sh", [join(home, "examples/build.sh"), place, ...names], { env: baseEnv(), encoding: "utf8" });
	if (status !== 0) throw new Error(`build.sh failed: ${stderr}`);
	const [one, two, three] = names.map((name) => readFileSync(join(place, name + suffix))) as [Buffer, Buffer, Buffer];
	return { one, two, three, broken: one.subarray(0, 100) };
}

function libraries({ id, install, libraries, folder }: Manifest, version: string): Record<string, string> {
	if (!install || !libraries) return {};
	const env = { ...baseEnv(), RUNTIME_DIR: folder };
	const command = install.map((word) => expand(word, env));
	return { RUNTIME_LIBRARIES: installLibraries({ id, folder, install: command, libraries, version }, env) };
}
