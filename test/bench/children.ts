import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeOf } from "./processes.ts";

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Kills a process and its descendants when this process ends. */
export function keep(child: ChildProcess): ChildProcess {
	running.add(child);
	child.once("exit", () => running.delete(child));
	return child;
}

/** Makes a folder that is removed when this process ends. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "kubeless-bench-"));
	folders.add(folder);
	return folder;
}

/** Kills a process and its descendants. */
export function killTree(child: ChildProcess): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	// Lists the descendants first: after the end of a process its children cannot be found.
	for (const { pid } of treeOf(child.pid)) {
		try {
			process.kill(pid, "SIGKILL");
		} catch {
			// The process has ended.
		}
	}
}

/**
 * Installs handlers, so that no registered process or folder outlives this process, also after
 * Ctrl-C.
 */
export function endAllAtExit(): void {
	process.on("exit", () => {
		for (const child of running) killTree(child);
		for (const folder of folders) rmSync(folder, { recursive: true, force: true });
	});
	// The exit code of shells after a signal: 128 plus its number.
	const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
	for (const [signal, code] of Object.entries(codes)) process.on(signal, () => process.exit(code));
}
