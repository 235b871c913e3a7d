import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { folder } from "../support/loader.ts";
import { LocalCommand, run } from "../support/local-command.ts";
import { poll } from "../support/poll.ts";
import { workersOf } from "../support/processes.ts";
import { everyLanguage, languageOf } from "./languages.ts";
import { oldNode } from "./old-node.ts";

/** Longer than presses are apart that count as one, in `ms`. */
const ANOTHER_PRESS_MS = 400;
const STOPPED = { code: 0, signal: null };

everyLanguage("Ctrl-C", ({ suffix, example }) => {
	const conformance = example(`conformance${suffix}`);

	test("ends it with code 0, and nothing is left running", async (t) => {
		const local = await run(t, [conformance, "--handler", "spawns"]);
		assert.equal((await local.ask()).status, 200); // the function has started a process of its own
		assert.deepEqual(await local.stop(), STOPPED);
		assert.equal(local.stderr, "");
		assert.doesNotMatch(local.output, /^error:/m);
	});

	test("lets the running calls finish", async (t) => {
		const local = await run(t, [conformance, "--handler", "sleeps"]);
		const slow = local.ask("1000");
		await local.answer("1");
		local.press();
		assert.deepEqual([(await slow).status, (await slow).text], [200, "slept"]);
		assert.deepEqual(await local.gone("after the last call"), STOPPED);
	});

	test("pressed again ends it at once", async (t) => {
		const local = await run(t, [conformance, "--handler", "sleeps"]);
		const slow = local.ask("60000").catch((error) => error);
		await local.answer("1");
		local.press();
		await after(ANOTHER_PRESS_MS);
		assert.equal(local.child.exitCode, null, "it waits for the call");
		const pressed = performance.now();
		local.press();
		await local.gone("after the second press");
		assert.ok(performance.now() - pressed < 5000, "it did not wait for the call");
		await slow;
	});
});

const hello = (owner: Parameters<typeof folder>[0]) =>
	join(folder(owner, { "hello.js": languageOf("nodejs").single("hello") }), "hello.js");

test("whenever it comes while it starts, nothing is left running", async (t) => {
	for (const ms of [0, 40, 80, 120, 160, 200, 250, 300]) {
		const local = new LocalCommand(t, ["run", hello(t)]);
		await after(ms);
		local.press();
		const { code } = await local.gone(`pressed after ${ms} ms`);
		assert.notEqual(code, 1, local.stderr);
		assert.equal(local.stderr, "", `pressed after ${ms} ms`);
	}
});

test("a function that is still loading is stopped with it", async (t) => {
	const place = folder(t, { "f.js": "for (;;);" });
	const local = new LocalCommand(t, ["run", join(place, "f.js")]);
	await poll(
		() => workersOf(local).length > 0 || undefined,
		() => "no worker was started",
	);
	assert.deepEqual(await local.stop(), STOPPED);
});

test("a save while it stops neither holds it up nor is served", async (t) => {
	const source = languageOf("nodejs").sleeps("slept");
	const place = folder(t, { "f.js": source });
	const local = await run(t, [join(place, "f.js"), "--handler", "sleeps"]);
	const slow = local.ask("1500");
	await local.answer("1");
	local.press();
	await after(100);
	writeFileSync(join(place, "f.js"), `${source}// saved\n`);
	assert.equal((await slow).text, "slept");
	const answered = performance.now();
	assert.deepEqual(await local.gone("after the last call"), STOPPED);
	assert.ok(performance.now() - answered < 5000, "it waited for more than the call"); // SHUTDOWN_TIMEOUT is 10 s
	assert.doesNotMatch(local.output, /changed/);
});

test("a closed terminal or SIGTERM leaves nothing running, not even what the function started", async (t) => {
	for (const signal of ["SIGTERM", "SIGHUP"] as const) {
		const local = await run(t, [languageOf("nodejs").example("conformance.js"), "--handler", "spawns"]);
		assert.equal((await local.ask()).status, 200);
		local.press(signal);
		await local.gone(`after ${signal}`);
	}
});

test("killed, it leaves no function running", async (t) => {
	const local = await run(t, [hello(t)]);
	local.child.kill("SIGKILL");
	await local.gone("after SIGKILL");
});

test("through an older Node.js it is the same: one press finishes the calls, a second ends it", { skip: oldNode.missing }, async (t) => {
	const options = { command: oldNode.command, env: { PATH: oldNode.path } };
	const conformance = languageOf("nodejs").example("conformance.js");
	const local = await run(t, [conformance, "--handler", "sleeps"], options);
	const slow = local.ask("1000");
	await local.answer("1");
	local.press(); // the loader gets it from the terminal and from the older Node.js
	assert.equal((await slow).text, "slept");
	assert.deepEqual(await local.gone("after the last call"), STOPPED);

	const stuck = await run(t, [conformance, "--handler", "sleeps"], options);
	const endless = stuck.ask("60000").catch((error) => error);
	await stuck.answer("1");
	stuck.press();
	await after(ANOTHER_PRESS_MS);
	assert.equal(stuck.child.exitCode, null, "it waits for the call");
	stuck.press();
	await stuck.gone("after the second press");
	await endless;

	// A process manager tells the older Node.js alone.
	const managed = await run(t, [conformance, "--handler", "echoes"], options);
	managed.child.kill("SIGTERM");
	assert.deepEqual(await managed.gone("after SIGTERM"), STOPPED);
});
