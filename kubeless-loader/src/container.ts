import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "./config.ts";
import { untilStopped } from "./drain.ts";
import { StartError } from "./errors.ts";
import { findHandler } from "./handler.ts";
import { createLogger, LogStream } from "./log.ts";
import { chooseManifest, type Manifest, readManifest, readManifests } from "./manifest.ts";
import { describeFailure, serve } from "./serve.ts";
import { watchFolder } from "./watch.ts";
import type { LoadFailure } from "./worker/contract.ts";

/** The container's entry: the environment says it all. Returns when it was told to stop and has. */
export async function runContainer(env: NodeJS.ProcessEnv, places: { home: string; runtimes: string }): Promise<void> {
	const config = readConfig(env);
	const manifest = theManifest(config, places);
	const place = findHandler(config, manifest);
	const stream = new LogStream(1);
	const log = createLogger(config.logLevel, stream);
	process.on("uncaughtException", (error) => log.error({ err: error }, "a fault in the loader itself"));
	const serving = await serve({ config, manifest, log, stream });
	const stopped = untilStopped(log, serving);
	const load = () => serving.load(findHandler(config, manifest));
	try {
		await Promise.race([load(), stopped]);
	} catch (failure) {
		serving.kill();
		await stream.end();
		throw new StartError((failure as LoadFailure).code, describeFailure(failure as LoadFailure, place));
	}
	log.info({ runtime: manifest.id, port: serving.port, file: place.file }, "serving");
	const watched = config.watch === "true" || (config.watch === "auto" && existsSync(join(config.installVolume, "..data")));
	const watcher = watched ? watchFolder(config.installVolume, () => reload()) : undefined;
	await stopped;
	watcher?.close();
	await stream.end();

	async function reload(): Promise<void> {
		try {
			await load();
			log.info("the function changed and is served anew");
		} catch (failure) {
			log.error(
				{ code: (failure as LoadFailure).code },
				`the function changed and cannot be loaded, the one before goes on: ${(failure as Error).message}`,
			);
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
