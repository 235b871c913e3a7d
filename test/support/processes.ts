import { readdirSync, readFileSync } from "node:fs";

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

/** Resolves when none of them is left. @throws when some stay */
export async function untilGone(marker: string, ms = 5000): Promise<void> {
	const deadline = Date.now() + ms;
	for (;;) {
		const left = processesOf(marker);
		if (left.length === 0) return;
		if (Date.now() > deadline) throw new Error(`left running after ${ms} ms: ${left.map(commandOf).join("; ")}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
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
