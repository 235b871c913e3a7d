import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DependencyCache } from "../local/dependencies.ts";
import { DEFAULT_CONCURRENCY, expand, type Manifest } from "../manifest.ts";
import type { Candidate } from "./start.ts";

/**
 * Returns the candidate for a command without a manifest: unless it states a number, it is sent one
 * call at a time.
 */
export function plainCandidate(command: readonly string[], file: string | undefined, env: NodeJS.ProcessEnv): Candidate {
	return { command, env: { ...env, ...volumeOf(file) }, file, concurrency: DEFAULT_CONCURRENCY.single, lacks: {} };
}

/**
 * Returns the candidate for a manifest, with the environment that the loader would give its worker.
 */
export function manifestCandidate(manifest: Manifest, file: string | undefined, given: NodeJS.ProcessEnv): Candidate {
	const { folder, worker, lacks = {} } = manifest;
	const env: NodeJS.ProcessEnv = { ...given, ...volumeOf(file), RUNTIME_DIR: folder };
	env["RUNTIME_LIBRARIES"] ??= join(folder, "libraries");
	for (const [name, value] of Object.entries(manifest.env ?? {})) env[name] = expand(value, env);
	return { command: worker, env, file, folder, concurrency: DEFAULT_CONCURRENCY[manifest.concurrency], lacks };
}

/**
 * Adds the libraries that the worker offers to functions; they are installed unless an image or the
 * environment has them.
 */
export async function withLibraries(candidate: Candidate, manifest: Manifest, cache: DependencyCache): Promise<Candidate> {
	const { libraries, folder } = manifest;
	const place = join(folder, "libraries");
	if (!libraries || candidate.env["RUNTIME_LIBRARIES"] !== place || existsSync(place)) return candidate;
	return { ...candidate, env: { ...candidate.env, RUNTIME_LIBRARIES: await cache.installed(manifest, join(folder, libraries)) } };
}

/** Returns a runtime's own file with the conformance handlers, if it has one. */
export function conformanceFile({ folder, suffixes = [] }: Manifest): string | undefined {
	return suffixes.map((suffix) => join(folder, "examples", `conformance${suffix}`)).find((file) => existsSync(file));
}

const volumeOf = (file: string | undefined) => (file === undefined ? {} : { KUBELESS_INSTALL_VOLUME: dirname(file) });
