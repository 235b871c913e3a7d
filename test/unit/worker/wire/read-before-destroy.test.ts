import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import test from "node:test";
import { readBeforeDestroy } from "../../../../kubeless-loader/src/worker/wire/read-before-destroy.ts";

test("what a process wrote before it ended is read although a write to it fails first", async () => {
	const child = spawn("sh", ["-c", "printf answer >&3"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
	const wire = child.stdio[3] as Socket;
	const seen: (string | undefined)[] = [];
	wire.on("error", () => {});
	wire.on("data", (chunk: Buffer) => seen.push(`too late: ${chunk}`));
	readBeforeDestroy(wire, (chunk) => seen.push(chunk?.toString()));
	// Nothing is read meanwhile: this thread stands still.
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
	wire.write("call");
	await new Promise<void>((resolve) => void wire.on("close", resolve));
	assert.deepEqual(seen, ["answer", undefined]);
});
