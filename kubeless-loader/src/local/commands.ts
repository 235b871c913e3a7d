import type { ChildProcess } from "node:child_process";
import { signalGroup, startGroup } from "../worker/process/process-group.ts";

/** How a command ended. */
export interface Ended {
	/** the exit code; null if a signal ended it, or if it could not be started */
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	/** why it could not be started */
	readonly error: NodeJS.ErrnoException | undefined;
	readonly stdout: string;
	/** both streams, as they came */
	readonly output: string;
}

/** Characters of output that are kept. */
const MAX_OUTPUT = 64 * 1024;

/** Runs commands that end with the loader, with all they start. */
export class Commands {
	readonly #running = new Set<ChildProcess>();
	#stopped = false;

	run([program = "", ...args]: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
		let stdout = "";
		let output = "";
		return new Promise((resolve) => {
			if (this.#stopped) return; // the process is about to exit
			const child = startGroup({ command: [program, ...args], env, cwd }, ["ignore", "pipe", "pipe"]);
			this.#running.add(child);
			const end = (code: number | null, signal: NodeJS.Signals | null, error?: NodeJS.ErrnoException) => {
				this.#running.delete(child);
				resolve({ code, signal, error, stdout, output });
			};
			child.stdout?.on("data", (text: Buffer) => {
				stdout = (stdout + text).slice(-MAX_OUTPUT);
			});
			for (const pipe of [child.stdout, child.stderr]) {
				pipe?.on("data", (text: Buffer) => {
					output = (output + text).slice(-MAX_OUTPUT);
				});
			}
			child.on("error", (error) => end(null, null, error));
			child.on("close", (code, signal) => end(code, signal));
		});
	}

	/** Ends running commands; no further one is started. */
	stop(): void {
		this.#stopped = true;
		for (const child of this.#running) signalGroup(child.pid, "SIGKILL");
	}
}
