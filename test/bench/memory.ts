import { readFileSync } from "node:fs";

const KIB = 1024;

export interface Memory {
	/** pages of its own, and its part of the pages it shares with others, in `bytes` */
	readonly pss: number;
	/** all its pages, in `bytes` */
	readonly rss: number;
}

/** What processes take of the machine's memory now. */
export function memoryOf(pids: readonly number[]): Memory {
	const each = pids.map((pid) => ({ pss: kibibytes(pid, "smaps_rollup", "Pss"), rss: kibibytes(pid, "smaps_rollup", "Rss") }));
	return { pss: each.reduce((total, { pss }) => total + pss, 0), rss: each.reduce((total, { rss }) => total + rss, 0) };
}

/** The most resident memory a process ever had, in `bytes`. */
export const peakMemory = (pid: number): number => kibibytes(pid, "status", "VmHWM");

/** One figure of a process, in `bytes`; one that has ended has no memory any more. */
function kibibytes(pid: number, file: string, name: string): number {
	try {
		return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "latin1"))?.[1] ?? 0) * KIB;
	} catch {
		return 0;
	}
}
