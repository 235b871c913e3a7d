// Memory of the container and of its processes, from cgroup v2 or v1.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";

/** Linux counts resident memory in pages of this many bytes on all platforms of the images. */
const PAGE_BYTES = 4096;
/** The part of the container's memory that may be in use before no further worker is started. */
const MAX_USED = 0.9;

/**
 * The memory files of one cgroup; files of the version that the machine does not have are absent.
 */
export class Cgroup {
	readonly #folder: string;
	#reportedKills: number;

	constructor(folder = "/sys/fs/cgroup") {
		this.#folder = folder;
		this.#reportedKills = this.#kills();
	}

	/** The limit in bytes; the machine's memory if there is no limit. */
	get memoryLimit(): number {
		// "max" in v2 and a number close to 2^63 in v1 both mean no limit.
		const limit = this.#number("memory.max") ?? this.#number("memory/memory.limit_in_bytes");
		return limit === undefined ? totalmem() : Math.min(limit, totalmem());
	}

	/**
	 * The memory in use in bytes: the kubelet's "working set", which leaves out the page cache that
	 * the kernel can drop at once. Undefined without a cgroup.
	 */
	get workingSet(): number | undefined {
		const v2 = this.#number("memory.current");
		if (v2 !== undefined) return Math.max(0, v2 - this.#field("memory.stat", "inactive_file"));
		const v1 = this.#number("memory/memory.usage_in_bytes");
		return v1 && Math.max(0, v1 - this.#field("memory/memory.stat", "total_inactive_file"));
	}

	/**
	 * Returns true if the kernel has killed a process of the cgroup for lack of memory since the last
	 * time this was called.
	 */
	ranOutOfMemory(): boolean {
		const kills = this.#kills();
		const isNew = kills > this.#reportedKills;
		this.#reportedKills = kills;
		return isNew;
	}

	#kills(): number {
		return this.#field("memory.events", "oom_kill") || this.#field("memory/memory.oom_control", "oom_kill");
	}

	/** Returns the number in a line `name number`; 0 without the file or the line. */
	#field(file: string, name: string): number {
		return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(this.#text(file))?.[1] ?? 0);
	}

	#number(file: string): number | undefined {
		const value = Number.parseInt(this.#text(file), 10);
		return Number.isFinite(value) ? value : undefined;
	}

	#text(file: string): string {
		return textOf(join(this.#folder, file));
	}
}

const container = new Cgroup();

/**
 * Returns the memory of the container in bytes.
 * @param stated FUNC_MEMORY_LIMIT, a Kubernetes quantity; it counts if it is less than the cgroup's
 *   limit
 */
export const containerMemory = (stated = ""): number => Math.min(container.memoryLimit, quantity(stated) ?? Number.POSITIVE_INFINITY);

const UNITS: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** Returns a Kubernetes quantity of memory in bytes; undefined for 0 and for other text. */
export function quantity(text: string): number | undefined {
	const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kMGT]i?|Ki)?$/.exec(text.trim()) ?? [];
	return Number(number) > 0 ? Number(number) * (UNITS[unit] ?? 1) : undefined;
}

export const ranOutOfMemory = (): boolean => container.ranOutOfMemory();

/** Returns true if one more process of the size of `pid` fits into the container. */
export function roomForAnother(pid: number | undefined): boolean {
	const used = container.workingSet ?? process.memoryUsage.rss();
	return used + pagesOf(textOf(`/proc/${pid}/statm`)) < MAX_USED * container.memoryLimit;
}

/** Returns the resident memory of a process in bytes; 0 if it has ended. */
export async function residentBytes(pid: number | undefined): Promise<number> {
	return readFile(`/proc/${pid}/statm`, "utf8").then(pagesOf, () => 0);
}

/** Returns the second number of /proc/PID/statm, resident pages, in bytes. */
const pagesOf = (text: string): number => Number(text.split(" ")[1] ?? 0) * PAGE_BYTES;

/** Returns "" if the file cannot be read. */
function textOf(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}
