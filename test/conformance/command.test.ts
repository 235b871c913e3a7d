import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSuites } from "../../kubeless-loader/src/conform/conform.ts";
import { folder } from "../support/loader.ts";
import { LocalCommand, type LocalCommandOptions, tell } from "../support/local-command.ts";
import type { Owner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";

// Tests the built `kubeless-loader conform`, which reads the vectors from the bundle.

const root = fileURLToPath(new URL("../..", import.meta.url));
const faulty = join(root, "test/conformance/faulty");
const handlers = join(faulty, "examples/conformance.mjs");
const good = ["--function", handlers, "--", "node", join(faulty, "reference.mjs")];
const wrong = (fault: string) => ["--function", handlers, "--", "node", join(faulty, "worker.mjs"), fault];
const suites = readSuites();

const conform = (owner: Owner, words: readonly string[], options?: LocalCommandOptions) => tell(owner, ["conform", ...words], options);

describe("conform", { concurrency: 2 }, () => {
	test("conform exits with 0 for a correct worker, with every applicable vector kept", async (t) => {
		const { code, output, stderr } = await conform(t, good);
		assert.equal(code, 0, output + stderr);
		const kept = [...output.matchAll(/^ {2}kept +[\d.]+ +([\w-]+): /gm)].map(([, name]) => name);
		// A worker takes either several calls at once or calls ahead, so one of the two suites is
		// skipped.
		assert.match(output, /^ {2}skipped +5\.5 +withdraw: .*\(ahead: /m);
		assert.deepEqual(
			kept,
			suites.map(({ name }) => name).filter((name) => name !== "withdraw"),
		);
		assert.ok(output.indexOf("\nMandatory\n") < output.indexOf("\nOptional\n"), "the optional ones apart");
		assert.match(output, /^Mandatory: \d+ kept\nOptional: {2}\d+ kept, \d+ skipped\nThe worker keeps the wire\.$/m);
		assert.equal(stderr, "");
	});

	test("conform reports the broken rule and the frames of both sides as in docs/conformance.md, and exits with 1", async (t) => {
		const { code, output } = await conform(t, ["--only", "bytes", ...wrong("answers twice")]);
		assert.equal(code, 1);
		const page = readFileSync(join(root, "docs/conformance.md"), "utf8");
		const [, shown = ""] = /```\n( {2}BROKEN[^]*?)```/.exec(page) ?? [];
		const withoutTime = (text: string) => text.replace(/"deadline":\d+/g, '"deadline":0');
		// The second answer may arrive alone, if the first one ended the test and the worker got stop.
		assert.ok(withoutTime(output.replace(/^ *\{"type":"stop"\}\n/m, "")).includes(withoutTime(shown)), output);
		assert.match(output, /^The worker does not keep the wire: see rule 4\.9 of PROTOCOL\.md\.$/m);
	});

	test("conform reports the expected frame", async (t) => {
		const { code, output } = await conform(t, ["--only", "response-headers", ...wrong("loses the status")]);
		assert.equal(code, 1);
		assert.match(output, /Rule 4\.4 .*status is 200, and not 201[^]*expected:\n +an answer like \{"id":1,"status":201/);
	});

	test("conform exits with 1 for a failed optional vector, and with 0 if --lacks declares it", async (t) => {
		const only = ["--only", "large-results"];
		const first = await conform(t, [...only, ...wrong("sends large results whole")]);
		assert.equal(first.code, 1, first.output);
		assert.match(first.output, /--lacks/);
		const second = await conform(t, [...only, "--lacks", "chunks", ...wrong("sends large results whole")]);
		assert.equal(second.code, 0, second.output);
		assert.match(second.output, /^ {2}skipped +5\.2 +large-results: .*\(chunks: as --lacks says\)$/m);
	});

	test("conform reads the command, the variables, the file and the lacks from a manifest", async (t) => {
		const manifest = {
			id: "lua",
			suffixes: [".lua", ".mjs"],
			concurrency: "async",
			worker: ["node", "$(FAULTY)/reference.mjs"],
			env: { FAULTY: faulty },
			lacks: { recursion: "its stack is the process's" },
		};
		const place = folder(t, {
			"runtime.json": JSON.stringify(manifest),
			"examples/conformance.mjs": readFileSync(handlers),
		});
		const words = ["--manifest", join(place, "runtime.json"), "--only", "bytes", "--only", "recursion"];
		const { code, output } = await conform(t, words);
		assert.equal(code, 0, output);
		assert.match(output, /^ {2}kept +4\.10 +bytes: /m);
		assert.match(output, /^ {2}skipped +4\.8 +recursion: .*\(recursion: its stack is the process's\)$/m);
		const other = await conform(t, [...words, "--", "node", join(faulty, "worker.mjs"), "answers twice"]);
		assert.equal(other.code, 1, "a command that is given counts, and not the manifest's");
	});

	test("conform installs the libraries of a manifest once", async (t) => {
		const manifest = {
			id: "lua",
			suffixes: [".mjs"],
			concurrency: "async",
			// The installed file has the path of the worker.
			worker: ["sh", "-c", 'exec node "$(cat "$RUNTIME_LIBRARIES/place")"'],
			install: ["sh", "-c", 'cp "$KUBELESS_DEPS_FILE" "$KUBELESS_INSTALL_VOLUME/place"'],
			libraries: "libraries.txt",
		};
		const place = folder(t, {
			"runtime.json": JSON.stringify(manifest),
			"libraries.txt": join(faulty, "reference.mjs"),
			"examples/conformance.mjs": readFileSync(handlers),
		});
		const options = { env: { KUBELESS_LOADER_CACHE: folder(t) } };
		const words = ["--manifest", join(place, "runtime.json"), "--only", "bytes"];
		const first = await conform(t, words, options);
		assert.equal(first.code, 0, first.output);
		assert.match(first.output, /^Installing .*libraries\.txt/m);
		const second = await conform(t, words, options);
		assert.equal(second.code, 0, second.output);
		assert.doesNotMatch(second.output, /Installing/);
	});

	test("conform needs no function file for a worker that contains the handlers", async (t) => {
		const own = folder(t, { "worker.sh": `KUBELESS_HANDLER_FILE=${handlers} exec node ${join(faulty, "reference.mjs")}` });
		const only = ["--only", "ready", "--only", "only-handler"];
		const { code, output } = await conform(t, ["--lacks", "files", ...only, "--", "sh", join(own, "worker.sh")]);
		assert.equal(code, 0, output);
		assert.match(output, /^ {2}kept +3\.2 +ready: /m);
		assert.match(output, /^ {2}skipped +3\.1 +only-handler: /m);
		const manifest = { id: "lua", concurrency: "async", worker: ["sh", "$(RUNTIME_DIR)/worker.sh"] };
		writeFileSync(join(own, "runtime.json"), JSON.stringify(manifest));
		const second = await conform(t, ["--manifest", join(own, "runtime.json"), ...only]);
		assert.equal(second.code, 0, second.output + second.stderr);
		assert.match(second.output, /^ {2}skipped +3\.1 +only-handler: .*its manifest has no suffixes/m);
	});

	test("conform --junit writes valid XML for any output and any answer of a worker", async (t) => {
		const place = folder(t);
		const file = join(place, "result.xml");
		const only = ["--only", "raise", "--only", "unknown", "--only", "recursion", "--lacks", "recursion"];
		await conform(t, ["--junit", file, ...only, ...wrong("sends an error without a message")]);
		const { names, cases } = parseJunit(readFileSync(file, "utf8"));
		const some = ["raise", "unknown", "recursion"].map((name) => suites.find((suite) => suite.name === name));
		const count = some.reduce((sum, suite) => sum + (suite?.tests.length ?? 0), 0);
		assert.equal(cases.length, count);
		assert.deepEqual(names, ["unknown", "raise", "recursion"]);
		const outcomes = (name: string) => [...new Set(cases.filter(({ suite }) => suite === name).map(({ outcome }) => outcome))];
		assert.deepEqual(outcomes("unknown"), ["kept"]);
		assert.deepEqual(outcomes("raise"), ["rule 4.6"]);
		assert.deepEqual(outcomes("recursion"), ["skipped"]);
	});

	test("conform prints the vectors, the handlers and its help", async (t) => {
		const list = await conform(t, ["--list"]);
		assert.equal(list.code, 0);
		for (const { name, rule, description } of suites)
			assert.ok(list.output.includes(`${name} `) && list.output.includes(description), `${name} ${rule}`);
		const some = await conform(t, ["--list", "--only", "7.1"]);
		for (const { name, rule } of suites) assert.equal(new RegExp(`^ +${name} `, "m").test(some.output), rule.includes("7.1"), name);
		const said = await conform(t, ["--handlers"]);
		for (const handler of new Set(suites.map((suite) => suite.handler))) {
			if (handler !== "nosuch" && handler !== "single") assert.ok(said.output.includes(`| \`${handler}\` |`), handler);
		}
		const help = await conform(t, ["--help"]);
		assert.match(help.output, /^Usage: kubeless-loader conform/);
		assert.deepEqual([list.code, said.code, help.code], [0, 0, 0]);
	});

	test("conform ends the tested worker on Ctrl-C, even if the worker ignores the end of its wire", async (t) => {
		const local = new LocalCommand(t, ["conform", "--only", "wire-end", ...wrong("keeps running after the end of the wire")]);
		await local.wrote(/^Mandatory$/);
		await new Promise((resolve) => setTimeout(resolve, 500));
		const { code } = await local.stop();
		assert.equal(code, 130);
	});

	const MISTAKES: [words: string[], sentence: RegExp][] = [
		[[], /^Which worker\? .*--manifest runtime\.json\.$/],
		[["--function", handlers], /^Which worker\? /],
		[["--", "node", "x.mjs"], /^Which function .* --function FILE/],
		[["node", "x.mjs"], /^"node x\.mjs" stands where an option should: write -- before/],
		[["--nosuch"], /^Unknown option --nosuch: see conform --help/],
		[["--only"], /--only.*argument missing: see conform --help/],
		[["--only", "9.9", ...good], /^--only 9\.9 names no vectors: .*--list/],
		[["--lacks", "wheels", ...good], /^--lacks wheels is unknown: give one of ahead, chunks, .*, source, stream\.$/],
		[["--patience", "long", ...good], /^--patience long is not a factor: /],
		[["--junit", "/no/such/folder/a.xml", ...good], /^There is no folder \/no\/such\/folder for --junit: make it/],
		[["--function", "/no/such.lua", "--", "lua"], /^--function \/no\/such\.lua: there is no file/],
		[["--function", faulty, "--", "lua"], /is a folder: give the file in it\.$/],
		[["--manifest", join(root, "package.json")], /"id" must be /],
		[["--manifest", join(root, "runtimes/ballerina/runtime.json")], /speaks http, but conform tests only workers that speak the wire\.$/],
		[["--function", handlers, "--", "/no/such/worker"], /^The worker's command cannot be run \(.*\/no\/such\/worker.*\): is it installed/],
	];
	for (const [words, sentence] of MISTAKES) {
		test(`conform reports a mistake in one sentence and exits with 2: ${words.join(" ").replaceAll(root, "")}`, async (t) => {
			const { code, stderr, marker } = await conform(t, words);
			assert.equal(code, 2, stderr);
			assert.match(stderr, /^kubeless-loader: [^\n]+\n$/);
			assert.match(stderr.slice("kubeless-loader: ".length).trimEnd(), sentence);
			await untilGone(marker);
		});
	}

	test("conform needs only the bundle, in any folder, and the worker's language", async (t) => {
		const place = folder(t);
		cpSync(join(root, "kubeless-loader/dist"), place, { recursive: true });
		const options = { command: [process.execPath, join(place, "loader.mjs")], cwd: place };
		const { code, output, stderr } = await conform(t, ["--only", "ready", "--only", "stream", ...good], options);
		assert.equal(code, 0, output + stderr);
		assert.match(output, /^Mandatory: 1 kept\nOptional: {2}\d+ kept\n/m);
		const said = await conform(t, ["--handlers"], options);
		assert.match(said.output, /^\| `echoes` \| returns the body \|$/m);
		const broken = await conform(t, ["--only", "ready", ...wrong("sends ready twice")], options);
		assert.equal(broken.code, 1);
		assert.match(broken.output, /^ {6}Rule 3\.3 of PROTOCOL\.md is broken: ready came after ready/m);
	});

	test("conform is a separate file of the bundle, which serving does not load", () => {
		const dist = join(root, "kubeless-loader/dist");
		const loader = readFileSync(join(dist, "loader.mjs"), "utf8");
		assert.ok(existsSync(join(dist, "conform.mjs")));
		assert.ok(!loader.includes("whose answer has ended") && loader.includes('import("./conform.mjs")'));
	});
});

interface Case {
	suite: string;
	outcome: string;
}

/**
 * What CI servers take (Jenkins' xUnit plugin has it as a schema): where an element may stand, and
 * its attributes, * where they must be.
 */
const JUNIT: Record<string, { in: string; attributes: string[] }> = {
	testsuites: { in: "", attributes: ["tests", "failures", "errors", "time", "name"] },
	testsuite: { in: "testsuites", attributes: ["name*", "tests*", "failures*", "errors*", "skipped", "time", "timestamp", "hostname"] },
	testcase: { in: "testsuite", attributes: ["name*", "classname*", "time"] },
	failure: { in: "testcase", attributes: ["type", "message"] },
	skipped: { in: "testcase", attributes: ["message"] },
};

/**
 * Reads what the command writes, and nothing else: every character has to be of the XML that it
 * should be.
 */
function parseJunit(xml: string): { names: string[]; cases: Case[] } {
	const TOKEN =
		/<\?xml version="1\.0" encoding="UTF-8"\?>|<(\/?)(\w+)((?: \w+="(?:[^<&"]|&(?:\w+|#\d+);)*")*)(\/?)>|(?:[^<&]|&(?:\w+|#\d+);)+/y;
	assert.match(xml, /^[\t\n\x20-\x7e\xa0-\ufffd\u{10000}-\u{10ffff}]*$/u, "only characters that XML 1.0 has");
	const open: string[] = [];
	const names: string[] = [];
	const cases: Case[] = [];
	const told: number[][] = [];
	for (TOKEN.lastIndex = 0; TOKEN.lastIndex < xml.length; ) {
		const at = TOKEN.lastIndex;
		const token = TOKEN.exec(xml);
		assert.ok(token, `this is no XML: ${xml.slice(at, at + 100)}`);
		const [, slash, name, attributes = "", empty] = token;
		const of = (attribute: string) => new RegExp(` ${attribute}="([^"]*)"`).exec(attributes)?.[1] ?? "";
		if (name === undefined) continue;
		if (slash) {
			assert.equal(open.pop(), name);
			continue;
		}
		const shape = JUNIT[name];
		assert.equal(shape?.in, open.at(-1) ?? "", `${name} stands in ${open.at(-1)}`);
		const given = [...attributes.matchAll(/ (\w+)=/g)].map(([, attribute]) => attribute);
		for (const one of shape?.attributes ?? []) assert.ok(!one.endsWith("*") || given.includes(one.slice(0, -1)), `${name} has no ${one}`);
		for (const one of given)
			assert.ok(
				shape?.attributes.some((known) => known.replace("*", "") === one),
				`${name} has ${one}`,
			);
		for (const number of ["tests", "failures", "errors", "skipped", "time"])
			if (given.includes(number)) assert.match(of(number), number === "time" ? /^\d+\.\d{3}$/ : /^\d+$/);
		if (!empty) open.push(name);
		if (name === "testsuite") {
			names.push(of("name"));
			told.push(["tests", "failures", "skipped"].map((number) => Number(of(number))));
		}
		if (name === "testcase") cases.push({ suite: of("classname").split(".")[1] ?? "", outcome: "kept" });
		const last = cases.at(-1);
		if (name === "skipped" && last) last.outcome = "skipped";
		if (name === "failure" && last) last.outcome = of("type");
	}
	assert.deepEqual(open, []);
	const counted = names.map((name) => {
		const own = cases.filter(({ suite }) => suite === name);
		const failed = own.filter(({ outcome }) => outcome.startsWith("rule "));
		return [own.length, failed.length, own.filter(({ outcome }) => outcome === "skipped").length];
	});
	assert.deepEqual(told, counted, "tests, failures and skipped of each suite");
	return { names, cases };
}
