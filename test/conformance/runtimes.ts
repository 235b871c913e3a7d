import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { conformanceFile, manifestCandidate } from "../../kubeless-loader/src/conform/candidate.ts";
import type { Candidate } from "../../kubeless-loader/src/conform/conform.ts";
import { expand, type Manifest, readManifests, type Speaks } from "../../kubeless-loader/src/manifest.ts";
import { installLibraries, type Libraries, prepareLibraries } from "../support/libraries.ts";

/** Factor for the time limits of vectors: on a busy machine only a hang reaches them. */
export const PATIENCE = 10;

/** A runtime that has conformance handlers. */
export interface Runtime {
	readonly id: string;
	/** its folder in runtimes/ */
	readonly folder: string;
	/** why the runtime cannot run on this machine; undefined if it can */
	readonly missing: string | undefined;
	/** the runtime is missing and can be installed, which is a failure in CI */
	readonly wanted: boolean;
	readonly speaks: Speaks;
	/** the features that the worker lacks, with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** installs the libraries that the worker offers to functions */
	readonly candidate: () => Candidate & { readonly file: string };
	/** does the same installation while other tests go on */
	readonly prepare: () => Promise<void>;
}

const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));

export function readRuntimes(only?: string): Runtime[] {
	return readManifests(RUNTIMES)
		.filter(({ id }) => only === undefined || id === only)
		.flatMap(readRuntime);
}

function readRuntime(manifest: Manifest): Runtime[] {
	const file = conformanceFile(manifest);
	if (!file) return [];
	const { id, folder, name, speaks, toolchain, lacks = {} } = manifest;
	const [command = "true", ...args] = toolchain?.check ?? [];
	const { status, stdout } = spawnSync(command, args, { env: baseEnv(), encoding: "utf8" });
	const hint = toolchain?.absent ?? (toolchain?.debian && `on Debian: apt-get install ${toolchain.debian.join(" ")}`);
	const missing = status === 0 ? undefined : `${name} is missing: "${[command, ...args].join(" ")}" fails${hint ? `; ${hint}` : ""}`;
	const wanted = missing !== undefined && Boolean(process.env["CI"]) && toolchain?.absent === undefined;
	const prepare = async () => {
		const libraries = librariesOf(manifest, stdout);
		if (libraries) await prepareLibraries(libraries, { ...baseEnv(), RUNTIME_DIR: folder });
	};
	return [{ id, folder, missing, wanted, speaks, lacks, prepare, candidate: () => candidateOf(manifest, file, stdout) }];
}

function candidateOf(manifest: Manifest, file: string, version: string): Candidate & { readonly file: string } {
	const env = baseEnv();
	const libraries = librariesOf(manifest, version);
	if (libraries) env["RUNTIME_LIBRARIES"] = installLibraries(libraries, { ...env, RUNTIME_DIR: manifest.folder });
	return { ...manifestCandidate(manifest, file, env), file, patience: PATIENCE };
}

/** Returns the libraries that the worker offers to functions, if there are any. */
function librariesOf({ id, folder, install, libraries }: Manifest, version: string): Libraries | undefined {
	if (!install || !libraries) return undefined;
	return { id, folder, install: install.map((word) => expand(word, { ...baseEnv(), RUNTIME_DIR: folder })), libraries, version };
}

/**
 * Returns the environment as a container would have it: this Node.js first in PATH, and no
 * variables of the test runner.
 */
export function baseEnv(): NodeJS.ProcessEnv {
	const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
	return { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env["PATH"] ?? ""}` };
}
