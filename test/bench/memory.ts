import { readFileSync } from "node:fs";

const KIB = 1024;

export interface Memory {
	/** proportional set size in bytes: its own pages, and its share of shared pages */
	readonly pss: number;
	/** resident set size in bytes */
	readonly rss: number;
}

/** Returns the present memory usage of processes. */
export function memoryOf(pids: readonly number[]): Memory {
	const each = pids.map((pid) => ({ pss: kibibytes(pid, "smaps_rollup", "Pss"), rss: kibibytes(pid, "smaps_rollup", "Rss") }));
	return { pss: each.reduce((total, { pss }) => total + pss, 0), rss: each.reduce((total, { rss }) => total + rss, 0) };
}

/** Returns the peak resident memory of a process, in bytes. */
export const peakMemory = (pid: number): number => kibibytes(pid, "status", "VmHWM");

/** Returns one figure of a process in bytes; 0 if the process has ended. */
function kibibytes(pid: number, file: string, name: string): number {
	try {
		return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "latin1"))?.[1] ?? 0) * KIB;
	} catch {
		return 0;
	}
}
