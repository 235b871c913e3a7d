import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// Starts Go workers for the tests of this folder. test/conformance/ tests what holds in every
// language.

const home = fileURLToPath(new URL("../", import.meta.url));
export const { missing, candidate } =
	readRuntimes().find(({ id }) => id === "go") ?? assert.fail("runtimes/go has no conformance functions");
/** The cache of programs stays from one run to the next, as on a developer's machine. */
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/go", import.meta.url));

/** Returns the text of a Go file with these imports beside the handler's types. */
export const go = (text: string, ...imports: string[]): string =>
	`package kubeless\n\nimport (\n${["github.com/kubeless/kubeless/pkg/functions", ...imports].map((path) => `\t${JSON.stringify(path)}\n`).join("")})\n\n${text}\n`;
export const handler = (body: string, name = "Handler"): string =>
	`func ${name}(event functions.Event, context functions.Context) (string, error) {\n${body}\n}\n`;

/** Starts a worker for the first of the files, and waits until it is ready. */
export const start = (owner: Owner, files: Files, env?: Env): Promise<WireEnd> => startIn(owner, firstOf(owner, files), env);

export const startIn = (owner: Owner, file: string, env?: Env): Promise<WireEnd> => begun(owner, file, env).ready();

export const begun = (owner: Owner, file: string, env: Env = {}): WireEnd =>
	new WireEnd(owner, candidate(), file, "", { FUNC_RUNTIME: "go1.26", FUNC_MEMORY_LIMIT: "0", KUBELESS_LOADER_CACHE: CACHE, ...env });

export const failure = async (owner: Owner, files: Files, env?: Env): Promise<string> =>
	(await begun(owner, firstOf(owner, files), env).failed()).message ?? "";

interface Ended {
	readonly status: number | null;
	readonly stderr: string;
}

/**
 * Runs a command without a time limit: the first compilation on a machine takes a minute of CPU.
 */
async function run(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ended> {
	const child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
	let stderr = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const [status] = await once(child, "close");
	return { status, stderr };
}

/** Runs Kubeless's compilation phase in a folder, as its container does: without a home. */
export function compile(place: string, name: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
	const { HOME: _, XDG_CACHE_HOME: __, ...given } = candidate().env;
	const phase = {
		GOCACHE: GO_CACHE,
		KUBELESS_LOADER_CACHE: CACHE,
		KUBELESS_INSTALL_VOLUME: place,
		KUBELESS_FUNC_NAME: name,
		TMPDIR: place,
	};
	return run("sh", [join(home, "compile.sh")], { cwd: place, env: { ...given, ...phase, ...env } });
}

const GO_CACHE = spawnSync("go", ["env", "GOCACHE"], { encoding: "utf8" }).stdout?.trim();

/** Options of a test suite that needs Go. */
export const needsGo = { skip: missing ?? false, concurrency: 2 };

/** Compiles the worker's packages: the tests' own limits are for starts with a warm cache of Go. */
export async function warmCache(): Promise<void> {
	const env = { ...candidate().env, KUBELESS_LOADER_CACHE: CACHE, KUBELESS_DEPS_FILE: join(home, "go.mod") };
	const { status, stderr } = await run("sh", [join(home, "install.sh")], { cwd: home, env });
	assert.equal(status, 0, stderr);
}
