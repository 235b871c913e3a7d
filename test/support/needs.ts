import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** Tests that need something of the machine. Where it is missing they are skipped, by name; where CI is set that is a failure. */
export function describeWith(what: string, missing: string | false, tests: () => void): void {
	if (missing && process.env["CI"]) test(what, () => assert.fail(missing));
	else describe(what, { skip: missing }, tests);
}
