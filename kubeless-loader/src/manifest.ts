import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import schema from "../../runtimes/runtime.schema.json" with { type: "json" };
import { StartError } from "./errors.ts";
import { type Misfit, misfit } from "./shape.ts";

/** How a worker runs calls: many on one loop, on threads, or one at a time. */
export type Concurrency = "async" | "threads" | "single";

/** How a worker is spoken to: frames on file descriptor 3, HTTP to a server, or a process a call. */
export type Speaks = "wire" | "http" | "stdio";

/** How to reach a worker that is an HTTP server. */
export interface HttpPlace {
	/** at a loopback port (what absence means), or at a Unix socket */
	readonly listen?: "port" | "socket";
	/** the port of a server that cannot be told one */
	readonly port?: number;
	/** the path that answers once the server is ready; absent: it is ready when it takes connections */
	readonly ready?: string;
}

/** What a machine needs to run functions in a language. */
export interface Toolchain {
	readonly check: readonly string[];
	readonly debian?: readonly string[];
	/** further versions, for tests */
	readonly others?: { readonly command: readonly string[]; readonly debian?: readonly string[] };
	readonly absent?: string;
}

/** What the loader knows of a language: the part of `runtime.json` it reads (`runtimes/runtime.schema.json` has all of it). */
export interface Manifest {
	readonly id: string;
	readonly name: string;
	/** none: there is no function file, the worker is the function */
	readonly suffixes: readonly string[];
	readonly depsFile?: string;
	readonly lockFiles?: readonly string[];
	readonly concurrency: Concurrency;
	readonly worker: readonly string[];
	readonly speaks: Speaks;
	readonly http?: HttpPlace;
	readonly stdio?: { readonly output?: "body" | "cgi" };
	readonly env?: Readonly<Record<string, string>>;
	readonly install?: readonly string[];
	readonly libraries?: string;
	/** what its worker cannot do, by the word that conformance vectors need, each with the reason */
	readonly lacks?: Readonly<Record<string, string>>;
	readonly toolchain?: Toolchain;
	/** the manifest's folder, for $(RUNTIME_DIR) */
	readonly folder: string;
}

/**
 * Reads one manifest.
 * @throws {StartError} MANIFEST_INVALID, naming the field and what was expected
 */
export function readManifest(file: string): Manifest {
	let manifest: Manifest;
	try {
		manifest = JSON.parse(readFileSync(file, "utf8"));
	} catch (cause) {
		throw new StartError("MANIFEST_INVALID", `The runtime manifest ${file} cannot be read: ${(cause as Error).message}.`);
	}
	const wrong = misfit(manifest, schema) ?? contradiction(manifest);
	if (wrong) {
		const what = wrong.path === "" ? "the whole" : `"${wrong.path}"`;
		throw new StartError("MANIFEST_INVALID", `In ${file}, ${what} must be ${wrong.expected}.`);
	}
	const { id, name = id, speaks = "wire", suffixes = [] } = manifest;
	return Object.freeze({ ...manifest, name, speaks, suffixes, folder: dirname(resolve(file)) });
}

/** What no field shows alone. */
function contradiction({ speaks = "wire", http, stdio }: Partial<Manifest>): Misfit | undefined {
	if (http && speaks !== "http") return { path: "http", expected: 'left out where "speaks" is not http' };
	if (stdio && speaks !== "stdio") return { path: "stdio", expected: 'left out where "speaks" is not stdio' };
	if (http?.listen === "socket" && http.port !== undefined)
		return { path: "http.port", expected: 'left out where "http.listen" is socket' };
	return undefined;
}

/** All manifests in a folder of runtimes, by id. */
export function readManifests(runtimes: string): Manifest[] {
	return readdirSync(runtimes)
		.map((id) => join(runtimes, id, "runtime.json"))
		.filter((file) => existsSync(file))
		.map(readManifest);
}

/** The runtime for a function file: by id, with or without a version, else by the file's suffix, else by a second id. */
export function chooseManifest(
	manifests: readonly Manifest[],
	wanted: { id?: string | undefined; file?: string; otherwise?: string | undefined },
): Manifest {
	const known = manifests.map((manifest) => manifest.id).join(", ");
	if (wanted.id) {
		// Kubeless's controller takes a runtime's name apart with this pattern.
		const id = /^[a-zA-Z_-]+/.exec(wanted.id)?.[0] ?? wanted.id;
		const found = manifests.find((manifest) => manifest.id === id);
		if (found) return found;
		throw new StartError("RUNTIME_UNKNOWN", `There is no runtime "${wanted.id}": give one of ${known}.`);
	}
	const file = basename(wanted.file ?? "");
	const found = manifests.find((manifest) => manifest.suffixes.some((suffix) => file.endsWith(suffix)));
	if (found) return found;
	if (wanted.otherwise) return chooseManifest(manifests, { id: wanted.otherwise });
	const suffixes = manifests.flatMap((manifest) => manifest.suffixes).join(", ");
	throw new StartError(
		"RUNTIME_UNKNOWN",
		`No runtime serves "${file}": its name must end in one of ${suffixes}, or name the runtime (${known}).`,
	);
}

/** Whether a file of this name decides what a function does: source, dependencies, locks; of a worker without function files, its command's. */
export function isSource({ suffixes, depsFile, lockFiles = [], worker }: Manifest, name: string): boolean {
	if (suffixes.length === 0 && worker.some((word) => basename(word) === name)) return true;
	return name === depsFile || lockFiles.includes(name) || suffixes.some((suffix) => name.endsWith(suffix));
}

/** Replaces $(NAME) by the variable NAME, as Kubernetes does; what is not set stays as it is. */
export function expand(text: string, env: Readonly<NodeJS.ProcessEnv>): string {
	return text.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}
