import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { Config } from "./config.ts";
import { StartError } from "./errors.ts";
import type { Manifest } from "./manifest.ts";

/** Where the function is: its file, and the handler's name in it (undefined: the only one). */
export interface HandlerPlace {
	readonly file: string;
	readonly modName: string;
	readonly handler: string | undefined;
}

/**
 * Finds the function's file in the install volume: a plain folder, or a mounted ConfigMap, whose
 * files are links through `..data`.
 * @throws {StartError} HANDLER_FILE_NOT_FOUND, with the files that the folder has
 */
export function findHandler(config: Config, manifest: Manifest): HandlerPlace {
	const { installVolume, modName, handler } = config;
	if (manifest.suffixes.length === 0) return withoutFile(manifest, modName, handler);
	const files = functionFiles(installVolume, manifest);
	if (modName !== undefined) {
		const file = manifest.suffixes.map((suffix) => modName + suffix).find((name) => files.includes(name));
		if (file !== undefined) return { file: join(installVolume, file), modName, handler };
		const tried = manifest.suffixes.map((suffix) => modName + suffix).join(", ");
		throw notFound(`MOD_NAME is "${modName}", but ${installVolume} has no ${tried}; ${inventory(installVolume, files, manifest)}`);
	}
	// With a handler but without a file, the file was probably forgotten: an error rather than a
	// guess.
	if (handler !== undefined)
		throw notFound(`MOD_NAME is not set: give the function's file without its suffix; ${inventory(installVolume, files, manifest)}`);
	const [only] = files;
	if (files.length === 1 && only !== undefined) {
		return { file: join(installVolume, only), modName: only.slice(0, -extname(only).length), handler };
	}
	throw notFound(
		`MOD_NAME is not set and ${installVolume} does not have exactly one function file; ${inventory(installVolume, files, manifest)}`,
	);
}

/** Returns the place of a function that is the worker itself: its manifest stands for the file. */
export function withoutFile(manifest: Manifest, modName: string | undefined, handler: string | undefined): HandlerPlace {
	return { file: join(manifest.folder, "runtime.json"), modName: modName ?? manifest.id, handler };
}

const notFound = (message: string) => new StartError("HANDLER_FILE_NOT_FOUND", message);

function inventory(folder: string, files: readonly string[], manifest: Manifest): string {
	if (files.length > 0) return `it has ${files.join(", ")}.`;
	const suffixes = manifest.suffixes.join(", ");
	const inFolders = functionFilesInFolders(folder, manifest);
	return inFolders.length > 0
		? `its ${manifest.name} files (${suffixes}) are in folders: ${inFolders.join(", ")}; make the archive of the files, not of their folder.`
		: `it has no ${manifest.name} file (${suffixes}); mount the function there or set KUBELESS_INSTALL_VOLUME.`;
}

/** Files that a message lists. */
const MAX_LISTED = 10;

/** Returns the function files below a folder, the first ones of many. */
function functionFilesInFolders(folder: string, { suffixes, ignore }: Manifest): string[] {
	const found: string[] = [];
	const visit = (path: string) => {
		for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
			if (found.length >= MAX_LISTED) return;
			const name = join(path, entry.name);
			if (entry.name.startsWith(".") || ignore.includes(entry.name)) continue;
			if (entry.isDirectory()) visit(name);
			else if (path !== "" && suffixes.some((suffix) => name.endsWith(suffix))) found.push(name);
		}
	};
	visit("");
	return found.sort();
}

function functionFiles(folder: string, manifest: Manifest): string[] {
	let names: string[];
	try {
		names = readdirSync(folder);
	} catch (cause) {
		const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : `cannot be read (${(cause as Error).message})`;
		throw notFound(`${folder} ${why}: mount the function there or set KUBELESS_INSTALL_VOLUME.`);
	}
	return names
		.filter((name) => manifest.suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length))
		.filter((name) => !name.startsWith(".") && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
		.sort();
}
