import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Candidate, runSuite } from "../../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../../kubeless-loader/src/conform/report.ts";
import type { Start, Step } from "../../../kubeless-loader/src/conform/vectors.ts";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder, type Loader, startLoader } from "../../../test/support/loader.ts";

const runtime = readRuntimes().find(({ id }) => id === "php");
if (runtime?.missing && process.env["CI"]) throw new Error(runtime.missing);
/** Why these tests cannot run here, or false. */
export const skip: string | false = runtime === undefined ? "the manifest of PHP is missing" : (runtime.missing ?? false);
const candidate = (): Candidate => runtime?.candidate() as Candidate;

/**
 * Plays steps to a worker that serves the handler `h` of this source; `more` are further files of
 * the function.
 */
export async function play(
	t: TestContext,
	source: string,
	steps: Step[],
	env: Record<string, string> = {},
	start?: Start,
	more: Record<string, string> = {},
): Promise<void> {
	const place = folder(t, { "f.php": `<?php\n${source}`, ...more });
	const own = candidate();
	const worker = { ...own, file: join(place, "f.php"), env: { ...own.env, KUBELESS_INSTALL_VOLUME: place, ...env } };
	const suite = { name: "php", optional: false, description: "", rule: ["4.1"], handler: "h", needs: [] };
	for await (const result of runSuite(worker, { ...suite, tests: [{ description: t.name, steps, ...(start && { start }) }] })) {
		assert.equal(result.outcome, "kept", report(result));
	}
}

/** Returns steps: a call with each of these bodies, and its answer. */
export function calls(pairs: Record<string, object>): Step[] {
	return Object.entries(pairs).flatMap(([body, answer], index): Step[] => asked(index + 1, { body }, answer));
}

/** Returns steps: a call, and its answer. */
export const asked = (id: number, call: object, answer: object): Step[] =>
	[{ call: { id, ...call } }, { answer: { id, ...answer } }] as Step[];

/** Starts a loader that serves the handler `h` of this source. */
export function serve(t: TestContext, source: string, env: Record<string, string> = {}): Promise<Loader> {
	const libraries = candidate().env["RUNTIME_LIBRARIES"];
	const more = libraries === undefined ? {} : { RUNTIME_LIBRARIES: libraries };
	const own = { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "php8.2" };
	return startLoader(t, { files: { "f.php": `<?php\n${source}` }, env: { ...own, ...more, ...env } });
}
