import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { ask } from "../support/ask.ts";
import { Figures } from "../support/figures.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";

const BIN = fileURLToPath(new URL("../../kubeless-loader/bin.mjs", import.meta.url));

/** Prints 4 MB per call. */
const FLOODS = `
exports.h = () => {
	for (let line = 0; line < 20_000; line++) console.log("x".repeat(200));
	return "printed";
};
`;

/** Starts a loader that writes its log to `output`. */
function start(owner: Owner, output: number | "pipe") {
	const volume = folder(owner, { "f.js": FLOODS });
	const child = spawn(process.execPath, [BIN], {
		cwd: volume,
		env: {
			PATH: process.env["PATH"],
			KUBELESS_INSTALL_VOLUME: volume,
			KUBELESS_TERMINATION_LOG: join(volume, "no-termination-log"),
			FUNC_PORT: "0",
			MOD_NAME: "f",
			FUNC_HANDLER: "h",
			FUNC_RUNTIME: "nodejs",
		},
		stdio: ["ignore", output, "ignore"],
	});
	owner.after(() => void child.kill("SIGKILL"));
	return child;
}

const portIn = (log: string): number | undefined => {
	const port = /"port":(\d+)/.exec(log)?.[1];
	return port === undefined ? undefined : Number(port);
};

/** Calls the function until the loader has dropped lines of its log: then the output is full. */
async function fill(port: number): Promise<void> {
	await poll(
		async () => {
			await ask(port, { path: "/" });
			const figures = new Figures((await ask(port, { path: "/metrics" })).text);
			return figures.of("function_log_lines_dropped_total") > 0 || undefined;
		},
		() => "the loader drops no lines",
	);
}

test("a loader whose standard output is a full pipe ends after SIGTERM", async (t) => {
	const fifo = join(folder(t), "log");
	execFileSync("mkfifo", [fifo]);
	// Opened for both directions, so that it has a reader: this test, which reads only the beginning.
	const pipe = openSync(fifo, constants.O_RDWR);
	t.after(() => closeSync(pipe));
	const child = start(t, pipe);
	let log = "";
	const buffer = Buffer.alloc(1024);
	while (portIn(log) === undefined) log += buffer.toString("latin1", 0, readSync(pipe, buffer));
	await fill(portIn(log) as number);
	child.kill("SIGTERM");
	assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("a loader whose standard output is a full socket ends after SIGTERM", async (t) => {
	const child = start(t, "pipe"); // Node.js makes sockets for this
	let log = "";
	const port = await new Promise<number>((resolve) => {
		child.stdout?.on("data", (text: Buffer) => {
			log += text;
			const found = portIn(log);
			if (found !== undefined) resolve(found);
		});
	});
	child.stdout?.removeAllListeners("data").pause();
	await fill(port);
	child.kill("SIGTERM");
	assert.deepEqual(await once(child, "exit"), [0, null]);
});
