import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { tell } from "../support/local-command.ts";

// Tests the workers of examples/custom that speak the wire with the conform command, as their
// authors would.

const examples = join(import.meta.dirname, "../../examples/custom");

describe("a custom worker", { concurrency: 2 }, () => {
	for (const id of readdirSync(examples)) {
		const manifest = JSON.parse(readFileSync(join(examples, id, "runtime.json"), "utf8"));
		const { speaks = "wire", suffixes, toolchain, name } = manifest;
		if (speaks !== "wire") continue;
		const [program, ...args] = toolchain.check;
		const missing = spawnSync(program, args).status !== 0 && `${name} is missing: "${toolchain.check.join(" ")}" fails`;
		if (missing) console.log(`SKIPPED: examples/custom/${id}. ${missing}`);

		test(`examples/custom/${id} keeps every mandatory vector and every optional one that it does not declare as lacking`, {
			skip: !process.env["CI"] && missing,
		}, async (t) => {
			const own = suffixes === undefined ? ["--", built(id)] : [];
			const { code, output, stderr } = await tell(t, ["conform", "--manifest", join(examples, id, "runtime.json"), ...own]);
			assert.equal(code, 0, output + stderr);
			assert.match(output, /^Mandatory: \d+ kept$/m);
		});
	}
});

/**
 * Builds the program with the conformance handlers, for an example whose functions are compiled
 * into the worker.
 */
function built(id: string): string {
	const place = join(examples, id);
	assert.ok(existsSync(join(place, "Cargo.toml")), `no build command is known for ${id}`);
	const { status, stderr } = spawnSync("cargo", ["build", "--quiet", "--release", "--locked", "--example", "conformance"], {
		cwd: place,
		encoding: "utf8",
	});
	assert.equal(status, 0, stderr);
	return join(place, "target/release/examples/conformance");
}
