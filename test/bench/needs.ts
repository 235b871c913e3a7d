import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "./options.ts";
import { wrkVersion } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUNDLE = join(ROOT, "kubeless-loader/dist/loader.mjs");
/** Folders that are not sources of a build: its output, its dependencies, and unrelated ones. */
const NO_SOURCE = new Set(["dist", "node_modules", "examples", "libraries"]);

/** @throws {UsageError} if a tool is missing, with a hint */
export function needTools(): void {
	if (process.platform !== "linux")
		throw new UsageError("The bench reads processor time and memory from /proc, which only Linux has: run it there or in a container.");
	if (wrkVersion() === undefined)
		throw new UsageError("The bench needs wrk on PATH: install it with your package manager, such as apt-get install wrk.");
}

/**
 * Builds the loader and the workers whose sources are newer than their build. @throws with the
 * output of a failed build
 */
export function buildIfStale(report: (what: string) => void): void {
	const runtimes = join(ROOT, "runtimes");
	const packages = [
		join(ROOT, "kubeless-loader"),
		join(ROOT, "kubeless-trigger"),
		...readdirSync(runtimes).map((id) => join(runtimes, id)),
	];
	for (const folder of packages.filter((folder) => isBuilt(folder) && isStale(folder))) {
		report(`building ${basename(folder)}`);
		const { status, stdout, stderr } = spawnSync("npm", ["run", "build"], { cwd: folder, encoding: "utf8" });
		if (status !== 0) throw new Error(`${basename(folder)} cannot be built: ${stdout}${stderr}`);
	}
}

function isBuilt(folder: string): boolean {
	const file = join(folder, "package.json");
	return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).scripts?.build !== undefined;
}

const isStale = (folder: string): boolean => newest(folder) >= newest(join(folder, "dist"));

/**
 * Returns the mtime of a file, or the latest in a folder, in ms since 1970; 0 if it does not exist.
 */
function newest(path: string): number {
	const stats = statSync(path, { throwIfNoEntry: false });
	if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
	return Math.max(
		0,
		...readdirSync(path)
			.filter((name) => !NO_SOURCE.has(name))
			.map((name) => newest(join(path, name))),
	);
}
