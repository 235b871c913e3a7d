import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Owner } from "../../../test/support/owner.ts";
import { type Env, type Files, firstOf, type Line, WireEnd } from "../../../test/support/wire-end.ts";

// These tests are about Node.js. Tests of what holds in every language are in test/conformance/.

export const home = fileURLToPath(new URL("../", import.meta.url));
/** FUNCTION_NODE names another Node.js for the functions than the one that runs the tests. */
export const node = process.env["FUNCTION_NODE"] ?? process.execPath;
export const [major = 0, minor = 0] = execFileSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).split(".").map(Number);

export function since(wanted: number, wantedMinor = 0) {
	const there = major > wanted || (major === wanted && minor >= wantedMinor);
	return { skip: there ? false : `Node.js ${wanted}.${wantedMinor} or later is needed, and this is ${major}.${minor}` };
}

/** Starts a worker for the first of the files; a string is the source of h.js. */
export function start(owner: Owner, files: Files | string, handler = "h", env: Env = {}): WireEnd {
	const worker = { command: [node, join(home, "worker.js")], env: { PATH: process.env["PATH"] } };
	return new WireEnd(owner, worker, firstOf(owner, typeof files === "string" ? { "h.js": files } : files), handler, {
		FUNC_RUNTIME: "nodejs24",
		...env,
	});
}

/** Runs `use` with a worker, then sends `stop` and expects exit code 0. */
export async function withWorker(
	owner: Owner,
	files: Files | string,
	handler: string,
	use: (worker: WireEnd) => Promise<void>,
	env?: Env,
): Promise<void> {
	const worker = await start(owner, files, handler, env).ready();
	await use(worker);
	assert.equal(await worker.stop(), 0);
}

/** Returns the `failed` frame of a worker that cannot load its function. */
export const failure = (owner: Owner, files: Files | string, handler?: string, env?: Env): Promise<Line> =>
	start(owner, files, handler, env).failed();
