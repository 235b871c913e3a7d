import assert from "node:assert/strict";
import { spawn } from "node:child_process";
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

test("the last output of an ended process is read, although a write to the process fails first", async () => {
	const child = spawn("sh", ["-c", "printf answer >&3"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
	const wire = child.stdio[3] as Socket;
	const seen: (string | undefined)[] = [];
	wire.on("error", () => {});
	wire.on("data", (chunk: Buffer) => seen.push(`too late: ${chunk}`));
	readBeforeDestroy(wire, (chunk) => seen.push(chunk?.toString()));
	// Blocks this thread until the process has ended, so that nothing is read in between.
	do Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, existsSync("/proc/self/stat") ? 10 : 1000);
	while (isRunning(child.pid as number));
	wire.write("call");
	await new Promise<void>((resolve) => void wire.on("close", resolve));
	assert.deepEqual(seen, ["answer", undefined]);
});
