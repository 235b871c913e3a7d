// The local command, `kubeless-loader run`: serves a function file from anywhere for its author.
// arguments.ts reads the command line, dependencies.ts installs what the function needs; the rest
// is application.ts, as in a container.
import { statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { runApplication } from "../application.ts";
import { readConfig } from "../config.ts";
import { stopSignals } from "../drain.ts";
import { StartError } from "../errors.ts";
import { type HandlerPlace, withoutFile } from "../handler.ts";
import { chooseManifest, isSource, type Manifest, readManifest, readManifests } from "../manifest.ts";
import { type RunOptions, readArguments, USAGE } from "./arguments.ts";
import { DependencyCache } from "./dependencies.ts";
import { Libraries } from "./libraries.ts";

/** Returns the exit code, when a signal has stopped it. */
export async function serveFile(args: string[], env: NodeJS.ProcessEnv, runtimes: string): Promise<number> {
	const options = readArguments(args);
	if (options === undefined) {
		process.stdout.write(USAGE);
		return 0;
	}
	const signals = stopSignals();
	const { manifest, file } = chooseFunction(options, env, runtimes);
	const given: NodeJS.ProcessEnv = { FUNC_RUNTIME: manifest.id, ...env, ...options.env };
	if (options.port !== undefined) given["FUNC_PORT"] = options.port;
	const config = readConfig(given);
	const place = placeOf(file, manifest, options.handler ?? config.handler);
	const name = file === undefined ? manifest.name : basename(file);
	const folder = dirname(place.file);
	const print = (line: string) => void process.stdout.write(`${line}\n`);
	const cache = new DependencyCache(given, print);
	const libraries = new Libraries(manifest, cache, print);
	const prepare = async () => {
		await cache.checkLanguage(manifest);
		const { env, later } = await libraries.find();
		const volume = await cache.installed(manifest, join(folder, manifest.depsFile ?? ""), { functionFile: place.file });
		return { env: { ...env, KUBELESS_INSTALL_VOLUME: volume }, later };
	};
	try {
		await runApplication(
			{
				config,
				manifest,
				locate: () => place,
				prepare,
				watched: options.watch ? { folder, isWatched: (entry, isFolder) => isSource(manifest, entry, isFolder) } : undefined,
				local: true,
				waitsForSave: options.watch && process.stdout.isTTY,
				announce: {
					serving: ({ stream }, port) => {
						const url = `http://localhost:${port}`;
						stream.write(`${name} is served at ${url} (Ctrl-C stops it)\n  curl ${url}\n`);
					},
					loading: ({ stream }) => stream.write(`${name} is still being compiled or loaded …\n`),
					waiting: ({ stream }) =>
						stream.write(`${name} could not be loaded. It is loaded again when the libraries of the worker are installed …\n`),
					startFailed: ({ stream }, message) => stream.write(`${message}\nWaiting until ${name} is saved (Ctrl-C stops it) …\n`),
					reloaded: ({ stream }) => stream.write(`${name} changed and was reloaded.\n`),
					reloadFailed: ({ stream }, _code, message) =>
						stream.write(`${name} changed, but the reload failed: the previous version is still served. ${message}\n`),
				},
			},
			signals,
		);
		return 0;
	} finally {
		cache.stop();
	}
}

/**
 * Returns the runtime and the function's file; no file if the runtime's worker is the function
 * itself.
 * @throws {StartError} with one sentence about the mistake
 */
function chooseFunction(options: RunOptions, env: NodeJS.ProcessEnv, runtimes: string): { manifest: Manifest; file: string | undefined } {
	const own = options.manifest === undefined ? undefined : readManifest(options.manifest);
	if (own?.suffixes.length === 0) {
		if (options.file === undefined) return { manifest: own, file: undefined };
		throw new StartError("USAGE", `${options.manifest} has no "suffixes", so it takes no function file: leave ${options.file} out.`);
	}
	if (options.file === undefined) throw new StartError("USAGE", "The function's file is missing: give it as kubeless-loader run FILE.");
	const file = functionFile(options.file);
	if (own) return { manifest: own, file };
	return { manifest: chooseManifest(readManifests(runtimes), { id: options.runtime, file, otherwise: env["FUNC_RUNTIME"] }), file };
}

function placeOf(file: string | undefined, manifest: Manifest, handler: string | undefined): HandlerPlace {
	if (file === undefined) return withoutFile(manifest, undefined, handler);
	const name = basename(file);
	const suffix = manifest.suffixes.find((one) => name.endsWith(one)) ?? extname(name);
	return { file, modName: name.slice(0, name.length - suffix.length), handler };
}

function functionFile(given: string): string {
	const file = resolve(given);
	const stats = statSync(file, { throwIfNoEntry: false });
	if (stats?.isFile()) return file;
	throw new StartError(
		"HANDLER_FILE_NOT_FOUND",
		stats ? `${file} is a folder: give the function's file in it.` : `There is no file ${file}.`,
	);
}
