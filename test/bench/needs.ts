import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "./options.ts";
import { wrkVersion } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUNDLE = join(ROOT, "kubeless-loader/dist/loader.mjs");
/** What a build makes, what it takes from elsewhere, and what is no part of it. */
const NO_SOURCE = new Set(["dist", "node_modules", "examples", "libraries"]);

/** @throws {UsageError} one sentence that says how to get what is missing */
export function needTools(): void {
	if (process.platform !== "linux")
		throw new UsageError("The bench reads processor time and memory from /proc, which only Linux has: run it there or in a container.");
	if (wrkVersion() === undefined)
		throw new UsageError("The bench needs wrk on PATH: install it with your package manager, such as apt-get install wrk.");
}

/** Builds the loader, and the workers that are built, where a source is newer than what was made of it. @throws the build's own words */
export function buildIfStale(say: (what: string) => void): void {
	const runtimes = join(ROOT, "runtimes");
	const packages = [join(ROOT, "kubeless-loader"), ...readdirSync(runtimes).map((id) => join(runtimes, id))];
	for (const folder of packages.filter((folder) => isBuilt(folder) && isStale(folder))) {
		say(`building ${basename(folder)}`);
		const { status, stdout, stderr } = spawnSync("npm", ["run", "build"], { cwd: folder, encoding: "utf8" });
		if (status !== 0) throw new Error(`${basename(folder)} cannot be built: ${stdout}${stderr}`);
	}
}

function isBuilt(folder: string): boolean {
	const file = join(folder, "package.json");
	return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).scripts?.build !== undefined;
}

const isStale = (folder: string): boolean => newest(folder) >= newest(join(folder, "dist"));

/** When a file, or the last changed one in a folder, was written, in `ms` since 1970; 0 where there is none. */
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
