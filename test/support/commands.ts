import { fileURLToPath } from "node:url";
import { folder, type Loader, type LoaderOptions, startLoader } from "./loader.ts";
import type { Owner } from "./owner.ts";

const COMMANDS = fileURLToPath(new URL("../faults/commands/", import.meta.url));

/**
 * Returns the options of a loader that runs a command for each call: test/faults/commands/cgi.sh,
 * or the manifest's.
 */
export function command(owner: Owner, env: Readonly<Record<string, string>> = {}, manifest: object = {}): LoaderOptions {
	const own = {
		id: "command",
		concurrency: "threads",
		speaks: "stdio",
		stdio: { output: "cgi" },
		worker: ["sh", `${COMMANDS}cgi.sh`],
		...manifest,
	};
	const place = folder(owner, { "runtime.json": JSON.stringify(own) });
	return { env: { KUBELESS_RUNTIME_MANIFEST: `${place}/runtime.json`, ...env } };
}

export function startCommand(owner: Owner, env?: Readonly<Record<string, string>>, manifest?: object): Promise<Loader> {
	return startLoader(owner, command(owner, env, manifest));
}
