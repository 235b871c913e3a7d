import { readdirSync, readFileSync } from "node:fs";

/** The unit of process times in /proc: USER_HZ, which is 100 on all platforms of Linux. */
export const TICKS_PER_SECOND = 100;

interface Process {
	readonly pid: number;
	readonly parent: number;
	/** user and system time, including its reaped children */
	readonly ticks: number;
}

/** Returns a process and its descendants, the process first; empty if it has ended. */
export function treeOf(root: number): Process[] {
	const all = readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => readProcess(Number(name)));
	const tree = all.filter(({ pid }) => pid === root);
	// The list grows during the loop, so that it includes children of children.
	for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
	return tree;
}

/** Returns user and system time of a process and its descendants, including ended ones, in s. */
export function cpuSeconds(root: number): number {
	return treeOf(root).reduce((total, { ticks }) => total + ticks, 0) / TICKS_PER_SECOND;
}

function readProcess(pid: number): Process[] {
	let stat: string;
	try {
		stat = readFileSync(`/proc/${pid}/stat`, "latin1");
	} catch {
		return []; // has ended since it was listed
	}
	// proc_pid_stat(5): the name in parentheses may contain any character. After it are state, parent,
	// … from field 3 on.
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const field = (number: number): number => Number(fields[number - 3]);
	return [{ pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }];
}
