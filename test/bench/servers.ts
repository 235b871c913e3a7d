import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, delimiter, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../support/ask.ts";
import { keep, killTree, temporaryFolder } from "./children.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const LOADER = here("../../kubeless-loader/bin.mjs");
const BARE = here("./bare.mjs");
const TRIVIAL = here("./trivial");

/**
 * The interval of readiness checks of a starting server, in ms: the resolution of measured start
 * times.
 */
const ASK_EVERY_MS = 2;
/** The time limits of a server's start and stop, in ms. */
const START_PATIENCE_MS = 30_000;
const STOP_PATIENCE_MS = 5_000;
/** The number of characters of a server's output that are kept for error messages. */
const MAX_OUTPUT_CHARS = 4096;

/** A server to start: the bare server, or a loader with a function. */
export interface ServerSpec {
	readonly name: string;
	readonly command: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	/** the path that responds 200 when the server is ready */
	readonly probe: string;
}

export const BARE_SERVER: ServerSpec = { name: "bare", command: [process.execPath, BARE], env: {}, probe: "/" };

/** Returns a loader in its default configuration, as in a container, with additional variables. */
export function loaderSpec(
	runtime: string,
	file: string,
	handler = "",
	env: Readonly<Record<string, string>> = {},
	command: readonly string[] = [process.execPath, LOADER],
): ServerSpec {
	// Copies the function to a folder of its own, as Kubeless does: the manifest's folder has a
	// package.json and other files.
	const volume = temporaryFolder();
	copyFileSync(file, join(volume, basename(file)));
	const MOD_NAME = basename(file, extname(file));
	return {
		name: runtime,
		command,
		probe: "/readyz",
		env: { KUBELESS_INSTALL_VOLUME: volume, MOD_NAME, FUNC_HANDLER: handler, FUNC_RUNTIME: runtime, ...env },
	};
}

/** Returns a loader with a worker that uses almost no CPU. */
export function trivialLoader(env: Readonly<Record<string, string>> = {}): ServerSpec {
	return loaderSpec("trivial", join(TRIVIAL, "ok.txt"), "", { KUBELESS_RUNTIME_MANIFEST: join(TRIVIAL, "runtime.json"), ...env });
}

export interface Server {
	readonly name: string;
	readonly pid: number;
	readonly port: number;
	/** the time from the start of the process to the first 200, in ms */
	readonly startedIn: number;
	stop(): Promise<void>;
}

/**
 * Starts a server and waits until `probe` responds 200. @throws with the end of its output if it
 * exits
 */
export async function start(spec: ServerSpec, probe = spec.probe): Promise<Server> {
	const port = await freePort();
	const [command, ...args] = spec.command as [string, ...string[]];
	const startedAt = performance.now();
	const child = keep(
		spawn(command, args, {
			// Does not inherit the shell's environment, which would affect figures. This Node.js is first in
			// PATH.
			env: {
				PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
				HOME: process.env["HOME"],
				FUNC_PORT: String(port),
				PORT: String(port),
				...spec.env,
			},
			// Reads and discards the output, like a container engine: a full pipe would block the access
			// log.
			stdio: ["ignore", "pipe", "pipe"],
		}),
	);
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on("data", (bytes: Buffer) => {
			if (bytes.length < MAX_OUTPUT_CHARS) output = (output + bytes.toString()).slice(-MAX_OUTPUT_CHARS);
		});
	}
	const failed = (what: string): Error => new Error(`${spec.name} ${what}: ${output.trim() || "no output"}`);
	await untilServing(child, port, probe, failed);
	return { name: spec.name, pid: child.pid as number, port, startedIn: performance.now() - startedAt, stop: () => stop(child) };
}

async function untilServing(child: ChildProcess, port: number, probe: string, failed: (what: string) => Error): Promise<void> {
	const deadline = performance.now() + START_PATIENCE_MS;
	for (;;) {
		const answer = await ask(port, { path: probe }).catch(() => undefined);
		if (answer?.status === 200) return;
		if (child.exitCode !== null || child.signalCode !== null) throw failed("ended before it served");
		if (performance.now() > deadline) {
			killTree(child);
			throw failed(`answered no 200 to ${probe} within ${START_PATIENCE_MS / 1000} s`);
		}
		await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
	}
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, "exit");
	child.kill("SIGTERM");
	const timer = setTimeout(() => killTree(child), STOP_PATIENCE_MS);
	await ended;
	clearTimeout(timer);
}

/**
 * Returns a free port from the system: the readiness checks need the port before the loader prints
 * it.
 */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	server.close();
	await once(server, "close");
	return typeof address === "object" && address ? address.port : 0;
}
