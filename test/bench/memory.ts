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
	const each = pids.map((pid) => {
		const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
		return { pss: kibibytes(text, "Pss"), rss: kibibytes(text, "Rss") };
	});
	return { pss: each.reduce((total, { pss }) => total + pss, 0), rss: each.reduce((total, { rss }) => total + rss, 0) };
}

/** The most resident memory a process ever had, in `bytes`; one that has ended has none any more. */
export function peakMemory(pid: number): number {
	try {
		return kibibytes(readFileSync(`/proc/${pid}/status`, "latin1"), "VmHWM");
	} catch {
		return 0;
	}
}

function kibibytes(text: string, name: string): number {
	return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) * KIB;
}
