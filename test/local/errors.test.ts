import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { run } from "../support/local-command.ts";
import { everyLanguage, languageOf } from "./languages.ts";

everyLanguage("locally", ({ suffix, example, lacks }) => {
	const conformance = example(`conformance${suffix}`);

	test("an error of the function is in the answer and in the log, with its message, file and line", async (t) => {
		const line =
			readFileSync(conformance, "utf8")
				.split("\n")
				.findIndex((text) => /\braises\b/.test(text)) + 1;
		const local = await run(t, [conformance, "--handler", "raises"]);
		const { status, text, headers } = await local.ask("naïve mistake <script>");
		assert.equal(status, 500);
		assert.match(headers["content-type"] as string, /^text\/plain/);
		assert.match(text, /naïve mistake <script>/);
		const place = new RegExp(`conformance\\${suffix}\\D{1,12}(\\d+)`);
		const told = Number(place.exec(text)?.[1]);
		assert.ok(told >= line && told <= line + 4, `the line is in the answer: ${text}`);
		await local.wrote(/naïve mistake/);
		assert.match(local.output, place);
		assert.equal(local.output.match(/naïve mistake/g)?.length, 1, `it is said once: ${local.output}`);
		assert.equal((await local.ask("another")).status, 500);
	});

	test("what the function prints stands there as it is, and every call has its line", async (t) => {
		const local = await run(t, [conformance, "--handler", "prints"]);
		const text = 'two words {"json": [1]} čšž';
		assert.equal(await local.answer(text), "printed");
		await local.wrote(/"POST \/ HTTP\/1\.1" 200 7/);
		assert.equal(local.lines.filter((line) => line === text).length, 2, local.output);
		await local.answer('{"level":"error","msg":"not a record of ours"}');
		await local.wrote(/^\{"level":"error","msg":"not a record of ours"\}$/, 2);
		await local.wrote(/^conformance loaded$/);
		assert.doesNotMatch(local.output, /"time":|"pid":/, "no log records for machines");
	});

	test("an invalid result is answered 500, a dead process 502 and a late call 408, each with its cause", async (t) => {
		const nonsense = await run(t, [conformance, "--handler", "nonsense"]);
		const invalid = await nonsense.ask();
		assert.equal(invalid.status, 500);
		assert.ok(invalid.text.trim().length > 20 && !/Internal Server Error/.test(invalid.text), invalid.text);

		const dies = await run(t, [conformance, "--handler", "dies"]);
		const died = await dies.ask();
		assert.equal(died.status, 502);
		assert.match(died.text, /SIGKILL|process/);
		assert.equal((await dies.ask()).status, 502, "it is called again in a new process");

		const sleeps = await run(t, [conformance, "--handler", "sleeps"], { env: { FUNC_TIMEOUT: "0.3" } });
		const late = await sleeps.ask("5000");
		assert.equal(late.status, 408);
		assert.match(late.text, /in time/);
	});

	test("a body that does not match its Content-Type is answered 400 with the cause", { skip: lacks["json"] ?? false }, async (t) => {
		const local = await run(t, [conformance, "--handler", "echoes"]);
		const { status, text } = await local.ask({ body: '{"half":', headers: { "Content-Type": "application/json" } });
		assert.equal(status, 400);
		assert.ok(text.trim() !== "" && !/\bat .*worker/.test(text), text);
	});
});

test("probes and figures are there as in a container", async (t) => {
	const local = await run(t, [languageOf("nodejs").example("conformance.js"), "--handler", "echoes"]);
	assert.equal(await local.answer("first"), "first");
	assert.equal((await local.ask({ path: "/healthz" })).text, "OK");
	assert.equal((await local.ask({ path: "/readyz" })).text, "OK");
	assert.match((await local.ask({ path: "/metrics" })).text, /^function_calls_total\{method="POST"\} 1$/m);
});
