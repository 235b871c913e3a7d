// Everything the loader knows of a language: the facts in its runtime.json.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StartError } from "./errors.ts";
import { violation } from "./manifest-schema.ts";

/** How a worker runs calls: many on one event loop, on threads, or one at a time. */
export type Concurrency = "async" | "threads" | "single";

/**
 * Calls that a worker takes at once, if neither the worker nor the user states a number (PROTOCOL
 * 3.2).
 */
export const DEFAULT_CONCURRENCY: Readonly<Record<Concurrency, number>> = { async: 100, threads: 40, single: 1 };

/**
 * How the loader talks with a worker: frames on file descriptor 3, HTTP with a server, or one
 * process per call.
 */
export type Speaks = "wire" | "http" | "command";

/** Where a worker that is an HTTP server listens. */
export interface HttpSettings {
	/** at a loopback port (the default), or at a Unix socket */
	readonly listen?: "port" | "socket";
	/** the port of a server that always listens at the same one */
	readonly port?: number;
	/**
	 * the path that answers once the server is ready; undefined: it is ready when it takes connections
	 */
	readonly ready?: string;
}

/** The format of a command's output, if a command is run for each call. */
export interface CommandSettings {
	readonly output?: "body" | "cgi";
}

/** What a machine needs to run functions in a language. */
export interface Toolchain {
	readonly check: readonly string[];
	readonly debian?: readonly string[];
	/** further versions, for tests */
	readonly others?: { readonly command: readonly string[]; readonly debian?: readonly string[] };
	readonly absent?: string;
}

/**
 * The fields of `runtime.json` that the loader reads; `runtimes/runtime.schema.json` describes all
 * of them.
 */
export interface Manifest {
	readonly id: string;
	/** further ids, as FUNC_RUNTIME has them */
	readonly aliases?: readonly string[];
	readonly name: string;
	/** empty: there is no function file, the worker is the function */
	readonly suffixes: readonly string[];
	readonly depsFile?: string;
	readonly lockFiles?: readonly string[];
	readonly concurrency: Concurrency;
	readonly worker: readonly string[];
	readonly speaks: Speaks;
	readonly http?: HttpSettings;
	readonly command?: CommandSettings;
	readonly env?: Readonly<Record<string, string>>;
	readonly install?: readonly string[];
	readonly libraries?: string;
	/**
	 * the worker looks for the libraries when a function uses them, so it can start before they are
	 * installed
	 */
	readonly librariesOnDemand?: boolean;
	/** what the worker cannot do: a need of conformance vectors, and the reason */
	readonly lacks?: Readonly<Record<string, string>>;
	readonly toolchain?: Toolchain;
	/** suffixes and names of further files whose change reloads the function */
	readonly sources: readonly string[];
	/** names of files and folders whose changes are ignored */
	readonly ignore: readonly string[];
	/** the manifest's folder, for $(RUNTIME_DIR) */
	readonly folder: string;
}

/**
 * A manifest as it is written, with the schema's defaults; `stdio` is an older name of `command`.
 */
type GivenManifest = Omit<Manifest, "speaks" | "name" | "suffixes"> &
	Partial<Pick<Manifest, "name" | "suffixes">> & {
		readonly speaks?: Speaks | "stdio";
		readonly stdio?: CommandSettings;
	};

/**
 * Reads one manifest.
 * @throws {StartError} MANIFEST_INVALID, naming the field and what was expected
 */
export function readManifest(file: string): Manifest {
	let given: GivenManifest;
	try {
		given = JSON.parse(readFileSync(file, "utf8"));
	} catch (cause) {
		throw new StartError("MANIFEST_INVALID", `The runtime manifest ${file} cannot be read: ${(cause as Error).message}.`);
	}
	const wrong = violation(given);
	if (wrong) {
		const what = wrong.path === "" ? "the whole file" : `"${wrong.path}"`;
		throw new StartError("MANIFEST_INVALID", `In ${file}, ${what} must be ${wrong.expected}.`);
	}
	const { id, name = id, speaks = "wire", suffixes = [], stdio, ...rest } = given;
	const command = rest.command ?? stdio;
	return Object.freeze({
		...rest,
		id,
		name,
		speaks: speaks === "stdio" ? "command" : speaks,
		suffixes,
		...(command && { command }),
		folder: dirname(resolve(file)),
	});
}

/** Returns all manifests in a folder of runtimes, by id. */
export function readManifests(runtimes: string): Manifest[] {
	return readdirSync(runtimes)
		.map((id) => join(runtimes, id, "runtime.json"))
		.filter((file) => existsSync(file))
		.map(readManifest);
}

/**
 * Returns the runtime for a function file: by id, with or without a version, else by the file's
 * suffix, else by a second id.
 */
export function chooseManifest(
	manifests: readonly Manifest[],
	wanted: { id?: string | undefined; file?: string; otherwise?: string | undefined },
): Manifest {
	const ids = manifests.map((manifest) => manifest.id).join(", ");
	if (wanted.id) {
		// Kubeless's controller splits a runtime's name with this pattern.
		const id = /^[a-zA-Z_-]+/.exec(wanted.id)?.[0] ?? wanted.id;
		const found = manifests.find((manifest) => manifest.id === id || manifest.aliases?.includes(id));
		if (found) return found;
		throw new StartError("RUNTIME_UNKNOWN", `Unknown runtime "${wanted.id}": give one of ${ids}.`);
	}
	const file = basename(wanted.file ?? "");
	const found = manifests.find((manifest) => manifest.suffixes.some((suffix) => file.endsWith(suffix)));
	if (found) return found;
	if (wanted.otherwise) return chooseManifest(manifests, { id: wanted.otherwise });
	const suffixes = manifests.flatMap((manifest) => manifest.suffixes).join(", ");
	throw new StartError(
		"RUNTIME_UNKNOWN",
		`No runtime serves "${file}": its name must end in one of ${suffixes}, or name the runtime (${ids}).`,
	);
}

/**
 * Returns true if a file's content decides what a function does (source, dependencies, locks,
 * data), or if a folder may hold such files. Without function files, the files that the worker's
 * command names count as source.
 */
export function isSource(
	{ suffixes, depsFile, lockFiles = [], sources, ignore, worker }: Manifest,
	name: string,
	isFolder: boolean,
): boolean {
	if (ignore.includes(name)) return false;
	if (isFolder || name === depsFile || lockFiles.includes(name)) return true;
	if (suffixes.length === 0 && worker.some((word) => basename(word) === name)) return true;
	return suffixes.some((suffix) => name.endsWith(suffix)) || sources.some((source) => name.endsWith(source));
}

/**
 * Replaces $(NAME) by the variable NAME, as Kubernetes does; a variable that is not set stays as it
 * is written.
 */
export function expand(text: string, env: Readonly<NodeJS.ProcessEnv>): string {
	return text.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}
