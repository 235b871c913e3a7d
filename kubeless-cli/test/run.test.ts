// kubeless run, as a process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/brokers/process.ts";
import { poll } from "../../test/support/poll.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function start(t: TestContext, ...args: string[]) {
	const folder = mkdtempSync(join(tmpdir(), "kubeless-run-"));
	const file = join(folder, "hello.js");
	writeFileSync(file, "exports.handler = () => 'hello'");
	const child = spawn(process.execPath, [main, "run", file, ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
	t.after(() => {
		// Its loader too: what holds the pipes keeps this process alive.
		if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
		rmSync(folder, { recursive: true, force: true });
	});
	const output = { text: "" };
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (output.text += chunk));
	const printed = (pattern: RegExp) =>
		poll(
			() => pattern.exec(output.text) ?? undefined,
			() => `${pattern} is not printed: ${output.text}`,
			60_000,
		);
	return { child, printed };
}

test("run serves a function file by kubeless-loader and stops with it", async (t) => {
	const { child, printed } = start(t, "--port", "0");
	const [, url = ""] = await printed(/served at (http:\S+)/);
	assert.equal(await (await fetch(url)).text(), "hello");
	child.kill("SIGTERM");
	const [code] = await once(child, "exit");
	assert.equal(code, 0);
});

test("run --nats starts the consumer beside the function and stops both", async (t) => {
	const { child, printed } = start(t, "--port", String(await freePort()), "--nats", "nats://127.0.0.1:9/orders");
	await printed(/served at http/);
	await printed(/"topic":"orders".*consuming/);
	child.kill("SIGINT");
	await once(child, "exit");
});

test("run ends with the exit code of kubeless-loader for a mistake in its options", async (t) => {
	const { child, printed } = start(t, "--no-such-option");
	await printed(/no-such-option/);
	const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
	assert.notEqual(code, 0);
});
