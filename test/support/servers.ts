import { fileURLToPath } from "node:url";
import { folder, type Loader, type LoaderOptions, startLoader } from "./loader.ts";
import type { Owner } from "./owner.ts";

const SERVERS = fileURLToPath(new URL("../faults/servers/", import.meta.url));

export interface ServerOptions {
	/** a file of test/faults/servers */
	readonly server?: string;
	/** the manifest's `http` */
	readonly http?: object;
	/** more of the manifest */
	readonly manifest?: object;
	readonly env?: Readonly<Record<string, string>>;
}

/** Returns the options of a loader in front of an HTTP server that is independent of the loader. */
export function server(owner: Owner, { server = "web.mjs", http, manifest, env }: ServerOptions = {}): LoaderOptions {
	const own = { id: "server", concurrency: "async", speaks: "http", worker: ["node", `${SERVERS}${server}`], http, ...manifest };
	const place = folder(owner, { "runtime.json": JSON.stringify(own) });
	return { env: { KUBELESS_RUNTIME_MANIFEST: `${place}/runtime.json`, ...env } };
}

export function startServer(owner: Owner, options?: ServerOptions): Promise<Loader> {
	return startLoader(owner, server(owner, options));
}
