import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { assertInOrder, assertOnly, Callers } from "../support/callers.ts";
import { ConfigMap } from "../support/configmap.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import { everyLanguage } from "./languages.ts";

/** Calls between two updates. */
const CALLS = 300;
const SERVED_ANEW = "the function changed and was reloaded";

const version = (number: number) => `version ${number}`;
const reloads = (loader: Loader) => loader.records.filter(({ msg }) => msg === SERVED_ANEW).length;
const servedAnew = (loader: Loader, times: number) =>
	loader.until(`"${SERVED_ANEW}" (${times})`, () => (reloads(loader) >= times ? performance.now() : undefined));

everyLanguage("a function in a mounted ConfigMap", (language) => {
	const name = `f${language.suffix}`;
	const files = (number: number, more: Record<string, string> = {}) => ({ [name]: language.single(version(number)), ...more });
	const env = { MOD_NAME: "f", FUNC_HANDLER: "single", FUNC_RUNTIME: language.id, FUNC_ACCESS_LOG: "false" };

	test("updated under load: no call fails, and none is answered by an older version than one before", async (t) => {
		const map = new ConfigMap(t, files(0));
		const loader = await startLoader(t, { volume: map.volume, env });
		const callers = new Callers(loader.port);
		const versions = [0, 1, 2, 3, 4].map(version);
		let since = 0;
		for (let number = 1; number < versions.length; number++) {
			await callers.more(CALLS);
			map.update(files(number));
			since = await servedAnew(loader, number);
		}
		await callers.more(CALLS);
		const calls = await callers.stop();
		t.diagnostic(`${calls.length} calls`);
		assertInOrder(calls, versions);
		assertOnly(calls, since, version(4));
		assert.equal(reloads(loader), 4, "one update, one reload");
		// A worker counts when its process has ended, and where one takes one call at a time there are
		// more to be replaced.
		const figures = await loader.figuresWhen("a worker replaced for each update", (seen) => seen.exits("replaced") >= 4);
		assert.equal(figures.of('function_reloads_total{result="taken"}'), 4);
		assert.equal(figures.sum("function_failures_total"), 0);
	});

	test("a ConfigMap updated with a mistake keeps the previous version serving, the log has the reason, and the next good version takes over", async (t) => {
		const map = new ConfigMap(t, files(0));
		const loader = await startLoader(t, { volume: map.volume, env });
		const callers = new Callers(loader.port);
		await callers.more(CALLS);
		map.update({ [name]: `${language.single(version(1))}\n)))\n` });
		const { msg, level } = await loader.said((record) => /^reload failed, still serving the previous version: /.test(record.msg ?? ""));
		assert.equal(level, "error");
		assert.match(msg as string, new RegExp(`f\\${language.suffix}\\D+\\d`), "file and line");
		await callers.more(CALLS);
		map.update(files(2));
		const since = await servedAnew(loader, 1);
		await callers.more(CALLS);
		const calls = await callers.stop();
		assertInOrder(calls, [version(0), version(2)]);
		assertOnly(calls, since, version(2));
		// A container tries again after 1 s, so there may be more than one.
		assert.ok((await loader.figures()).of('function_reloads_total{result="failed"}') >= 1);
		assert.equal((await loader.ask("/readyz")).status, 200);
	});

	test("updated several times in a row: the last one is served in the end, and nothing fails on the way", async (t) => {
		const map = new ConfigMap(t, files(0));
		const loader = await startLoader(t, { volume: map.volume, env });
		const callers = new Callers(loader.port, 4);
		await callers.more(CALLS);
		const versions = Array.from({ length: 9 }, (_, number) => version(number));
		for (let number = 1; number < versions.length; number++) {
			map.update(files(number));
			await after(number * 20);
		}
		while ((await loader.ask()).text !== version(8)) await after(20);
		await callers.more(CALLS);
		assertInOrder(await callers.stop(), versions);
	});

	test("with the empty file of dependencies that Kubeless makes: one update, one reload", async (t) => {
		if (language.depsFile === undefined) return t.skip("it has no such file");
		const deps = { [language.depsFile]: "" };
		const map = new ConfigMap(t, files(0, deps));
		const loader = await startLoader(t, { volume: map.volume, env });
		map.update(files(1, deps));
		await servedAnew(loader, 1);
		assert.equal((await loader.ask()).text, version(1));
		await after(1000); // longer than it takes to notice a change
		assert.equal(reloads(loader), 1);
		assert.equal((await loader.ask()).text, version(1));
	});

	test("is left alone where FUNC_WATCH is false", async (t) => {
		const map = new ConfigMap(t, files(0));
		const loader = await startLoader(t, { volume: map.volume, env: { ...env, FUNC_WATCH: "false" } });
		map.update(files(1));
		await after(1000);
		assert.equal((await loader.ask()).text, version(0));
		assert.equal(reloads(loader), 0);
	});
});
