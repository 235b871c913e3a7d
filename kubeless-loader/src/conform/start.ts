import { type ChildProcess, spawn } from "node:child_process";
import { basename, dirname, extname, join } from "node:path";
import { expand } from "../manifest.ts";
import type { Start } from "./vectors.ts";

/** All that is needed to start a worker. */
export interface Startable {
	/** the worker's command; $(NAME) is the variable NAME */
	readonly command: readonly string[];
	/** its environment, without the variables of rule 3.1 */
	readonly env: Readonly<NodeJS.ProcessEnv>;
	/** the file with the handlers, absolute; undefined: they are part of the worker */
	readonly file: string | undefined;
	/** the working folder if there is no such file */
	readonly folder?: string;
}

/** A worker to be tested, whose file has the conformance handlers. */
export interface Candidate extends Startable {
	/** calls at once, if the worker states no number (3.2) */
	readonly concurrency: number;
	/** the `needs` it does not meet, each with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** the factor by which all waiting times are multiplied */
	readonly patience?: number;
}

/** Starts a worker as the loader does, its wire on file descriptor 3 (1.1). */
export function startWorker(worker: Startable, start: Start & { handler: string }): ChildProcess {
	const file = worker.file && start.file ? sibling(worker.file, start.file) : worker.file;
	const env = environment(worker, start.handler, file, start.env);
	const [command = "", ...args] = worker.command.map((word) => expand(word, env));
	return spawn(command, args, {
		cwd: file === undefined ? worker.folder : dirname(file),
		env,
		stdio: ["ignore", "pipe", "pipe", "pipe"],
		// A group of its own, so that the children of a handler can be ended with it.
		detached: true,
	});
}

/** conformance.js and "broken" give conformance-broken.js */
function sibling(file: string, word: string): string {
	const suffix = extname(file);
	return join(dirname(file), `${basename(file, suffix)}-${word}${suffix}`);
}

// 3.1
function environment(worker: Startable, handler: string, file: string | undefined, changes: Start["env"] = {}): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = {
		...(file !== undefined && { KUBELESS_INSTALL_VOLUME: dirname(file) }),
		...worker.env,
		...(file !== undefined && { KUBELESS_HANDLER_FILE: file, MOD_NAME: basename(file, extname(file)) }),
		FUNC_HANDLER: handler,
		FUNC_TIMEOUT: "30",
		FUNC_RUNTIME: "conformance1.0",
		FUNC_MEMORY_LIMIT: "128Mi",
		KUBELESS_WIRE: "1",
	};
	for (const [name, value] of Object.entries(changes)) {
		if (value === null) delete env[name];
		else env[name] = value;
	}
	return env;
}
