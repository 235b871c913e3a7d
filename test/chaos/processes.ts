// The processes of a loader, by /proc.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Returns the child processes, in the order of their start. Zombies are left out. */
export function childrenOf(pid: number): number[] {
	try {
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);
		return children.filter((child) => stateOf(child) !== undefined);
	} catch {
		return []; // it has ended
	}
}

/** Returns the state's letter (proc(5)); undefined: the process has ended. */
export function stateOf(pid: number): string | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
		return state === "Z" || state === "X" ? undefined : state;
	} catch {
		return undefined;
	}
}

/** Returns what the process's file descriptors are, such as "socket" or "/dev/null". */
export function descriptorsOf(pid: number): string[] {
	const folder = `/proc/${pid}/fd`;
	return readdirSync(folder).flatMap((fd) => {
		try {
			return [readlinkSync(join(folder, fd)).replace(/:\[\d+\]$/, "")];
		} catch {
			return []; // closed meanwhile
		}
	});
}

/** Returns the size of the process's address space in bytes. */
export function addressSpaceOf(pid: number): number {
	return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[0]) * 4096;
}

/** Returns false if the process has ended, or may not be signalled. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
	try {
		return process.kill(pid, name);
	} catch {
		return false;
	}
}

/** Changes the soft limit of a resource. Returns false if it could not be changed. */
export function limit(pid: number, resource: "as" | "nofile", value: number | "unlimited"): boolean {
	return spawnSync("prlimit", [`--pid=${pid}`, `--${resource}=${value}:`], { stdio: "ignore" }).status === 0;
}

/** prlimit is in util-linux. */
export const missingLimits = (): string | undefined =>
	spawnSync("prlimit", ["--version"], { stdio: "ignore" }).status === 0 ? undefined : "prlimit is not installed";
