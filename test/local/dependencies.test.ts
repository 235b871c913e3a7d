import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { folder } from "../support/loader.ts";
import { LocalCommand, type LocalCommandOptions, run } from "../support/local-command.ts";
import type { Owner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";
import { everyLanguage } from "./languages.ts";
import { mistake } from "./mistake.ts";

/** No language's installer takes this for a list of dependencies. */
const NONSENSE = "<<< no list of dependencies >>>\n";

/** In the place of sh: everything works but an installer, which does not end. */
const HANGING_INSTALLER = '#!/bin/sh\ncase "$*" in */install*) sleep 60; exit 1 ;; esac\nexec /bin/sh "$@"\n';

/** All files under a folder, each with what would tell that it was written to. */
function inventory(place: string): Record<string, string> {
	return Object.fromEntries(
		readdirSync(place, { recursive: true, encoding: "utf8" })
			.sort()
			.map((name) => [name, `${statSync(join(place, name)).mtimeMs} ${statSync(join(place, name)).size}`]),
	);
}

const namesIn = (cache: string, id: string): string[] => (existsSync(join(cache, id)) ? readdirSync(join(cache, id)) : []);

/** The links of a cache, each to a complete installation. */
const installations = (cache: string, id: string): string[] => namesIn(cache, id).filter((name) => /^[0-9a-f]{16}$/.test(name));

/** The installations of a cache to which no link leads. */
const unlinked = (cache: string, id: string): string[] => {
	const targets = installations(cache, id).map((name) => basename(realpathSync(join(cache, id, name))));
	return namesIn(cache, id).filter((name) => name.includes(".") && !targets.includes(name));
};

const unset = { KUBELESS_LOADER_CACHE: undefined };

everyLanguage("dependencies of a function", ({ id, suffix, depsFile, example, single }) => {
	const skip = depsFile === undefined ? "it has no file of dependencies" : !existsSync(example("deps")) && "it has no such example";
	const deps = depsFile as string;

	/** The example with dependencies, in a folder of a user's. */
	const copied = (owner: Owner): { place: string; file: string } => {
		const place = folder(owner);
		cpSync(example("deps"), place, { recursive: true });
		return { place, file: join(place, `deps${suffix}`) };
	};
	const stopped = async (local: LocalCommand) => assert.deepEqual(await local.stop(), { code: 0, signal: null });

	test("dependencies are installed once, into the user's cache and not into the function's folder, and a line announces it", {
		skip,
	}, async (t) => {
		const { place, file } = copied(t);
		const before = inventory(place);
		const home = folder(t);
		const options: LocalCommandOptions = { env: { ...unset, XDG_CACHE_HOME: home } };
		const first = await run(t, [file], options);
		assert.match(first.output, new RegExp(`^Installing .*${place}/${deps}`, "m"));
		assert.match(first.output, /^Installed in \d+\.\d s\.$/m);
		assert.equal((await first.ask("some data")).status, 200);
		await stopped(first);
		assert.ok(installations(join(home, "kubeless-loader"), id).length > 0);
		const second = await run(t, [file], options);
		assert.doesNotMatch(second.output, /^Installing/m);
		const answer = await second.ask("some data");
		assert.equal(answer.status, 200);
		assert.notEqual(answer.text, "");

		// Another function with the same dependencies, elsewhere.
		const third = await run(t, [copied(t).file], options);
		assert.equal((await third.ask("some data")).text, answer.text);
		await stopped(third);

		// After a change that cannot be installed the previous version serves; undoing the change
		// installs nothing.
		const listed = readFileSync(join(place, deps), "utf8");
		writeFileSync(join(place, deps), NONSENSE);
		await second.wrote(/the previous version is still served\. Cannot install/);
		assert.equal((await second.ask("some data")).text, answer.text);
		const told = second.lines.filter((line) => /^Installing/.test(line)).length;
		writeFileSync(join(place, deps), `${listed}`);
		await second.servedAnew();
		assert.equal(second.lines.filter((line) => /^Installing/.test(line)).length, told);
		assert.equal((await second.ask("some data")).text, answer.text);
		await stopped(second);
		assert.deepEqual(Object.keys(inventory(place)), Object.keys(before));
		assert.deepEqual(unlinked(join(home, "kubeless-loader"), id), []);
	});

	test("dependencies that cannot be installed end the start with the installer's output", { skip }, async (t) => {
		const place = folder(t, { [`f${suffix}`]: single("served"), [deps]: NONSENSE });
		const cache = folder(t);
		const env = { KUBELESS_LOADER_CACHE: cache };
		const told = await mistake(t, ["run", join(place, `f${suffix}`)], { env });
		assert.match(told, new RegExp(`^Cannot install ${place}/${deps}: `));
		assert.ok(told.trim().split("\n").length > 1, `the installer's own words: ${told}`);
		assert.match(told, /<<<|JSON|no list/, told);
		const again = await mistake(t, ["run", join(place, `f${suffix}`)], { env });
		assert.match(again, /^Cannot install /, "it is tried again");
		assert.deepEqual(unlinked(cache, id), [], "nothing is left of it");
	});

	test("an interrupted installation is never used, and the next start installs all dependencies", { skip }, async (t) => {
		const { file } = copied(t);
		const cache = folder(t);
		const env = { KUBELESS_LOADER_CACHE: cache };
		let whole = 0;
		for (const [signal, ms] of [
			["SIGINT", 0],
			["SIGKILL", 200],
			["SIGINT", 500],
		] as const) {
			const local = new LocalCommand(t, ["run", file], { env });
			// Some installations take no longer than that: then all was there before the signal came, and
			// nothing is left to interrupt.
			if (!(await local.wrote(/^Installing| is served at /)).startsWith("Installing")) {
				await stopped(local);
				break;
			}
			await after(ms);
			local.press(signal);
			const { code } = await local.ended;
			await untilGone(local.marker);
			// What the worker itself needs comes first, and may have been installed whole.
			whole += local.lines.filter((line) => /^Installed/.test(line)).length;
			assert.equal(installations(cache, id).length, whole, `after ${signal}`);
			if (signal === "SIGKILL") continue;
			assert.notEqual(code, 1, local.stderr);
			assert.equal(local.stderr, "", "Ctrl-C is no error");
		}
		const local = await run(t, [file], { env });
		assert.equal((await local.ask("some data")).status, 200);
		await stopped(local);
		assert.deepEqual(unlinked(cache, id), [], "nothing is left of what was interrupted");
	});

	test("two starts at once each have all dependencies", { skip }, async (t) => {
		const cache = folder(t);
		const locals = await Promise.all([1, 2].map(() => run(t, [copied(t).file], { env: { KUBELESS_LOADER_CACHE: cache } })));
		for (const local of locals) assert.equal((await local.ask("some data")).status, 200);
	});
});

everyLanguage("an installer that hangs", ({ suffix, depsFile, example, single }) => {
	const skip = depsFile === undefined ? "it has no file of dependencies" : !existsSync(example("deps")) && "it has no such example";

	test("an installer that hangs ends with the loader, with its child processes", { skip }, async (t) => {
		const tools = folder(t, { sh: HANGING_INSTALLER });
		chmodSync(join(tools, "sh"), 0o755);
		const place = folder(t, { [`f${suffix}`]: single("served"), [depsFile as string]: "something\n" });
		const path = [dirname(process.execPath), tools, process.env["PATH"]].join(delimiter);
		// To the loader alone, as a process manager sends it.
		for (const [signal, ms] of [
			["SIGTERM", 500],
			["SIGINT", 500],
			["SIGHUP", 500],
			["SIGINT", 0],
		] as const) {
			const local = new LocalCommand(t, ["run", join(place, `f${suffix}`)], { env: { KUBELESS_LOADER_CACHE: folder(t), PATH: path } });
			await local.wrote(/^Installing/);
			await after(ms);
			local.child.kill(signal);
			await local.gone(`after ${signal}`);
		}
	});

	test("an installer that hangs ends when the start fails for another reason", { skip }, async (t) => {
		const tools = folder(t, { sh: HANGING_INSTALLER });
		chmodSync(join(tools, "sh"), 0o755);
		const taken = await run(t, [join(folder(t, { [`f${suffix}`]: single("served") }), `f${suffix}`)]);
		const place = folder(t, { [`f${suffix}`]: single("served"), [depsFile as string]: "something\n" });
		const path = [dirname(process.execPath), tools, process.env["PATH"]].join(delimiter);
		const env = { KUBELESS_LOADER_CACHE: folder(t), PATH: path };
		assert.match(await mistake(t, ["run", join(place, `f${suffix}`), "--port", String(taken.port)], { env }), /in use/);
	});
});
