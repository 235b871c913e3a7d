import assert from "node:assert/strict";
import { test } from "node:test";
import { everyLanguage } from "../local/languages.ts";
import { run } from "../support/local-command.ts";

/** A first start compiles, with every cache empty: on a busy machine that takes minutes. In ms. */
const FIRST_START_MS = 600_000;

everyLanguage("the hello example is served by the local command", ({ example, suffix, id }) => {
	test(`${id}: GET / is answered 200 with "hello world"`, async (t) => {
		const served = await run(t, [example(`hello${suffix}`), "--no-watch"], { patienceMs: FIRST_START_MS });
		const { status, text } = await served.ask();
		assert.deepEqual([status, text.trim().toLowerCase()], [200, "hello world"]);
	});
});
