import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// Starts Ruby workers for the tests of this folder. What holds in every language is tested in
// test/conformance/.

export const home = fileURLToPath(new URL("../", import.meta.url));
const { missing, candidate } = readRuntimes().find(({ id }) => id === "ruby") ?? assert.fail("runtimes/ruby has no conformance functions");
/** Options of a test suite that needs Ruby. */
export const needsRuby = { skip: missing ?? false };

/** Returns a worker for the first of the files. */
export const start = (t: TestContext, files: Files, handler?: string, env?: Env) => startIn(t, firstOf(t, files), handler, env);

/** Returns a worker for a file that exists. */
export const startIn = (t: TestContext, file: string, handler = "handler", env: Env = {}) =>
	new WireEnd(t, candidate(), file, handler, { FUNC_RUNTIME: "ruby3", ...env });

/** Returns a worker whose function evaluates the code in a call's body and returns its value. */
export function startAny(t: TestContext, env: Env = {}, top = ""): WireEnd {
	return start(t, { "any.rb": `${top}\ndef handler(event, context)\n  eval(event[:data])\nend\n` }, "handler", env);
}
