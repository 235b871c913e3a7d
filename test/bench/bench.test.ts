import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Results } from "./results.ts";
import { wrkVersion } from "./wrk.ts";

// Tests that the bench works. Does not assert times.

const RUNTIME = "nodejs";
const SCENARIOS = ["hello", "latency", "json", "large", "slow", "start", "idle", "size"];
const missing = wrkVersion() === undefined ? "wrk is not on PATH; on Debian: apt-get install wrk" : undefined;
if (missing) console.log(`SKIPPED: the bench. ${missing}`);

test("npm run bench measures every scenario, and marks the figures below their targets", {
	skip: missing !== undefined && !process.env["CI"],
}, async (t) => {
	assert.equal(missing, undefined);
	const folder = mkdtempSync(join(tmpdir(), "kubeless-bench-test-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const file = join(folder, "results.json");
	const args = ["--quick", "--rounds", "1", "--only", RUNTIME, "--scenarios", SCENARIOS.join(","), "--output", file];
	const bench = spawn(process.execPath, [join(import.meta.dirname, "bench.ts"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
	let output = "";
	for (const stream of [bench.stdout, bench.stderr]) stream.on("data", (bytes) => (output += bytes));
	const [code] = await once(bench, "close");
	assert.equal(code, 0, output);
	assert.ok(existsSync(file), output);

	const { scenarios, notes }: Results = JSON.parse(readFileSync(file, "utf8"));
	assert.deepEqual(notes, []);
	assert.deepEqual(
		scenarios.map(({ name }) => name),
		SCENARIOS,
	);
	for (const { name, figures } of scenarios) {
		assert.ok(figures.length > 0, `${name} has no figures`);
		for (const { what, of, figure } of figures) assert.ok(Number.isFinite(figure), `${name}, ${what} of ${of}: ${figure}`);
	}
	assert.match(output, /^ {2}hello: CPU per call +≤ × \d/m);
});
