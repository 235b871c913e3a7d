import { execFile, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

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

/** An installation into a folder of its own, which then gets its final name. */
interface Installation {
	readonly command: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	readonly fresh: string;
	readonly prefix: string;
}

/**
 * Installs a worker's libraries if they are not installed yet. Returns the folder for
 * RUNTIME_LIBRARIES. Test files that run at the same time each install into their own folder, and
 * the first result is kept.
 */
export function installLibraries(libraries: Libraries, env: NodeJS.ProcessEnv): string {
	const installation = begin(libraries, env);
	if (typeof installation === "string") return installation;
	const { command, fresh } = installation;
	const { status, stdout, stderr, error } = spawnSync(command[0] ?? "", command.slice(1), {
		cwd: fresh,
		env: installation.env,
		encoding: "utf8",
	});
	return end(installation, status === 0 ? undefined : (error?.message ?? `${stdout}${stderr}`));
}

/** The same, while other tests of this process go on: an installation can take minutes. */
export async function prepareLibraries(libraries: Libraries, env: NodeJS.ProcessEnv): Promise<string> {
	const installation = begin(libraries, env);
	if (typeof installation === "string") return installation;
	const { command, fresh } = installation;
	const failure = await promisify(execFile)(command[0] ?? "", command.slice(1), { cwd: fresh, env: installation.env }).then(
		() => undefined,
		({ message, stdout = "" }) => `${message}${stdout}`, // the message has what it wrote to stderr
	);
	return end(installation, failure);
}

/** Returns the folder if the libraries are in it already. */
function begin({ id, folder, install, libraries, version }: Libraries, env: NodeJS.ProcessEnv): string | Installation {
	const depsFile = join(folder, libraries);
	const hash = createHash("sha256").update(version);
	for (const file of [depsFile, ...install.filter((word) => isAbsolute(word) && existsSync(word))]) hash.update(readFileSync(file));
	const prefix = join(CACHE, `${id}-${hash.digest("hex").slice(0, 16)}`);
	if (existsSync(prefix)) return prefix;
	const fresh = `${prefix}.${randomUUID()}`;
	mkdirSync(fresh, { recursive: true });
	return { command: install, env: { ...env, KUBELESS_INSTALL_VOLUME: fresh, KUBELESS_DEPS_FILE: depsFile }, fresh, prefix };
}

function end({ command, fresh, prefix }: Installation, failure: string | undefined): string {
	if (failure === undefined && !existsSync(prefix)) {
		try {
			renameSync(fresh, prefix);
		} catch (error) {
			if (!existsSync(prefix)) throw error;
		}
	}
	rmSync(fresh, { recursive: true, force: true });
	if (failure !== undefined && !existsSync(prefix)) throw new Error(`${command.join(" ")} failed: ${failure.trim()}`);
	return prefix;
}
