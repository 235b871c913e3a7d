import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The part of a manifest about the libraries that the worker offers to functions. */
export interface Libraries {
	readonly id: string;
	/** the manifest's folder */
	readonly folder: string;
	/** the install command, with $(RUNTIME_DIR) replaced */
	readonly install: readonly string[];
	/** the dependency file in that folder */
	readonly libraries: string;
	/** the version of the language */
	readonly version: string;
}

/**
 * Not in the system's temporary folder, where other users could place files that our workers would
 * load.
 */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/runtime-libraries", import.meta.url));

/**
 * Installs a worker's libraries if they are not installed yet. Returns the folder for
 * RUNTIME_LIBRARIES. Test files that run at the same time each install into their own folder, and
 * the first result is kept.
 */
export function installLibraries({ id, folder, install, libraries, version }: Libraries, env: NodeJS.ProcessEnv): string {
	const depsFile = join(folder, libraries);
	const hash = createHash("sha256").update(version);
	for (const file of [depsFile, ...install.filter((word) => isAbsolute(word) && existsSync(word))]) hash.update(readFileSync(file));
	const key = hash.digest("hex").slice(0, 16);
	const prefix = join(CACHE, `${id}-${key}`);
	if (existsSync(prefix)) return prefix;
	const fresh = `${prefix}.${randomUUID()}`;
	mkdirSync(fresh, { recursive: true });
	try {
		run(install, fresh, { ...env, KUBELESS_INSTALL_VOLUME: fresh, KUBELESS_DEPS_FILE: depsFile });
		renameSync(fresh, prefix);
	} catch (error) {
		rmSync(fresh, { recursive: true, force: true });
		if (!existsSync(prefix)) throw error;
	}
	return prefix;
}

function run([command = "", ...args]: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
	const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
	if (status === 0) return;
	throw new Error(`${[command, ...args].join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
