// The CRDs of add-ons, from their Go modules: `go mod download` keeps them in its cache.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Owner } from "../support/owner.ts";
import { kubectl } from "./support.ts";

const ADD_ONS = {
	httproutes: ["sigs.k8s.io/gateway-api@v1.6.3", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
	scaledobjects: ["github.com/kedacore/keda/v2@v2.21.0", "config/crd/bases/keda.sh_scaledobjects.yaml"],
	podmonitors: [
		"github.com/prometheus-operator/prometheus-operator@v0.85.0",
		"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
	],
} as const;

/** Installs an add-on's CRD. It is deleted with the owner. */
export async function installCrd(owner: Owner, name: keyof typeof ADD_ONS): Promise<void> {
	const [module, path] = ADD_ONS[name];
	const { stdout, stderr, status } = spawnSync("go", ["mod", "download", "-json", module], { cwd: tmpdir(), encoding: "utf8" });
	assert.equal(status, 0, `go mod download ${module}: ${stderr}${stdout}`);
	const crd = readFileSync(join(JSON.parse(stdout).Dir, path), "utf8");
	const applied = await kubectl(["apply", "--server-side", "-f", "-"], crd);
	assert.equal(applied.status, 0, applied.stderr);
	const [full = ""] = /\S+\.\S+(?= serverside-applied)/.exec(applied.stdout) ?? [];
	owner.after(async () => void (await kubectl(["delete", full.replace(".apiextensions.k8s.io", "")])));
}
