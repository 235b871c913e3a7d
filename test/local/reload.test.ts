import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { assertInOrder, assertOnly, Callers } from "../support/callers.ts";
import { folder } from "../support/loader.ts";
import { type LocalCommand, run } from "../support/local-command.ts";
import { everyLanguage, languageOf } from "./languages.ts";

/** Calls between two saves. */
const CALLS = 300;
/** Longer than it takes to notice a save, in `ms`. */
const NOTICED_MS = 1000;

/** The ways in which editors save a file. */
const SAVES: Record<string, (file: string, text: string) => void | Promise<void>> = {
	"overwriting it": (file, text) => writeFileSync(file, text),
	"renaming a new file to it": (file, text) => {
		writeFileSync(`${file}.tmp`, text);
		renameSync(`${file}.tmp`, file);
	},
	"renaming it away first": (file, text) => {
		renameSync(file, `${file}~`);
		writeFileSync(file, text);
		rmSync(`${file}~`);
	},
	"emptying it and writing it in pieces": async (file, text) => {
		for (const length of [0, text.length / 3, text.length / 2, text.length]) {
			writeFileSync(file, text.slice(0, length));
			await after(10);
		}
	},
};

const version = (number: number) => `version ${number}`;

/** No language takes this for a program. */
const broken = (source: string) => `${source}\n)))\n`;

/** When the line came that says so, in `ms` of performance.now(). */
async function anew(local: LocalCommand, times: number): Promise<number> {
	await local.servedAnew(times);
	return performance.now();
}

everyLanguage("a function that is saved", (language) => {
	const { suffix } = language;
	const name = `f${suffix}`;

	test("under load, in every way that editors save: no call fails, and none is answered by an older version than one before", async (t) => {
		const place = folder(t, { [name]: language.single(version(0)) });
		const local = await run(t, [join(place, name)], { env: { FUNC_ACCESS_LOG: "false" } });
		const callers = new Callers(local.port);
		const versions = [version(0)];
		const since: number[] = [0];
		for (const save of Object.values(SAVES)) {
			await callers.more(CALLS);
			versions.push(version(versions.length));
			await save(join(place, name), language.single(versions.at(-1) as string));
			since.push(await anew(local, versions.length - 1));
		}
		await callers.more(CALLS);
		const calls = await callers.stop();
		t.diagnostic(`${calls.length} calls`);
		assert.ok(calls.length > CALLS * versions.length);
		assertInOrder(calls, versions);
		for (const [number, time] of since.entries()) {
			const until = since[number + 1] ?? Number.POSITIVE_INFINITY;
			assertInOrder(
				calls.filter(({ sentAt }) => sentAt >= time && sentAt < until),
				versions.slice(number, number + 2),
			);
		}
		assertOnly(calls, since.at(-1) as number, version(4));
		assert.equal(local.stderr, "");
	});

	test("a save with a mistake keeps the previous version serving, the terminal shows the place, and the next good save takes over", async (t) => {
		const place = folder(t, { [name]: language.single(version(0)) });
		const file = join(place, name);
		const local = await run(t, [file], { env: { FUNC_ACCESS_LOG: "false" } });
		const callers = new Callers(local.port);
		await callers.more(CALLS);
		writeFileSync(file, broken(language.single(version(1))));
		const told = await local.wrote(/the previous version is still served/);
		assert.match(told, new RegExp(`^f\\${suffix} `));
		assert.match(local.output, new RegExp(`f\\${suffix}\\D{1,12}\\d+`), `file and line: ${local.output}`);
		await callers.more(CALLS);
		writeFileSync(file, language.single(version(2)));
		const since = await anew(local, 1);
		await callers.more(CALLS);
		const calls = await callers.stop();
		assertInOrder(calls, [version(0), version(2)]);
		assertOnly(calls, since, version(2));
	});

	test("while calls run: those that run are finished by the version they began with", async (t) => {
		const place = folder(t, { [name]: language.sleeps("slept in the old one") });
		const local = await run(t, [join(place, name), "--handler", "sleeps"]);
		const slow = [1500, 2000, 2000].map((ms) => local.ask(String(ms)));
		assert.equal(await local.answer("1"), "slept in the old one"); // the others have arrived before it
		writeFileSync(join(place, name), language.sleeps("slept in the new one"));
		await local.servedAnew();
		assert.equal(await local.answer("1"), "slept in the new one");
		for (const { status, text } of await Promise.all(slow))
			assert.deepEqual({ status, text }, { status: 200, text: "slept in the old one" });
	});

	test("while an answer is streamed: it comes whole", async (t) => {
		const place = folder(t, { [name]: language.sleeps("slept") });
		const local = await run(t, [join(place, name), "--handler", "streams"]);
		const stream = local.ask("12 3 100");
		await after(150);
		writeFileSync(join(place, name), language.sleeps("rested"));
		await local.servedAnew();
		const { status, text } = await stream;
		assert.deepEqual({ status, text }, { status: 200, text: "000111222333444555666777888999000111" });
	});

	test("without a change, or touched: it is not loaded again", async (t) => {
		const place = folder(t, { [name]: language.single(version(0)) });
		const local = await run(t, [join(place, name)]);
		writeFileSync(join(place, name), language.single(version(0)));
		await after(NOTICED_MS);
		writeFileSync(join(place, name), language.single(version(1)));
		await local.servedAnew();
		assert.equal(await local.answer(), version(1));
		assert.equal(local.lines.filter((line) => line.includes("was reloaded")).length, 1);
	});

	test("a removed file keeps the previous version serving until it is back", async (t) => {
		const place = folder(t, { [name]: language.single(version(0)) });
		const local = await run(t, [join(place, name)]);
		rmSync(join(place, name));
		await local.wrote(/the previous version is still served/);
		assert.equal(await local.answer(), version(0));
		writeFileSync(join(place, name), language.single(version(1)));
		await local.servedAnew();
		assert.equal(await local.answer(), version(1));
	});

	test("in a helper beside it: it is loaded again each time, however quickly it is saved", async (t) => {
		const files = language.own("helper");
		if (files === undefined) return t.skip("there is no such function for this language");
		const place = folder(t, files);
		const helper = Object.keys(files).find((file) => !file.startsWith("helped")) as string;
		const local = await run(t, [join(place, `helped${suffix}`)]);
		assert.equal(await local.answer(), "the word");
		for (const [number, word] of ["one word", "two word", "six word", "ten word"].entries()) {
			writeFileSync(join(place, helper), (files[helper] as string).replace("the word", word));
			await local.servedAnew(number + 1);
			assert.equal(await local.answer(), word);
		}
	});

	test("is left alone with --no-watch", async (t) => {
		const place = folder(t, { [name]: language.single(version(0)) });
		const local = await run(t, [join(place, name), "--no-watch"]);
		writeFileSync(join(place, name), language.single(version(1)));
		await after(NOTICED_MS);
		assert.equal(await local.answer(), version(0));
		assert.doesNotMatch(local.output, /changed/);
	});
});

const node = languageOf("nodejs");

test("with several processes, no call is answered by an older version than one before", async (t) => {
	const place = folder(t, { "f.js": node.single(version(0)) });
	const local = await run(t, [join(place, "f.js")], { env: { FUNC_ACCESS_LOG: "false", FUNC_WORKERS: "3" } });
	const callers = new Callers(local.port);
	for (const number of [1, 2]) {
		await callers.more(CALLS);
		writeFileSync(join(place, "f.js"), node.single(version(number)));
		await local.servedAnew(number);
	}
	await callers.more(CALLS);
	assertInOrder(await callers.stop(), [version(0), version(1), version(2)]);
});

test("saved while it is loaded for the first time, it is served as it was saved", async (t) => {
	// The first version tells when it is being loaded, and takes its time.
	const slow = `require("fs").writeFileSync(process.env.LOADING, "");\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);\n`;
	const place = folder(t, { "f.js": slow + node.single(version(0)) });
	const sign = join(folder(t), "loading");
	const served = run(t, [join(place, "f.js")], { env: { LOADING: sign } });
	while (!existsSync(sign)) await after(10);
	writeFileSync(join(place, "f.js"), node.single(version(1)));
	const local = await served;
	await after(NOTICED_MS);
	assert.equal(await local.answer(), version(1));
});

test("a version that does not come to an end of loading gives way to the next one saved", async (t) => {
	const place = folder(t, { "f.js": node.single(version(0)) });
	const local = await run(t, [join(place, "f.js")], { patienceMs: 10_000 });
	writeFileSync(join(place, "f.js"), "for (;;);");
	await after(NOTICED_MS);
	assert.equal(await local.answer(), version(0));
	writeFileSync(join(place, "f.js"), node.single(version(1)));
	await local.servedAnew();
	assert.equal(await local.answer(), version(1));
});

test("is noticed although something beside it is written all the time", async (t) => {
	const place = folder(t, { "f.js": node.single(version(0)) });
	const local = await run(t, [join(place, "f.js")], { patienceMs: 10_000 });
	// Two, so that there is no quiet moment even where one of them has to wait for the processor.
	const writers = [1, 2].map((number) => spawn("sh", ["-c", `while sleep 0.02; do echo > .state${number}; done`], { cwd: place }));
	try {
		await after(100);
		writeFileSync(join(place, "f.js"), node.single(version(1)));
		await local.servedAnew();
		assert.equal(await local.answer(), version(1));
	} finally {
		for (const writer of writers) writer.kill();
		await Promise.all(writers.map((writer) => once(writer, "exit")));
	}
});

test("a folder that comes later is watched as well", async (t) => {
	const place = folder(t, { "f.js": node.single(version(0)) });
	const local = await run(t, [join(place, "f.js")]);
	mkdirSync(join(place, "lib"));
	writeFileSync(join(place, "lib/word.js"), 'module.exports = "first";');
	await local.servedAnew(1);
	writeFileSync(join(place, "f.js"), 'exports.h = () => require("./lib/word");');
	await local.servedAnew(2);
	assert.equal(await local.answer(), "first");
	writeFileSync(join(place, "lib/word.js"), 'module.exports = "later";');
	await local.servedAnew(3);
	assert.equal(await local.answer(), "later");
});

test("a function that writes a file of its own beside it is not loaded again for that", async (t) => {
	const source = `
		let calls = 0;
		exports.h = () => {
			require("fs").writeFileSync("calls.txt", String(++calls));
			return String(calls);
		};
	`;
	const local = await run(t, [join(folder(t, { "f.js": source }), "f.js")]);
	assert.equal(await local.answer(), "1");
	await after(NOTICED_MS);
	assert.equal(await local.answer(), "2");
	assert.doesNotMatch(local.output, /changed/);
});

test("nodejs: a data file beside the function that changes is reloaded, and one in an ignored folder is not", async (t) => {
	const source = 'exports.h = () => String(require("./data.json").v);';
	const place = folder(t, { "f.js": source, "data.json": '{"v":1}', "node_modules/m/data.json": "{}" });
	const local = await run(t, [join(place, "f.js")]);
	assert.equal(await local.answer(), "1");
	writeFileSync(join(place, "node_modules/m/data.json"), '{"ignored":true}');
	writeFileSync(join(place, "data.json"), '{"v":2}');
	await local.servedAnew();
	assert.equal(await local.answer(), "2");
	assert.equal(local.lines.filter((line) => line.includes("was reloaded")).length, 1);
});

test("nodejs: a helper that is a link to a file in another folder is reloaded when that file changes", async (t) => {
	const elsewhere = folder(t, { "helper.js": "exports.v = 1;" });
	const place = folder(t, { "f.js": 'exports.h = () => String(require("./helper.js").v);' });
	symlinkSync(join(elsewhere, "helper.js"), join(place, "helper.js"));
	const local = await run(t, [join(place, "f.js")]);
	assert.equal(await local.answer(), "1");
	writeFileSync(join(elsewhere, "helper.js"), "exports.v = 2;");
	await local.servedAnew();
	assert.equal(await local.answer(), "2");
});
