// The key under which an installation is kept: everything that decides what is installed. The
// language's own cache-key.sh prints most of it, for this cache and for the installer images alike.
import { createHash, type Hash } from "node:crypto";
import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expand, type Manifest } from "../manifest.ts";
import type { Commands } from "./commands.ts";

/**
 * In the output of cache-key.sh: all files in the function's folder decide, and the installation
 * may refer to them.
 */
const FOLDER = "@folder";

/** The dependencies of one function. */
export interface Dependencies {
	readonly manifest: Manifest;
	/** the dependency file */
	readonly file: string;
	/** the cache's own folder, which may be in the function's */
	readonly cache: string;
	/** the function's file: it is not installed, so a change of it installs nothing */
	readonly functionFile?: string;
}

/**
 * Returns 16 hexadecimal digits. A language without a cache-key.sh, or whose script fails, counts
 * all files in the function's folder.
 */
export async function cacheKey(dependencies: Dependencies, env: NodeJS.ProcessEnv, commands: Commands): Promise<string> {
	const { manifest, file } = dependencies;
	const decides = await printed(dependencies, env, commands);
	const hash = createHash("sha256");
	hash.update(`${JSON.stringify([manifest.id, manifest.install, basename(file), process.arch])}\0${decides}\0`);
	add(hash, "/etc/os-release"); // compiled packages fit one release of the system
	for (const script of installerFiles(manifest, env)) add(hash, script);
	for (const path of [file, ...(manifest.lockFiles ?? []).map((name) => join(dirname(file), name))]) add(hash, path);
	if (decides.split("\n").includes(FOLDER)) addFolder(hash, realpathSync(dirname(file)), dependencies);
	return hash.digest("hex").slice(0, 16);
}

async function printed({ manifest, file }: Dependencies, env: NodeJS.ProcessEnv, commands: Commands): Promise<string> {
	const script = join(manifest.folder, "cache-key.sh");
	if (!existsSync(script)) return FOLDER;
	const { code, stdout } = await commands.run(["sh", script], dirname(file), { ...env, KUBELESS_DEPS_FILE: file });
	return code === 0 ? stdout : FOLDER; // the installer says what is wrong
}

/**
 * Returns the files that the installer's command names, cache-key.sh, and what is beside them under
 * the same name: install.js for install.sh.
 */
function installerFiles({ folder, install = [] }: Manifest, env: Readonly<NodeJS.ProcessEnv>): string[] {
	const named = install.map((word) => expand(word, { ...env, RUNTIME_DIR: folder }));
	const stem = (path: string) => basename(path).replace(/\..*$/, "");
	const stems = new Set([...named.filter((word) => dirname(word) === folder).map(stem), "cache-key"]);
	const beside = readdirSync(folder)
		.filter((name) => stems.has(stem(name)))
		.map((name) => join(folder, name));
	return [...new Set([...named, ...beside])].filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile()).sort();
}

function add(hash: Hash, path: string): void {
	hash
		.update(`${basename(path)}\0`)
		.update(existsSync(path) ? readFileSync(path) : "")
		.update("\0");
}

/**
 * Adds the folder's path and all its files, except hidden ones and those that the language ignores.
 */
function addFolder(hash: Hash, folder: string, { manifest, cache, functionFile }: Dependencies): void {
	hash.update(`${folder}\0`);
	const own = functionFile && basename(functionFile);
	const skipped = existsSync(cache) ? realpathSync(cache) : cache;
	const visit = (path: string) => {
		const entries: Dirent[] = readdirSync(path, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1));
		for (const entry of entries) {
			const { name } = entry;
			if (name.startsWith(".") || manifest.ignore.includes(name) || (path === folder && name === own)) continue;
			const inside = join(path, name);
			if (inside === skipped) continue;
			if (entry.isDirectory()) visit(inside);
			else if (entry.isSymbolicLink()) hash.update(`${inside}\0${readlinkSync(inside)}\0`);
			if (statSync(inside, { throwIfNoEntry: false })?.isFile()) {
				hash.update(`${inside}\0`);
				add(hash, inside);
			}
		}
	};
	visit(folder);
}
