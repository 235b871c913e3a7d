import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Candidate, type Result, readSuites, runSuite, type Suite } from "../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../kubeless-loader/src/conform/report.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const suites = readSuites();
const { faults } = await import(new URL("faulty/faults.mjs", import.meta.url).href);

/** A suite with calls whose answers are not checked: only the runner's own checks can fail. */
const twoCalls: Suite = {
	name: "two calls",
	optional: false,
	description: "two calls",
	rule: ["(the vector's)"],
	handler: "echoes",
	needs: [],
	tests: [
		{
			description: "end",
			steps: [{ call: { id: 1, body: "ciao" } }, { call: { id: 2, body: "ciao" } }, { ended: 1 }, { ended: 2 }],
		},
		{ description: "are followed by a third", steps: [{ call: { id: 3, body: "ciao" } }, { ended: 3 }] },
	],
};

/** A fault, the suite that a worker with it fails, the reported rule, and a pattern of the reason. */
const WRONG: [fault: string, suite: string | Suite, rule: string, words: RegExp][] = [
	["closes the wire and runs on", twoCalls, "1.3", /still running/],
	["lets a child hold the wire", "children", "1.2", /it did not come within/],
	["leaves when it has answered", twoCalls, "(the vector's)", /the worker ended \(exit code 0\)/],
	["outlives the wire", "wire-end", "1.3", /it did not come within/],
	["prints nothing", "output", "1.4", /it did not come within/],

	["writes what is not JSON", twoCalls, "2.1", /not JSON: "hello"/],
	["writes a JSON list", twoCalls, "2.1", /not a JSON object/],
	["writes null", twoCalls, "2.1", /not a JSON object/],
	["writes bytes that are not UTF-8", twoCalls, "2.1", /not UTF-8/],
	["ends its lines in CR LF", twoCalls, "2.1", /carriage return/],
	["declares one byte less than it sends", twoCalls, "2.1", /not JSON: "o\{/],
	["declares one byte more than it sends", twoCalls, "2.1", /not JSON: "\\"type/],
	["exits within a frame", twoCalls, "2.1", /the wire ends 5 bytes before the end/],
	["stops within a frame", twoCalls, "(the vector's)", /it did not come within/],
	["stops reading the wire", twoCalls, "(the vector's)", /it did not come within/],
	["mixes its frames", twoCalls, "2.1", /not JSON/],
	["leaves the type away", twoCalls, "2.2", /no type/],
	["sends a type of its own", twoCalls, "2.2", /"progress"/],
	["stumbles over an unknown type", "unknown", "2.2", /the worker ended \(exit code 1\)/],
	["writes a line over 1 MiB", twoCalls, "2.3", /longer than 1 MiB/],
	["writes a line without end", twoCalls, "2.3", /longer than 1 MiB/],
	["declares a length below 0", twoCalls, "2.3", /body of .* is not a whole number/],
	["declares a length over 1 GiB", twoCalls, "2.3", /body of .* is not a whole number/],
	["declares a length in text", twoCalls, "2.3", /body of .* is not a whole number/],
	["sends a head over 1 MiB", twoCalls, "2.3", /head of .* is not a whole number/],
	["sends an id in text", twoCalls, "2.3", /the id of result is "1"/],
	["sends a head without line ends", twoCalls, "2.5", /does not end in CR LF/],
	["sends a head with an empty line", twoCalls, "2.5", /not a header line: ""/],
	["sends a header without a name", twoCalls, "2.5", /not a header line: ": Ada"/],
	["lives on after a broken line", "broken-line", "2.7", /it did not come within/],
	["exits with 0 at a broken line", "broken-line", "2.7", /exit code 0/],

	["is ready late", twoCalls, "3.2", /it did not come within/],
	["ends before it is ready", twoCalls, "3.2", /the worker ended \(exit code 3\)/],
	["answers before it is ready", twoCalls, "3.2", /result came before ready/],
	["speaks another version", twoCalls, "3.2", /wire 1/],
	["speaks a version there is not yet", "version", "3.2", /wire 1/],
	["does not name its handler", twoCalls, "3.2", /the handler's name/],
	["declares a concurrency of 0", twoCalls, "3.2", /a concurrency from 1 on/],
	["declares an ahead that is not a count", twoCalls, "3.2", /an ahead that is a count/],
	["fails without a list of handlers", "handler-not-found", "3.2", /the list handlers/],
	["fails with a code of its own", "handler-not-found", "3.2", /one of the codes/],
	["fails and exits with 0", "handler-not-found", "3.2", /exit code 0/],
	["is ready twice", twoCalls, "3.3", /ready came after ready/],
	["fails after it was ready", twoCalls, "3.3", /failed came after ready/],
	["loads its handler for each call", "loaded-once", "3.3", /body is "1", and not "2"/],

	["answers every call but one", "answered-once", "4.2", /it did not come within/],
	["sends a chunk before the head", "stream", "4.2", /before its head/],
	["begins an answer twice", "stream", "4.2", /head of call \d+ came after its head/],
	["sends a whole answer after its beginning", "stream", "4.2", /result of call \d+ came after its head/],
	["ends an answer that it has not begun", twoCalls, "4.2", /end of call 1 came before its head/],
	["answers in turn", "order", "4.3", /the order is \[1,2\]/],
	["answers without an id", twoCalls, "4.4", /result has no id/],
	["sends a status that is none", twoCalls, "4.4", /status of result of call 1 is 99/],
	["sends a status that is no answer", twoCalls, "4.4", /status of result of call 1 is 103/],
	["loses the status", "response-headers", "4.4", /status is 200, and not 201/],
	["loses a header that comes twice", "response-headers", "4.4", /Set-Cookie is "b=2"/],
	["sends less than it declared", "large-results", "4.5", /Content-Length 1000000 and sent 0 bytes/],
	["sends more than it declared", "large-results", "4.5", /Content-Length 1000000 and sent 1000004 bytes/],
	["sends an error without a message", "raise", "4.6", /must have a message/],
	["sends an error with a code of its own", "raise", "4.6", /one of the codes/],
	["calls the handler with malformed JSON", "malformed", "4.7", /was answered by result/],
	["dies of an error", "raise", "4.8", /the worker ended/],
	["answers twice", twoCalls, "4.9", /call 1, whose answer has ended/],
	["answers a call that was never sent", twoCalls, "4.9", /call 1001, which was never sent/],
	["ends twice", "stream", "4.9", /whose answer has ended/],
	["breaks off an answer that has ended", "stream", "4.9", /error answers call \d+, whose answer has ended/],
	["takes bytes for text", "echo", "4.10", /first that differs is byte 128/],

	["ignores pause", "pause", "5.1", /kept coming|is over/],
	["ignores resume", "pause", "5.1", /it did not come within/],
	["sends large results whole", "large-results", "5.2", /form is "result", and not "chunks"/],
	["holds back a chunk until the next", "stream", "5.3", /kept coming|is over/],

	["begins what it is to give back", "withdraw", "5.5", /withdrawn/],
	["begins the last call first", "withdraw", "5.5", /the order is \[1,3,2\]/],
	["gives back a call without withdraw", twoCalls, "5.5", /whose ready says no ahead/],

	["answers twice what is cancelled", "cancel", "4.9", /whose answer has ended/],
	["does not answer what is cancelled", "cancel", "6.1", /it did not come within/],
	["ignores stop", "stop", "6.2", /it did not come within/],
	["goes on logging after stop", "stop", "6.2", /it did not come within/],
	["exits with 3 after stop", "stop", "6.2", /exit code 3/],
	["drops its calls after stop", "stop", "6.2", /the worker ended/],
	["answers once more after stop", twoCalls, "4.9", /call 1, whose answer has ended/],

	["logs to a stream there is not", twoCalls, "7.1", /stream of log is "stdlog"/],
	["logs for a call that is over", twoCalls, "7.1", /whose answer has ended/],
	["logs what is not UTF-8", twoCalls, "7.1", /not UTF-8/],
];

describe("the runner", { concurrency: 6 }, () => {
	test("has no fault that this file does not test", () => {
		assert.deepEqual(Object.keys(faults).sort(), WRONG.map(([fault]) => fault).sort());
	});

	for (const [fault, named, rule, words] of WRONG) {
		test(`reports rule ${rule} for a worker that ${fault}`, async () => {
			const suite = typeof named === "string" ? suiteCalled(named) : named;
			// A wrong frame fails at once, a missing one after the time limit.
			const patience = words.source.includes("did not come") ? 1 : 10;
			const first = await firstBroken({ ...worker("worker.mjs", fault), patience }, suite);
			assert.ok(first, "it found nothing wrong");
			assert.match(first.reason, words);
			assert.equal(first.rule, rule);
			assert.ok(report(first).startsWith(`Rule ${rule} of PROTOCOL.md is broken: `));
		});
	}

	test("reports rule 2.4 for a worker that takes one read for one frame", async () => {
		const results = await resultsOf(worker("one-chunk.mjs"), [suiteCalled("split-and-joined")]);
		assert.deepEqual(brokenRules(results), ["2.4"]);
	});

	test("reports no fault of a worker that keeps the rules", async () => {
		const results = await Promise.all(
			[0, 1, 2].map((n) =>
				resultsOf(
					worker("reference.mjs"),
					suites.filter((_, i) => i % 3 === n),
				),
			),
		);
		assert.deepEqual(notKept(results.flat().filter(({ suite }) => suite !== "withdraw")), []);
	});

	test("reports no fault of a worker that runs one call at a time and accepts calls ahead", async () => {
		const results = await resultsOf(worker("ahead.mjs"), ["withdraw", "answered-once", "raise", "stop"].map(suiteCalled));
		assert.deepEqual(notKept(results), []);
	});

	test("reports no fault of a worker that writes its frames byte by byte", async () => {
		const results = await resultsOf(worker("byte-by-byte.mjs"), ["answered-once", "raise", "ready", "stop", "stream"].map(suiteCalled));
		assert.deepEqual(notKept(results), []);
	});

	test("reports every vector as broken for a worker that sends only `ready`", async () => {
		const mute: Candidate = { ...worker(""), command: ["sh", join(folder, "faulty", "mute.sh")], patience: 0.03 };
		const results = await Promise.all(suites.map((suite) => resultsOf(mute, [suite])));
		const passed = results.flat().filter(({ outcome }) => outcome !== "broken");
		assert.deepEqual(
			passed.map(({ description }) => description),
			[],
		);
	});

	test("skips the features that a worker lacks, with the reason", async () => {
		const lacking = { ...worker("reference.mjs"), lacks: { recursion: "its stack is the process's" } };
		const results = await resultsOf(lacking, [suiteCalled("recursion")]);
		assert.deepEqual(
			results.map(({ outcome, reason }) => [outcome, reason]),
			[
				["skipped", "recursion: its stack is the process's"],
				["skipped", "recursion: its stack is the process's"],
			],
		);
	});

	test("stops at a command that cannot be started, and names it", async () => {
		await assert.rejects(resultsOf({ ...worker(""), command: ["/nowhere/worker"] }, [twoCalls]), /\/nowhere\/worker/);
	});
});

function suiteCalled(name: string): Suite {
	const suite = suites.find((one) => one.name === name);
	assert.ok(suite, `there is no suite ${name}`);
	return suite;
}

function worker(program: string, ...args: string[]): Candidate {
	return {
		command: [process.execPath, join(folder, "faulty", program), ...args],
		env: process.env,
		file: join(folder, "faulty", "examples", "conformance.mjs"),
		concurrency: 1,
		lacks: {},
	};
}

async function resultsOf(candidate: Candidate, some: Suite[]): Promise<Result[]> {
	const results: Result[] = [];
	for (const suite of some) for await (const result of runSuite(candidate, suite)) results.push(result);
	return results;
}

async function firstBroken(candidate: Candidate, suite: Suite): Promise<Result | undefined> {
	for await (const result of runSuite(candidate, suite)) if (result.outcome === "broken") return result;
	return undefined;
}

function notKept(results: Result[]): Result[] {
	return results.filter(({ outcome }) => outcome !== "kept");
}

function brokenRules(results: Result[]): string[] {
	return [...new Set(results.filter(({ outcome }) => outcome === "broken").map(({ rule }) => rule))];
}
