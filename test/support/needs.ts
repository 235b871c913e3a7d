import assert from "node:assert/strict";
import { describe, test } from "node:test";

/**
 * Registers tests that need a tool. If the tool is missing, they are skipped with the reason; with
 * CI set, they fail.
 */
export function describeWith(what: string, missing: string | false, tests: () => void): void {
	if (missing && process.env["CI"]) test(what, () => assert.fail(missing));
	else describe(what, { skip: missing }, tests);
}
