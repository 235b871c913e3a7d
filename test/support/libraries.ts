import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a manifest says about the libraries its worker offers to functions. */
export interface Libraries {
	readonly id: string;
	/** the manifest's folder */
	readonly folder: string;
	/** the command that installs, $(RUNTIME_DIR) replaced */
	readonly install: readonly string[];
	/** the dependency file in the folder */
	readonly libraries: string;
	/** the language's version, for which they are installed */
	readonly version: string;
}

/** Not in the system's folder for temporary files, where others could put what our workers then load. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/runtime-libraries", import.meta.url));

/**
 * Installs a worker's libraries where that has not been done yet, and gives the folder for RUNTIME_LIBRARIES. Test files
 * that come at the same time install each for themselves, and the first one's stays.
 */
export function installLibraries({ id, folder, install, libraries, version }: Libraries, env: NodeJS.ProcessEnv): string {
	const depsFile = join(folder, libraries);
	const key = createHash("sha256").update(readFileSync(depsFile)).update(version).digest("hex").slice(0, 16);
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
