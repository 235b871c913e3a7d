import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("without a kubeconfig and a service account the controller ends with a sentence that names both", (t) => {
	const home = mkdtempSync(join(tmpdir(), "kubeless-no-cluster-"));
	t.after(() => rmSync(home, { recursive: true }));
	const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));
	const { status, stdout } = spawnSync(process.execPath, [program], { env: { HOME: home }, encoding: "utf8", timeout: 120_000 });
	assert.equal(status, 1, stdout);
	assert.match(stdout, /"error":"No cluster: set KUBECONFIG, or run in a pod with a service account\."/);
});
