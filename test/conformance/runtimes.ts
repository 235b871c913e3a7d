import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { conformanceFile, manifestCandidate } from "../../kubeless-loader/src/conform/candidate.ts";
import type { Candidate } from "../../kubeless-loader/src/conform/conform.ts";
import { expand, type Manifest, readManifests, type Speaks } from "../../kubeless-loader/src/manifest.ts";
import { installLibraries } from "../support/libraries.ts";

/** Factor for the time limits of vectors: on a busy machine only a hang reaches them. */
export const PATIENCE = 10;

/** A runtime with conformance handlers. */
export interface Runtime {
	readonly id: string;
	/** the reason why its tests cannot run here; undefined if they can */
	readonly missing: string | undefined;
	/** true: the language is missing and must not be, as in CI, so its tests fail */
	readonly wanted: boolean;
	readonly speaks: Speaks;
	/** the needs that its worker does not meet, each with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** installs the libraries that the worker offers to functions, if there are any */
	readonly candidate: () => Candidate & { readonly file: string };
}

const folder = fileURLToPath(new URL("../../runtimes", import.meta.url));

export function readRuntimes(): Runtime[] {
	return readManifests(folder).flatMap(readRuntime);
}

function readRuntime(manifest: Manifest): Runtime[] {
	const file = conformanceFile(manifest);
	if (!file) return [];
	const { id, name, speaks, toolchain, lacks = {} } = manifest;
	const [command = "true", ...args] = toolchain?.check ?? [];
	const { status, stdout } = spawnSync(command, args, { env: baseEnv(), encoding: "utf8" });
	const cure = toolchain?.absent ?? (toolchain?.debian && `on Debian: apt-get install ${toolchain.debian.join(" ")}`);
	const missing = status === 0 ? undefined : `${name} is missing: "${[command, ...args].join(" ")}" fails${cure ? `; ${cure}` : ""}`;
	const wanted = missing !== undefined && Boolean(process.env["CI"]) && toolchain?.absent === undefined;
	return [{ id, missing, wanted, speaks, lacks, candidate: () => candidateOf(manifest, file, stdout) }];
}

function candidateOf(manifest: Manifest, file: string, version: string): Candidate & { readonly file: string } {
	const env = baseEnv();
	const { id, install, libraries, folder } = manifest;
	if (install && libraries) {
		const command = install.map((word) => expand(word, { ...env, RUNTIME_DIR: folder }));
		env["RUNTIME_LIBRARIES"] = installLibraries({ id, folder, install: command, libraries, version }, { ...env, RUNTIME_DIR: folder });
	}
	return { ...manifestCandidate(manifest, file, env), file, patience: PATIENCE };
}

/** Returns an environment as in a container: this Node.js first in PATH, without the test runner's variables. */
export function baseEnv(): NodeJS.ProcessEnv {
	const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
	return { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env["PATH"] ?? ""}` };
}
