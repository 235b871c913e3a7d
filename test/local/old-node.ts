import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The Node.js that the loader needs (kubeless-loader/bin.mjs). */
const NEEDED = 24;

/** The command that npm makes in a checkout. */
export const installedCommand = join(root, "node_modules/.bin/kubeless-loader");

/**
 * The Node.js that the machine has, beside the checkout's own, if it is older than what the loader
 * needs.
 */
function find(): { missing: string | false; path: string; version: string } {
	const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
	const path = folders.join(delimiter);
	const place = folders.find((folder) => existsSync(join(folder, "node")));
	if (place === undefined) return { missing: "the machine has no Node.js beside the checkout's own", path, version: "" };
	const version = spawnSync(join(place, "node"), ["--version"], { encoding: "utf8" }).stdout.trim();
	const old = Number.parseInt(version.slice(1), 10) < NEEDED;
	return { missing: !old && `the machine's Node.js ${version} is new enough by itself`, path, version };
}

const found = find();
export const oldNode = { ...found, command: ["node", join(root, "kubeless-loader/bin.mjs")] };
