import { readdirSync, readFileSync } from "node:fs";

/** Linux tells process times in this many parts of a second, on every platform it runs on. */
export const TICKS_PER_SECOND = 100;

interface Process {
	readonly pid: number;
	readonly parent: number;
	/** user and system time, its own and that of the children it has waited for */
	readonly ticks: number;
}

/** A process and all that descend from it, itself first; empty when it is gone. */
export function treeOf(root: number): Process[] {
	const all = readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => readProcess(Number(name)));
	const tree = all.filter(({ pid }) => pid === root);
	// The list grows while it is walked: children of children come last.
	for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
	return tree;
}

/** User and system time of a process and all that descend from it, the ended ones included, in `s`. */
export function cpuSeconds(root: number): number {
	return treeOf(root).reduce((total, { ticks }) => total + ticks, 0) / TICKS_PER_SECOND;
}

function readProcess(pid: number): Process[] {
	let stat: string;
	try {
		stat = readFileSync(`/proc/${pid}/stat`, "latin1");
	} catch {
		return []; // gone since it was listed
	}
	// proc_pid_stat(5): the name, in parentheses, may hold anything; after it come state, parent, … from field 3 on.
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const field = (number: number): number => Number(fields[number - 3]);
	return [{ pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }];
}
