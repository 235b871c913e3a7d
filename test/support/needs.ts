import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";

/**
 * Registers tests that need a tool. If the tool is missing, they are skipped with the reason; with
 * CI set, they fail.
 */
export function describeWith(what: string, missing: string | false, tests: () => void): void {
	if (missing && process.env["CI"]) test(what, () => assert.fail(missing));
	else describe(what, { skip: missing }, tests);
}

/**
 * Returns a sentence for the first program that is not on PATH, for a test's `skip`; false if all
 * are there, and with CI set, so that the test fails instead.
 */
export function missing(...programs: string[]): string | false {
	const absent = programs.find((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
	if (absent === undefined || process.env["CI"]) return false;
	console.log(`SKIPPED: tests that need ${absent}, which is not installed`);
	return `${absent} is not installed`;
}
