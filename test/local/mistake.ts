import assert from "node:assert/strict";
import { type LocalCommandOptions, tell } from "../support/local-command.ts";
import type { Owner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";

/**
 * A mistake ends with exit code 1 and one message, which is returned; nothing was served and
 * nothing is left running.
 */
export async function mistake(owner: Owner, words: readonly string[], options?: LocalCommandOptions): Promise<string> {
	const { code, signal, stderr, output, marker } = await tell(owner, words, options);
	assert.deepEqual({ code, signal }, { code: 1, signal: null }, `${output}\n${stderr}`);
	assert.match(stderr, /^kubeless-loader: \S/);
	assert.equal(stderr.match(/^kubeless-loader: /gm)?.length, 1, `it is said once: ${stderr}`);
	assert.doesNotMatch(output, /is served at|^error:/m, "the mistake is reported once");
	assert.doesNotMatch(stderr, /loader\.mjs|node:internal/, "no stack of the loader's own");
	await untilGone(marker);
	return stderr.slice("kubeless-loader: ".length);
}
