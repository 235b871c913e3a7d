// The bundle, in a folder outside the checkout: as in a package, it finds no other file.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = mkdtempSync(join(tmpdir(), "kubeless-bundle-"));
const out = join(folder, "dist");
const run = (program: string, ...args: string[]) => spawnSync(process.execPath, [join(out, program), ...args], { encoding: "utf8" });

before(() => {
	const built = spawnSync(process.execPath, [fileURLToPath(new URL("../build.mjs", import.meta.url)), out], { encoding: "utf8" });
	assert.equal(built.status, 0, built.stderr);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the bundle has its version and the objects of deploy/base", () => {
	assert.match(run("kubeless.mjs", "version", "--client").stdout, /^Kubeless version: v\d+\.\d+\.\d+\n$/);
	assert.match(run("kubeless.mjs", "install", "--dry-run").stdout, /^kind: CustomResourceDefinition$/m);
});

test("the bundle loads the clients of Kafka and NATS", () => {
	// Nothing listens on port 9 (discard).
	const message = ["--topic", "t", "--message", "m"];
	const refused = /^The message was not sent to \S+: the connection was refused\./;
	assert.match(run("kubeless.mjs", "kafka", "publish", "--brokers", "127.0.0.1:9", ...message).stderr, refused);
	assert.match(run("kubeless.mjs", "nats", "publish", "--url", "nats://127.0.0.1:9", ...message).stderr, refused);
});

test("the bundle has the consumer for run --kafka and --nats", () => {
	assert.equal(run("trigger.mjs", "kafka").stderr, "TRIGGER_TOPIC is missing. Set it.\n");
});

test("run without kubeless-loader names the package to install", () => {
	const { status, stderr } = run("kubeless.mjs", "run", "hello.js");
	assert.deepEqual([status, stderr.startsWith("kubeless-loader is not installed")], [1, true]);
});
