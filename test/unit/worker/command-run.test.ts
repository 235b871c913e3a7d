import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Run } from "../../../kubeless-loader/src/worker/command/run.ts";
import type { Worker, WorkerCall } from "../../../kubeless-loader/src/worker/contract.ts";
import { folder } from "../../support/loader.ts";

/**
 * Prints "early" and ends. A process outside its group holds its output, and prints "late" when the
 * file "go" exists.
 */
const COMMAND = `
setsid sh -c ': >begun; while [ ! -e go ]; do sleep 0.01; done; printf late; : >written' 2>/dev/null &
while [ ! -e begun ]; do sleep 0.01; done
printf early
`;

test("what came while the loader had no CPU is read before the output of an ended command is closed", async (t) => {
	const cwd = folder(t);
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const answered = Promise.withResolvers<string>();
	const answer = {
		result: (_status: number, _head: unknown, bytes: Buffer, start: number, end: number) =>
			answered.resolve(bytes.toString("utf8", start, end)),
		fail: (_code: string, message: string) => answered.reject(new Error(message)),
	};
	const call = { method: "GET", url: "/", headers: [], address: "", event: {}, body: undefined, upload: undefined, answer };
	const run = new Run({} as Worker, 1, call as unknown as WorkerCall, "body");
	run.start({ command: ["sh", "-c", COMMAND], env: process.env, cwd }, { line: () => {} } as never, () => {});
	while (existsSync(`/proc/${run.pid}`)) await nextTurn();
	// From here on no turn of the event loop: the silence is over, and the bytes are unread.
	writeFileSync(join(cwd, "go"), "");
	while (!existsSync(join(cwd, "written"))) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
	t.mock.timers.tick(60_000);
	assert.equal(await answered.promise, "earlylate");
});
