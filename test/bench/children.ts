import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeOf } from "./processes.ts";

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Sees to it that a process, and all it started, ends with this one. */
export function keep(child: ChildProcess): ChildProcess {
	running.add(child);
	child.once("exit", () => running.delete(child));
	return child;
}

/** A folder that is gone with this process. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "kubeless-bench-"));
	folders.add(folder);
	return folder;
}

/** Ends a process and all that descend from it, now. */
export function killTree(child: ChildProcess): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	// Looked up first: the children of a dead process are nobody's.
	for (const { pid } of treeOf(child.pid)) {
		try {
			process.kill(pid, "SIGKILL");
		} catch {
			// It went by itself.
		}
	}
}

/** From now on, nothing that was kept outlives this process, Ctrl-C included. */
export function endAllAtExit(): void {
	process.on("exit", () => {
		for (const child of running) killTree(child);
		for (const folder of folders) rmSync(folder, { recursive: true, force: true });
	});
	// As a shell tells the end by a signal: 128 and its number.
	const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
	for (const [signal, code] of Object.entries(codes)) process.on(signal, () => process.exit(code));
}
