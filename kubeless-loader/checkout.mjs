// Makes a checkout ready to run: installs what package-lock.json says and builds what is older than
// its sources. Plain JavaScript without dependencies: it runs before anything is installed, on any
// Node.js from 20 on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = 20;

/** The environment with the checkout's own tools, its Node.js among them, before the machine's. */
export function toolsFirst(env = process.env) {
	return { ...env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${env.PATH ?? ""}` };
}

/** Runs a command in the checkout; ends this process with its exit code if it fails. */
export function must(command, args, env = toolsFirst()) {
	const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
	if (error) console.error(`${command}: ${error.message}`);
	if (status !== 0) process.exit(status ?? 1);
}

export function prepare() {
	if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
		console.error(`This is Node.js ${process.versions.node}; install Node.js ${OLDEST_NODE} or newer.`);
		process.exit(1);
	}
	const unlock = lock();
	const installed = modified(join(root, "node_modules/.package-lock.json"));
	if (installed < modified(join(root, "package-lock.json"))) {
		console.log("Installing the checkout's dependencies …");
		must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]); // builds as well
	} else if (isStale()) must("npm", ["run", "--silent", "build"]);
	unlock();
}

/**
 * Waits until no other command prepares this checkout, so that two of them at once do not build
 * into each other's files.
 * @returns a function that releases the lock; the end of this process does so too
 */
function lock() {
	const file = join(tmpdir(), `kubeless-prepare-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`);
	for (;;) {
		try {
			writeFileSync(file, String(process.pid), { flag: "wx" });
			const unlock = () => rmSync(file, { force: true });
			process.on("exit", unlock);
			return unlock;
		} catch (error) {
			if (error.code !== "EEXIST") throw error;
		}
		if (!isAlive(Number(readFileSync(file, "utf8") || process.pid))) rmSync(file, { force: true });
		else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
	}
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** Whether a workspace's build is missing or older than one of its files. */
function isStale() {
	const folders = ["kubeless-loader", ...readdirSync(join(root, "runtimes")).map((id) => join("runtimes", id))];
	return folders
		.map((folder) => join(root, folder))
		.filter((folder) => existsSync(join(folder, "build.mjs")))
		.some((folder) => newest(folder) > modified(join(folder, "dist")));
}

function newest(folder) {
	const skipped = ["dist", "node_modules", "examples"];
	return Math.max(
		0,
		...readdirSync(folder, { withFileTypes: true })
			.filter(({ name }) => !skipped.includes(name))
			.map((entry) => (entry.isDirectory() ? newest(join(folder, entry.name)) : modified(join(folder, entry.name)))),
	);
}

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
