import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { folder } from "../support/loader.ts";
import { run, tell } from "../support/local-command.ts";
import { mistake } from "./mistake.ts";

const WEB = { id: "web", name: "Web", concurrency: "async", speaks: "http", worker: ["node", "$(RUNTIME_DIR)/app.cjs"] };
const app = (text: string) =>
	`require("node:http").createServer((_, answer) => answer.end(${JSON.stringify(text)})).listen(process.env.PORT, "127.0.0.1");`;
const CAT = { id: "cat", suffixes: [".txt"], concurrency: "threads", speaks: "stdio", worker: ["cat", "$(KUBELESS_HANDLER_FILE)"] };

test("--manifest serves a function file by a runtime that the loader does not have", async (t) => {
	const place = folder(t, { "runtime.json": JSON.stringify(CAT), "words.txt": "some words" });
	const local = await run(t, ["words.txt", "--manifest", "runtime.json"], { cwd: place });
	assert.match(local.output, /^words\.txt is served at /m);
	assert.equal(await local.answer(), "some words");
});

test("--manifest alone serves a worker that is the function itself, and a saved file of its command anew", async (t) => {
	const place = folder(t, { "runtime.json": JSON.stringify(WEB), "app.cjs": app("one") });
	const local = await run(t, ["--manifest", join(place, "runtime.json")]);
	assert.match(local.output, /^Web is served at /m);
	assert.equal(await local.answer(), "one");
	writeFileSync(join(place, "other.log"), "what the server itself writes starts nothing");
	writeFileSync(join(place, "app.cjs"), app("two"));
	await local.servedAnew();
	assert.equal(await local.answer(), "two");
	assert.equal(local.lines.filter((line) => / changed and was reloaded/.test(line)).length, 1);
});

test("a function file that does not fit its manifest is refused with one sentence", async (t) => {
	const place = folder(t, { "web.json": JSON.stringify(WEB), "cat.json": JSON.stringify(CAT), "words.txt": "" });
	const options = { cwd: place };
	assert.match(
		await mistake(t, ["run", "--manifest", "web.json", "words.txt"], options),
		/^web\.json has no "suffixes", .*leave words\.txt out\.$/m,
	);
	assert.match(await mistake(t, ["run", "--manifest", "cat.json"], options), /^The function's file is missing: /);
	assert.match(await mistake(t, ["run", "--manifest", "none.json", "words.txt"], options), /none\.json cannot be read/);
	assert.match((await tell(t, ["run", "--help"])).output, /^ {2}--manifest FILE /m);
});
