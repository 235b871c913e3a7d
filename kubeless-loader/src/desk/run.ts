import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { drain, stopSignals } from "../drain.ts";
import { StartError } from "../errors.ts";
import { type HandlerPlace, withoutFile } from "../handler.ts";
import { chooseManifest, isSource, type Manifest, readManifest, readManifests } from "../manifest.ts";
import { folderState, watchFolder } from "../watch.ts";
import { SUPERSEDED } from "../worker/pool.ts";
import { asStartError, createPool, workerStarter } from "../workers.ts";
import { DependencyCache } from "./dependencies.ts";

export const USAGE = `Usage: kubeless-loader [run FILE [options] | run --manifest FILE [options] | conform [options] -- COMMAND]

  kubeless-loader           serve the function that the environment names, as in a container
  kubeless-loader run FILE  serve the function in FILE, installing what it depends on and reloading it when it changes
  kubeless-loader conform   test a worker of your own against the rules of the wire; conform --help tells more

Options of run:
  --handler NAME   the handler in the file (default: FUNC_HANDLER, else the only one there is)
  --port N         where to listen (default: FUNC_PORT, else 8080)
  --runtime ID     the language, where the file's name does not tell
  --manifest FILE  a runtime of your own, by its runtime.json; a server or a command needs no other FILE
  --env K=V        a variable for the function; may be given more than once
  --no-watch       do not reload when the file or its folder changes
  --help           this text

The FUNC_* variables of a container work here too.
`;

/** `kubeless-loader run`: a function file from anywhere, served for its author. Returns the exit code. */
export async function runAtDesk(args: string[], env: NodeJS.ProcessEnv, runtimes: string): Promise<number> {
	const options = readArguments(args);
	if (options === undefined) {
		process.stdout.write(USAGE);
		return 0;
	}
	const signals = stopSignals();
	const { manifest, file } = whatToServe(options, env, runtimes);
	const asked: NodeJS.ProcessEnv = { FUNC_RUNTIME: manifest.id, ...env, ...options.env };
	if (options.port !== undefined) asked["FUNC_PORT"] = options.port;
	const config = readConfig(asked);
	const place = placeOf(file, manifest, options.handler ?? config.handler);
	const name = file === undefined ? manifest.name : basename(file);
	const folder = dirname(place.file);

	const counts = (entry: string) => isSource(manifest, entry);
	const state = () => (options.watch ? folderState(folder, counts) : "");
	let toLoad = "";
	const pool = createPool(config, manifest, () => state() === toLoad);
	const cache = new DependencyCache(asked, (line) => process.stdout.write(`${line}\n`));
	const load = async () => {
		const extra: NodeJS.ProcessEnv = {};
		const { libraries } = manifest;
		// In an image the worker's libraries are part of it.
		if (libraries && !existsSync(join(manifest.folder, "libraries"))) {
			extra["RUNTIME_LIBRARIES"] = await cache.installed(manifest, join(manifest.folder, libraries));
		}
		extra["KUBELESS_INSTALL_VOLUME"] = await cache.installed(manifest, join(folder, manifest.depsFile ?? ""));
		const loading = pool.load(workerStarter(config, manifest, place, extra));
		toLoad = state();
		await loading;
	};
	const loaded = load();
	loaded.catch(() => {}); // looked at below, when there is somebody to tell
	const changed = () => loaded.then(reload, () => {});
	const watcher = options.watch ? watchFolder(folder, counts, changed) : undefined;
	await setImmediate(); // lets the worker start before the server's code is loaded
	const { createLogger, PrettyStream, serve } = await import("../serve.ts");
	const stream = new PrettyStream(1);
	const tell = (line: string) => stream.write(`${line}\n`);
	const log = createLogger(config.logLevel, stream);
	process.on("uncaughtException", (error) => log.error({ err: error }, "a fault in the loader itself"));
	try {
		const serving = await serve({ config, pool, speaks: manifest.speaks, log, stream, host: "127.0.0.1", tellErrors: true });
		const url = `http://localhost:${serving.port}`;
		await Promise.race([signals.first, loaded.then(() => tell(`${name} is served at ${url} (Ctrl-C stops it)\n  curl ${url}`))]);
		await signals.first;
		watcher?.close();
		await drain(log, signals, serving);
		return 0;
	} catch (failure) {
		throw asStartError(failure, place);
	} finally {
		cache.stop();
		pool.kill();
		await stream.end();
	}

	async function reload(): Promise<void> {
		try {
			await load();
			tell(`${name} changed and is served anew.`);
		} catch (failure) {
			const { code, message } = asStartError(failure, place);
			if (code === SUPERSEDED) return;
			tell(`${name} changed, but the one before is still served. ${message}`);
		}
	}
}

/**
 * The runtime, and the function's file: undefined where the runtime's worker is the function itself.
 * @throws {StartError} one sentence that says what is wrong
 */
function whatToServe(options: RunOptions, env: NodeJS.ProcessEnv, runtimes: string): { manifest: Manifest; file: string | undefined } {
	const own = options.manifest === undefined ? undefined : readManifest(options.manifest);
	if (own?.suffixes.length === 0) {
		if (options.file === undefined) return { manifest: own, file: undefined };
		throw new StartError("USAGE", `${options.manifest} has no "suffixes", so it takes no function file: leave ${options.file} out.`);
	}
	if (options.file === undefined) throw new StartError("USAGE", "Which function? Give its file: kubeless-loader run FILE.");
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

interface RunOptions {
	file: string | undefined;
	manifest: string | undefined;
	handler: string | undefined;
	port: string | undefined;
	runtime: string | undefined;
	env: Record<string, string>;
	watch: boolean;
}

/** @throws {StartError} USAGE, one sentence that says what is wrong */
function readArguments(args: string[]): RunOptions | undefined {
	try {
		const { values, positionals } = parseArgs({
			args,
			allowPositionals: true,
			options: {
				handler: { type: "string" },
				port: { type: "string" },
				runtime: { type: "string" },
				manifest: { type: "string" },
				env: { type: "string", multiple: true },
				"no-watch": { type: "boolean" },
				help: { type: "boolean", short: "h" },
			},
		});
		if (values.help) return undefined;
		const [file, ...more] = positionals;
		if (file === undefined && values.manifest === undefined) throw new Error("Which function? Give its file: kubeless-loader run FILE.");
		if (more.length > 0)
			throw new Error(`Only one file can be served at a time, but there are ${positionals.length}: ${positionals.join(", ")}.`);
		const env: Record<string, string> = {};
		for (const pair of values.env ?? []) {
			const equals = pair.indexOf("=");
			if (equals < 1) throw new Error(`--env ${pair} is not a name and a value: write --env NAME=VALUE.`);
			env[pair.slice(0, equals)] = pair.slice(equals + 1);
		}
		if (values.port !== undefined && !(/^\d+$/.test(values.port) && Number(values.port) <= 65535))
			throw new Error(`--port ${values.port} is not a port: give a number from 0 to 65535.`);
		const { handler, port, runtime, manifest } = values;
		return { file, manifest, handler, port, runtime, env, watch: !values["no-watch"] };
	} catch (cause) {
		throw new StartError("USAGE", `${(cause as Error).message}\nkubeless-loader --help shows how.`);
	}
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
