import { readdirSync, readFileSync } from "node:fs";
import { poll } from "./poll.ts";

/**
 * Returns the processes with a loader's marker in their environment, without zombies. Linux only.
 */
export function processesOf(marker: string): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`TEST_MARKER=${marker}`);
			} catch {
				return false; // has ended, or belongs to another user
			}
		});
}

/** The processes of a loader's workers. */
export const workersOf = ({
	marker,
	child,
}: {
	readonly marker: string;
	readonly child: { readonly pid?: number | undefined };
}): number[] => processesOf(marker).filter((pid) => pid !== child.pid);

/**
 * Resolves with the watchdog of a loader, another one than `former`: the process that ends its
 * workers if it is killed.
 */
export function untilWatched({ child }: { readonly child: { readonly pid?: number | undefined } }, former?: number): Promise<number> {
	const children = () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "latin1").trim().split(" ").map(Number);
	return poll(
		() => children().find((pid) => pid !== former && isWatchdog(pid)),
		() => `no watchdog among ${children().map(commandOf)}`,
	);
}

export const isWatchdog = (pid: number): boolean => commandOf(pid).includes("read -r sign group");

/**
 * Resolves when all of these processes have ended, except `stays`. @throws if others still run
 * after the time limit
 */
export async function untilGone(marker: string, stays?: number): Promise<void> {
	const left = () => processesOf(marker).filter((pid) => pid !== stays);
	await poll(
		() => left().length === 0 || undefined,
		() => `left running: ${left().map(commandOf).join("; ")}`,
		120_000,
	);
}

/** Returns the resident memory in bytes. */
export function residentBytes(pid: number): number {
	return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
}

const commandOf = (pid: number): string => {
	try {
		return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")}`;
	} catch {
		return String(pid);
	}
};
