import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "./config.ts";
import { untilStopped } from "./drain.ts";
import { StartError } from "./errors.ts";
import { findHandler } from "./handler.ts";
import { chooseManifest, type Manifest, readManifest, readManifests } from "./manifest.ts";
import { watchFolder } from "./watch.ts";
import type { LoadFailure } from "./worker/contract.ts";
import { asStartError, createPool, workerStarter } from "./workers.ts";

/** The container's entry: the environment says it all. Returns when it was told to stop and has. */
export async function runContainer(env: NodeJS.ProcessEnv, places: { home: string; runtimes: string }): Promise<void> {
	const config = readConfig(env);
	const manifest = theManifest(config, places);
	const place = findHandler(config, manifest);
	const pool = createPool(config, manifest);
	const load = () => pool.load(workerStarter(config, manifest, findHandler(config, manifest)));
	const loaded = load();
	// The worker starts while the server's code is being loaded.
	const { createLogger, LogStream, serve } = await import("./serve.ts");
	const stream = new LogStream(1);
	const log = createLogger(config.logLevel, stream);
	process.on("uncaughtException", (error) => log.error({ err: error }, "a fault in the loader itself"));
	try {
		const serving = await serve({ config, pool, log, stream });
		const stopped = untilStopped(log, serving);
		const ready = await Promise.race([loaded.then(() => true), stopped.then(() => false)]);
		if (!ready) return;
		log.info({ runtime: manifest.id, port: serving.port, file: place.file }, "serving");
		const watched = config.watch === "true" || (config.watch === "auto" && existsSync(join(config.installVolume, "..data")));
		const watcher = watched ? watchFolder(config.installVolume, reload) : undefined;
		await stopped;
		watcher?.close();
	} catch (failure) {
		throw failure instanceof StartError ? failure : asStartError(failure as LoadFailure, place);
	} finally {
		pool.kill();
		await stream.end();
	}

	async function reload(): Promise<void> {
		try {
			await load();
			log.info("the function changed and is served anew");
		} catch (failure) {
			const { code, message } = failure instanceof StartError ? failure : asStartError(failure as LoadFailure, place);
			log.error({ code }, `the function changed and cannot be loaded, the one before goes on: ${message}`);
		}
	}
}

function theManifest(config: ReturnType<typeof readConfig>, { home, runtimes }: { home: string; runtimes: string }): Manifest {
	if (config.manifest !== undefined) return readManifest(config.manifest);
	// In an image the manifest lies beside the loader; in a checkout the runtime's name chooses one.
	const baked = join(home, "runtime.json");
	if (existsSync(baked)) return readManifest(baked);
	if (config.runtime === "")
		throw new StartError("RUNTIME_UNKNOWN", "FUNC_RUNTIME is not set: give the runtime's id and version, as a Function spec does.");
	return chooseManifest(readManifests(runtimes), { id: config.runtime });
}
