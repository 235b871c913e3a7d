import { readdirSync, readFileSync } from "node:fs";
import { poll } from "./poll.ts";

/** The processes that have this marker of a loader's in their environment, zombies aside. Linux alone can tell. */
export function processesOf(marker: string): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`TEST_MARKER=${marker}`);
			} catch {
				return false; // gone, or not ours
			}
		});
}

/** Resolves when none of them is left, but the one that may stay. @throws when others do */
export async function untilGone(marker: string, stays?: number): Promise<void> {
	const left = () => processesOf(marker).filter((pid) => pid !== stays);
	await poll(
		() => left().length === 0 || undefined,
		() => `left running: ${left().map(commandOf).join("; ")}`,
		120_000,
	);
}

/** Resident memory in `bytes`. */
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
