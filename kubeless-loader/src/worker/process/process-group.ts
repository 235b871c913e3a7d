import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { type LineSink, LineSplitter } from "./lines.ts";
import { watchdog } from "./watchdog.ts";

/** A command, its environment and its working folder. */
export interface Command {
	readonly command: readonly string[];
	readonly env: Readonly<NodeJS.ProcessEnv>;
	readonly cwd: string;
}

/**
 * Starts a command as the leader of a process group of its own: a signal to the group reaches its
 * children, and Ctrl-C at a terminal does not reach it.
 */
export function startGroup({ command, env, cwd }: Command, stdio: ("ignore" | "pipe")[]): ChildProcess {
	const [program, ...args] = command as [string, ...string[]];
	const child = spawn(program, args, { cwd, env, stdio, detached: true });
	const { pid } = child;
	if (pid === undefined) return child;
	watchdog.add(pid);
	child.on("exit", () => watchdog.remove(pid));
	yieldToLoader(pid);
	endBeforeLoader(pid);
	return child;
}

/**
 * On the kernel's scale, up to 1000: counts like half of the container's memory more than the
 * loader uses.
 */
const OOM_SCORE = "500";

/**
 * If memory runs out, the kernel kills a worker rather than the loader: with the loader, the
 * container ends.
 */
function endBeforeLoader(pid: number): void {
	try {
		writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
	} catch {
		// It has ended, or this is not Linux.
	}
}

/**
 * The nice value of workers is this much above the loader's: a loader that waits for a busy CPU
 * answers neither callers nor probes in time.
 */
const NICER = 5;
const MAX_NICE = 19;

function yieldToLoader(pid: number): void {
	lowerPriority(pid, Math.min(getPriority() + NICER, MAX_NICE));
}

/**
 * Threads and children inherit a nice value when they are made; those that the process has made by
 * now are changed here.
 */
function lowerPriority(pid: number, nice: number): void {
	try {
		setPriority(pid, nice);
		for (const thread of readdirSync(`/proc/${pid}/task`)) {
			if (Number(thread) !== pid) setPriority(Number(thread), nice);
			const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ");
			for (const child of children) if (child !== "") lowerPriority(Number(child), nice);
		}
	} catch {
		// It has ended, the system does not allow it, or this is not Linux.
	}
}

/**
 * Signals a process and its children. `pid` is the group's leader; it must not have been reused
 * since.
 */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// The group is gone already.
	}
}

/** The kernel's flag of a process that is exiting (PF_EXITING in the Linux sources). */
const EXITING = 4;

/**
 * True if a process has begun to exit: that is before its connections close, and some time before
 * its exit is reported.
 */
export function isEnding(pid: number | undefined): boolean {
	try {
		// After the name, which is in parentheses and may hold anything, come the state and, six fields
		// later, the flags.
		const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
			.replace(/^.*\) /s, "")
			.split(" ");
		return /[ZXx]/.test(fields[0] ?? "") || (Number(fields[6]) & EXITING) !== 0;
	} catch {
		return false; // it is gone, which is reported, or this is not Linux
	}
}

/** Passes on the output of a process, line by line. */
export function readLines(pipe: Readable | null | undefined, sink: LineSink): void {
	if (!pipe) return; // the process could not be started
	const splitter = new LineSplitter(sink);
	pipe.on("data", (bytes: Buffer) => splitter.push(bytes));
	pipe.on("end", () => splitter.end());
	pipe.on("error", () => splitter.end());
}

/**
 * Returns a sentence for a command that could not be started; without an error, the program does
 * not exist.
 */
export function whyNotStarted(program: string, error?: Error): string {
	const missing = error === undefined || (error as NodeJS.ErrnoException).code === "ENOENT";
	return missing ? `"${program}" is not installed or not on PATH` : `"${program}" cannot be started: ${error.message}`;
}

/** True if the command's program exists, found as the system would find it. */
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
