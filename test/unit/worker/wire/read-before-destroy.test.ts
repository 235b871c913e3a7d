import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import test from "node:test";
import { readBeforeDestroy } from "../../../../kubeless-loader/src/worker/wire/read-before-destroy.ts";

/**
 * Returns whether a child process is running; a zombie is not. Always false on systems without
 * /proc.
 */
function isRunning(pid: number): boolean {
	try {
		return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
	} catch {
		return false;
	}
}

/** Blocks this thread until a process has ended, so that nothing is read in between. */
function blockUntilEnded({ pid }: ChildProcess): void {
	do Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, existsSync("/proc/self/stat") ? 10 : 1000);
	while (isRunning(pid as number));
}

for (const [how, script, first] of [
	["that has read all", "printf answer >&3", ""],
	["that has left bytes unread", "dd bs=1 count=1 <&3 >&3 2>/dev/null; printf nswer >&3", "a call that is not read"],
] as const) {
	test(`the last output of an ended process ${how} is read, although a write to the process fails first`, async () => {
		const child = spawn("sh", ["-c", script], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
		const wire = child.stdio[3] as Socket;
		const seen: (string | undefined)[] = [];
		wire.on("error", () => {});
		wire.on("data", (chunk: Buffer) => seen.push(`too late: ${chunk}`));
		readBeforeDestroy(wire, (chunk) => seen.push(chunk?.toString()));
		if (first !== "") wire.write(first);
		blockUntilEnded(child);
		wire.write("call");
		await new Promise<void>((resolve) => void wire.on("close", resolve));
		assert.deepEqual(seen, ["answer", undefined]);
	});
}
