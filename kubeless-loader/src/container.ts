// The command of a container: everything is decided by the environment.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runApplication } from "./application.ts";
import { type Config, readConfig } from "./config.ts";
import { stopSignals } from "./drain.ts";
import { StartError } from "./errors.ts";
import { findHandler } from "./handler.ts";
import { chooseManifest, isSource, type Manifest, readManifest, readManifests } from "./manifest.ts";

/** Returns when a signal has stopped it. */
export async function runContainer(env: NodeJS.ProcessEnv, runtimes: string): Promise<void> {
	const signals = stopSignals();
	const config = readConfig(env);
	const manifest = manifestOf(config, runtimes);
	const isConfigMap = existsSync(join(config.installVolume, "..data"));
	const watches = config.watch === "true" || (config.watch === "auto" && isConfigMap);
	// Every file of a ConfigMap is the user's; a folder may hold files that the function itself
	// writes.
	const isWatched = isConfigMap ? () => true : (name: string, isFolder: boolean) => isSource(manifest, name, isFolder);
	await runApplication(
		{
			config,
			manifest,
			locate: () => findHandler(config, manifest),
			watched: watches ? { folder: config.installVolume, isWatched } : undefined,
			local: false,
			waitsForSave: false,
			announce: {
				serving: ({ log }, port, file) => log.info({ runtime: manifest.id, port, file }, "serving"),
				reloaded: ({ log }) => log.info("the function changed and was reloaded"),
				reloadFailed: ({ log }, code, message) => log.error({ code }, `reload failed, still serving the previous version: ${message}`),
			},
		},
		signals,
	);
}

function manifestOf(config: Config, runtimes: string): Manifest {
	if (config.manifest !== undefined) return readManifest(config.manifest);
	const manifests = existsSync(runtimes) ? readManifests(runtimes) : [];
	const [only] = manifests;
	if (only === undefined)
		throw new StartError("RUNTIME_UNKNOWN", `No runtime is installed: put a runtime.json and its worker into a folder of ${runtimes}.`);
	// An image has one runtime, by whatever name a Function spec calls it; a checkout has all of them.
	if (manifests.length === 1) return only;
	if (config.runtime === "")
		throw new StartError("RUNTIME_UNKNOWN", "FUNC_RUNTIME is not set: set it to the runtime's id and version, as a Function spec does.");
	return chooseManifest(manifests, { id: config.runtime });
}
