import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folder, type Loader, type LoaderOptions, startLoader } from "./loader.ts";
import type { Owner } from "./owner.ts";

const MANIFEST = fileURLToPath(new URL("./fake-runtime/runtime.json", import.meta.url));

/**
 * Returns the options of a loader with the fake worker. The path of a call selects the rule that it
 * breaks (fake-runtime/worker.mjs).
 */
export function fake(owner: Owner, env: Readonly<Record<string, string>> = {}, manifest: object = {}): LoaderOptions {
	const own = { ...JSON.parse(readFileSync(MANIFEST, "utf8")), ...manifest };
	const worker = readFileSync(join(MANIFEST, "../worker.mjs"));
	const place = folder(owner, { "runtime.json": JSON.stringify(own), "worker.mjs": worker });
	return {
		files: { "f.fake": "" },
		env: { KUBELESS_RUNTIME_MANIFEST: join(place, "runtime.json"), MOD_NAME: "f", FUNC_HANDLER: "h", ...env },
	};
}

export function startFake(owner: Owner, env?: Readonly<Record<string, string>>, manifest?: object): Promise<Loader> {
	return startLoader(owner, fake(owner, env, manifest));
}
