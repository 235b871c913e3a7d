// A loader in a memory cgroup of its own, as in a container with a memory limit.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Loader, type LoaderOptions } from "./loader.ts";
import type { Owner } from "./owner.ts";
import { poll } from "./poll.ts";

const ROOT = "/sys/fs/cgroup";
const isV2 = existsSync(join(ROOT, "cgroup.controllers"));
/** The place where a container sees its own cgroup. */
const VIEW = isV2 ? ROOT : join(ROOT, "memory");
const LIMIT = isV2 ? "memory.max" : "memory.limit_in_bytes";

/** Enters the cgroup $1, makes it visible at $2, and becomes the command that follows. */
const ENTER = 'echo $$ >"$1/cgroup.procs" && mount --bind "$1" "$2" && shift 2 && exec "$@"';

let made = 0;

/** Makes a cgroup. @throws if this machine does not allow it */
function make(bytes: number): string {
	const own = readFileSync("/proc/self/cgroup", "utf8");
	const path = (isV2 ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m).exec(own)?.[1] ?? "/";
	// In v2 only a cgroup without processes can have limited children, so perhaps not this one.
	for (let parent = join(VIEW, path); parent.startsWith(VIEW); parent = dirname(parent)) {
		const folder = join(parent, `kubeless-test-${process.pid}-${++made}`);
		try {
			mkdirSync(folder);
		} catch {
			continue; // in a container, the path of the machine may not exist
		}
		try {
			writeFileSync(join(folder, LIMIT), String(bytes));
			return folder;
		} catch {
			rmdirSync(folder);
		}
	}
	throw new Error("no memory cgroup can be made");
}

/** Returns why no loader can run in a memory cgroup on this machine; false: it can. */
export function noMemoryCgroup(): string | false {
	try {
		rmdirSync(make(2 ** 30));
	} catch (error) {
		return `no memory cgroup can be made: ${(error as Error).message}`;
	}
	return spawnSync("unshare", ["-m", "true"]).status !== 0 && "only root may show the loader its own cgroup";
}

/** A loader with a memory limit. */
export interface LimitedLoader {
	readonly loader: Loader;
	/** how many processes of the cgroup the kernel has killed for lack of memory */
	readonly kills: () => number;
	/** the largest memory that was in use, in bytes */
	readonly peak: () => number;
}

/** Starts a loader in a new memory cgroup. Resolves when it serves. */
export async function startLimited(owner: Owner, bytes: number, options: LoaderOptions): Promise<LimitedLoader> {
	const folder = make(bytes);
	const read = (name: string) => readFileSync(join(folder, name), "utf8");
	const loader = new Loader(owner, { ...options, through: ["unshare", "-m", "sh", "-c", ENTER, "sh", folder, VIEW] });
	owner.after(async () => {
		await loader.end();
		await poll(
			() => removed(folder) || undefined,
			() => `processes are left in ${folder}`,
		);
	});
	return {
		loader: await loader.serving(),
		kills: () => Number(/^oom_kill (\d+)$/m.exec(read(isV2 ? "memory.events" : "memory.oom_control"))?.[1]),
		peak: () => Number(read(isV2 ? "memory.peak" : "memory.max_usage_in_bytes")),
	};
}

/** Removes a cgroup. Returns false while it has processes. */
function removed(folder: string): boolean {
	try {
		rmdirSync(folder);
		return true;
	} catch {
		return false;
	}
}
