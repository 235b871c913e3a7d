import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "./config.ts";
import { drain, stopSignals } from "./drain.ts";
import { StartError } from "./errors.ts";
import { findHandler } from "./handler.ts";
import { chooseManifest, isSource, type Manifest, readManifest, readManifests } from "./manifest.ts";
import { folderState, watchFolder } from "./watch.ts";
import { SUPERSEDED } from "./worker/pool.ts";
import { asStartError, createPool, workerStarter } from "./workers.ts";

/** The container's entry: the environment says it all. Returns when it was told to stop and has. */
export async function runContainer(env: NodeJS.ProcessEnv, runtimes: string): Promise<void> {
	const signals = stopSignals();
	const config = readConfig(env);
	const manifest = theManifest(config, runtimes);
	const place = findHandler(config, manifest);
	const isConfigMap = existsSync(join(config.installVolume, "..data"));
	const watched = config.watch === "true" || (config.watch === "auto" && isConfigMap);
	// A ConfigMap is the user's from end to end; a folder may hold what the function itself writes.
	const counts = isConfigMap ? () => true : (name: string) => isSource(manifest, name);
	const state = () => (watched ? folderState(config.installVolume, counts) : "");
	let asked = "";
	const pool = createPool(config, manifest, () => state() === asked);
	const load = () => {
		const loading = pool.load(workerStarter(config, manifest, findHandler(config, manifest)));
		asked = state();
		return loading;
	};
	const loaded = load();
	const watcher = watched ? watchFolder(config.installVolume, counts, () => loaded.then(reload, () => {})) : undefined;
	// The worker starts while the server's code is being loaded.
	const { createLogger, LogStream, serve } = await import("./serve.ts");
	const stream = new LogStream(1);
	const log = createLogger(config.logLevel, stream);
	process.on("uncaughtException", (error) => log.error({ err: error }, "a fault in the loader itself"));
	try {
		const serving = await serve({ config, pool, speaks: manifest.speaks, log, stream });
		await Promise.race([
			signals.first,
			loaded.then(() => log.info({ runtime: manifest.id, port: serving.port, file: place.file }, "serving")),
		]);
		await signals.first;
		watcher?.close();
		await drain(log, signals, serving);
	} catch (failure) {
		throw asStartError(failure, place);
	} finally {
		pool.kill();
		await stream.end();
	}

	async function reload(): Promise<void> {
		try {
			await load();
			log.info("the function changed and is served anew");
		} catch (failure) {
			const { code, message } = asStartError(failure, place);
			if (code === SUPERSEDED) return;
			log.error({ code }, `the function changed and cannot be loaded, the one before goes on: ${message}`);
		}
	}
}

function theManifest(config: ReturnType<typeof readConfig>, runtimes: string): Manifest {
	if (config.manifest !== undefined) return readManifest(config.manifest);
	const manifests = existsSync(runtimes) ? readManifests(runtimes) : [];
	const [only] = manifests;
	if (only === undefined)
		throw new StartError("RUNTIME_UNKNOWN", `There is no runtime: put its runtime.json and worker into a folder of ${runtimes}.`);
	// An image has one, by whatever name a Function spec calls it; a checkout has them all.
	if (manifests.length === 1) return only;
	if (config.runtime === "")
		throw new StartError("RUNTIME_UNKNOWN", "FUNC_RUNTIME is not set: give the runtime's id and version, as a Function spec does.");
	return chooseManifest(manifests, { id: config.runtime });
}
