import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { LineSplitter } from "./lines.ts";

/** A command with all it needs to run. */
export interface Command {
	readonly command: readonly string[];
	readonly env: Readonly<NodeJS.ProcessEnv>;
	/** the working folder */
	readonly cwd: string;
}

/**
 * Starts a command as the head of a process group of its own: a kill reaches what it started, a Ctrl-C at a terminal
 * does not reach it.
 */
export function startGroup({ command, env, cwd }: Command, stdio: ("ignore" | "pipe")[]): ChildProcess {
	const [program, ...args] = command as [string, ...string[]];
	const child = spawn(program, args, { cwd, env, stdio, detached: true });
	endBeforeLoader(child.pid);
	return child;
}

/** Of the kernel's scale, up to 1000: half of the container's memory more than the loader. */
const OOM_SCORE = "500";

/** Where memory runs out the kernel ends a worker, however small, rather than the loader, whose end is the container's. */
function endBeforeLoader(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
	} catch {
		// It has ended, or this is not Linux.
	}
}

/** Signals a process and all it started; `pid` is the number of the group's head, which must not have been another's since. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// The group is gone already.
	}
}

/** The kernel's mark of a process on its way out (PF_EXITING in the Linux sources). */
const EXITING = 4;

/** Whether a process has begun to end, which it does before its connections close and some time before its end is told. */
export function isEnding(pid: number | undefined): boolean {
	try {
		// The name, in parentheses, may hold anything; then come the state and, six further on, the flags.
		const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
			.replace(/^.*\) /s, "")
			.split(" ");
		return /[ZXx]/.test(fields[0] ?? "") || (Number(fields[6]) & EXITING) !== 0;
	} catch {
		return false; // gone, which is told, or not Linux
	}
}

/** Hands on what a process prints, line by line. */
export function readLines(pipe: Readable | null, sink: (line: string) => void): void {
	if (!pipe) return;
	const splitter = new LineSplitter(sink);
	pipe.on("data", (bytes: Buffer) => splitter.push(bytes));
	pipe.on("end", () => splitter.end());
	pipe.on("error", () => splitter.end());
}

/** A sentence for a command that could not be started: the system's error, or none where there is no such command. */
export function whyNotStarted(program: string, error?: Error): string {
	const missing = error === undefined || (error as NodeJS.ErrnoException).code === "ENOENT";
	return missing ? `"${program}" is not installed or not on PATH` : `"${program}" cannot be started: ${error.message}`;
}

/** Whether a command could be started, found as the system would find it. */
export function canStart({ command: [program = ""], env, cwd }: Command): boolean {
	const files = program.includes("/")
		? [resolve(cwd, program)]
		: (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder || ".", program));
	return files.some((file) => {
		try {
			accessSync(file, constants.X_OK);
			return statSync(file).isFile();
		} catch {
			return false;
		}
	});
}
