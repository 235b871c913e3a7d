import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";

// cgroup v2, then v1
const LIMIT_FILES = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const USAGE_FILES = ["/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"];
// each with a line `oom_kill N`
const KILLS_FILES = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];
/** Linux counts resident memory in pages of this many `bytes` on all platforms the images are built for. */
const PAGE = 4096;
/** How full the container may get before no further worker is started. */
const FULL = 0.9;

/** What the container may use in `bytes`: its cgroup's limit, or the machine's memory. */
export function containerMemory(): number {
	// "max" in v2 and a number close to 2^63 in v1 both mean no limit.
	const limit = firstNumber(LIMIT_FILES);
	return limit === undefined ? totalmem() : Math.min(limit, totalmem());
}

/** Whether a further process of the size of `pid` fits into the container. */
export function roomForAnother(pid: number | undefined): boolean {
	const used = firstNumber(USAGE_FILES) ?? process.memoryUsage.rss();
	return used + pagesOf(statm(pid)) < FULL * containerMemory();
}

let killsTold = killedForMemory();

/** Whether the kernel has ended a process of the container because memory ran out, since this was last asked. */
export function ranOutOfMemory(): boolean {
	const kills = killedForMemory();
	const isNew = kills > killsTold;
	killsTold = kills;
	return isNew;
}

/** How many processes of the container the kernel has ended so. */
function killedForMemory(): number {
	for (const file of KILLS_FILES) {
		try {
			return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
		} catch {
			// Not this version of cgroups.
		}
	}
	return 0;
}

/** Resident memory of a process in `bytes`; 0 when it is gone. */
export async function residentBytes(pid: number | undefined): Promise<number> {
	return readFile(`/proc/${pid}/statm`, "utf8").then(pagesOf, () => 0);
}

/** Resident pages, the second number in /proc/PID/statm, as `bytes`. */
const pagesOf = (text: string): number => Number(text.split(" ")[1] ?? 0) * PAGE;

function statm(pid: number | undefined): string {
	try {
		return readFileSync(`/proc/${pid}/statm`, "utf8");
	} catch {
		return "";
	}
}

function firstNumber(files: readonly string[]): number | undefined {
	for (const file of files) {
		try {
			const value = Number.parseInt(readFileSync(file, "utf8"), 10);
			if (Number.isFinite(value)) return value;
		} catch {
			// Not this version of cgroups.
		}
	}
	return undefined;
}
