import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { everyLanguage } from "../local/languages.ts";
import { run } from "../support/local-command.ts";

/** A first start compiles, with every cache empty. In ms. */
const patienceMs = 600_000;

// docs/functions.md shows these files. They behave alike in every language.
everyLanguage("the examples of docs/functions.md", ({ id, example, suffix }) => {
	const guide = (name: string) => example(join("guide", name + suffix));
	const shown = (name: string) => ({ skip: existsSync(guide(name)) ? false : `${id} has no guide/${name}${suffix}` });
	const serve = (t: test.TestContext, name: string) => run(t, [guide(name), "--no-watch"], { patienceMs });

	test(`${id}: greet gets JSON and returns JSON`, shown("greet"), async (t) => {
		const served = await serve(t, "greet");
		const answer = await served.ask({ body: '{"name": "Ada"}', headers: { "Content-Type": "application/json" } });
		assert.equal(answer.status, 200, served.stderr);
		assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
		assert.deepEqual(JSON.parse(answer.text), { hello: "Ada" });
	});

	test(`${id}: create sets the status and a header`, shown("create"), async (t) => {
		const { status, headers, text } = await (await serve(t, "create")).ask({ method: "POST" });
		assert.deepEqual([status, headers["location"], text], [201, "/orders/7", "created\n"]);
	});

	test(`${id}: count streams three lines`, shown("count"), async (t) => {
		const { status, text, headers } = await (await serve(t, "count")).ask();
		assert.deepEqual([status, text], [200, "1\n2\n3\n"]);
		assert.equal(headers["content-length"], undefined);
	});

	test(`${id}: refuse raises an error: 500 for the caller, the message in the log`, shown("refuse"), async (t) => {
		const served = await serve(t, "refuse");
		assert.equal((await served.ask()).status, 500);
		await served.wrote(/no such order/);
	});
});
