import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Candidate, type Result, readSuites, runSuite, type Suite } from "../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../kubeless-loader/src/conform/report.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const suites = readSuites();
const { faults } = await import(new URL("faulty/faults.mjs", import.meta.url).href);

/** Calls that only have to end: only the runner's own checks can fail. */
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

/** Each fault with the suite that it fails, the rule in the report, and a part of the reason. */
const WRONG: [fault: string, suite: string | Suite, rule: string, words: RegExp][] = [
	["closes the wire and keeps running", twoCalls, "1.3", /still running/],
	["lets a child hold the wire", "children", "1.2", /did not come within/],
	["exits after an answer", twoCalls, "(the vector's)", /the worker ended \(exit code 0\)/],
	["keeps running after the end of the wire", "wire-end", "1.3", /did not come within/],
	["prints nothing", "output", "1.4", /did not come within/],

	["writes a line that is not JSON", twoCalls, "2.1", /not JSON: "hello"/],
	["writes a JSON list", twoCalls, "2.1", /not a JSON object/],
	["writes null", twoCalls, "2.1", /not a JSON object/],
	["writes bytes that are not UTF-8", twoCalls, "2.1", /not UTF-8/],
	["ends its lines with CR LF", twoCalls, "2.1", /carriage return/],
	["declares one byte less than it sends", twoCalls, "2.1", /not JSON: "o\{/],
	["declares one byte more than it sends", twoCalls, "2.1", /not JSON: "\\"type/],
	["exits within a frame", twoCalls, "2.1", /the wire ends 5 bytes before the end/],
	["stops within a frame", twoCalls, "(the vector's)", /did not come within/],
	["stops reading the wire", twoCalls, "(the vector's)", /did not come within/],
	["mixes its frames", twoCalls, "2.1", /not JSON/],
	["sends a frame without a type", twoCalls, "2.2", /no type/],
	["sends a frame of an unknown type", twoCalls, "2.2", /"progress"/],
	["exits at a frame of an unknown type", "unknown", "2.2", /the worker ended \(exit code 1\)/],
	["writes a line over 1 MiB", twoCalls, "2.3", /longer than 1 MiB/],
	["writes a line without end", twoCalls, "2.3", /longer than 1 MiB/],
	["declares a negative length", twoCalls, "2.3", /body of .* is not a whole number/],
	["declares a length over 1 GiB", twoCalls, "2.3", /body of .* is not a whole number/],
	["sends a length as text", twoCalls, "2.3", /body of .* is not a whole number/],
	["sends a head over 1 MiB", twoCalls, "2.3", /head of .* is not a whole number/],
	["sends an id as text", twoCalls, "2.3", /the id of result is "1"/],
	["sends a head without line ends", twoCalls, "2.5", /does not end in CR LF/],
	["sends a head with an empty line", twoCalls, "2.5", /not a header line: ""/],
	["sends a header without a name", twoCalls, "2.5", /not a header line: ": Ada"/],
	["keeps running after a broken line", "broken-line", "2.7", /did not come within/],
	["exits with 0 at a broken line", "broken-line", "2.7", /exit code 0/],

	["sends ready late", twoCalls, "3.2", /did not come within/],
	["exits before it is ready", twoCalls, "3.2", /the worker ended \(exit code 3\)/],
	["answers before it is ready", twoCalls, "3.2", /result came before ready/],
	["speaks another version", twoCalls, "3.2", /wire 1/],
	["speaks a future version", "version", "3.2", /wire 1/],
	["sends ready without its handler", twoCalls, "3.2", /the handler's name/],
	["states a concurrency of 0", twoCalls, "3.2", /a concurrency from 1 on/],
	["states an ahead that is not a count", twoCalls, "3.2", /an ahead that is a count/],
	["fails without a list of handlers", "handler-not-found", "3.2", /the list handlers/],
	["fails with an unknown code", "handler-not-found", "3.2", /one of the codes/],
	["fails and exits with 0", "handler-not-found", "3.2", /exit code 0/],
	["sends ready twice", twoCalls, "3.3", /ready came after ready/],
	["sends failed after ready", twoCalls, "3.3", /failed came after ready/],
	["loads its handler for each call", "loaded-once", "3.3", /body is "1", and not "2"/],

	["answers every call but one", "answered-once", "4.2", /did not come within/],
	["sends a chunk before the head", "stream", "4.2", /before its head/],
	["begins an answer twice", "stream", "4.2", /head of call \d+ came after its head/],
	["sends a result after a head", "stream", "4.2", /result of call \d+ came after its head/],
	["sends an end without a head", twoCalls, "4.2", /end of call 1 came before its head/],
	["answers in turn", "order", "4.3", /the order is \[1,2\]/],
	["answers without an id", twoCalls, "4.4", /result has no id/],
	["sends an invalid status", twoCalls, "4.4", /status of result of call 1 is 99/],
	["sends an interim status", twoCalls, "4.4", /status of result of call 1 is 103/],
	["loses the status", "response-headers", "4.4", /status is 200, and not 201/],
	["loses a repeated header", "response-headers", "4.4", /Set-Cookie is "b=2"/],
	["sends less than its Content-Length", "large-results", "4.5", /Content-Length 1000000 and sent 0 bytes/],
	["sends more than its Content-Length", "large-results", "4.5", /Content-Length 1000000 and sent 1000004 bytes/],
	["sends an error without a message", "raise", "4.6", /must have a message/],
	["sends an error with an unknown code", "raise", "4.6", /one of the codes/],
	["calls the handler with malformed JSON", "malformed", "4.7", /was answered by result/],
	["exits at a handler's error", "raise", "4.8", /the worker ended/],
	["answers twice", twoCalls, "4.9", /call 1, whose answer has ended/],
	["answers a call that was never sent", twoCalls, "4.9", /call 1001, which was never sent/],
	["ends twice", "stream", "4.9", /whose answer has ended/],
	["sends an error after the end of an answer", "stream", "4.9", /error answers call \d+, whose answer has ended/],
	["treats bytes as text", "echo", "4.10", /first that differs is byte 128/],

	["ignores pause", "pause", "5.1", /kept coming|is over/],
	["ignores resume", "pause", "5.1", /did not come within/],
	["sends large results whole", "large-results", "5.2", /form is "result", and not "chunks"/],
	["holds a chunk back until the next one", "stream", "5.3", /kept coming|is over/],

	["begins a call that it must give back", "withdraw", "5.5", /withdrawn/],
	["begins the last call first", "withdraw", "5.5", /the order is \[1,3,2\]/],
	["gives back a call that is not ahead", twoCalls, "5.5", /whose ready has no ahead/],

	["answers a cancelled call twice", "cancel", "4.9", /whose answer has ended/],
	["does not answer a cancelled call", "cancel", "6.1", /did not come within/],
	["ignores stop", "stop", "6.2", /did not come within/],
	["ignores stop and keeps logging", "stop", "6.2", /did not come within/],
	["exits with 3 when it gets stop", "stop", "6.2", /exit code 3/],
	["drops its calls when it gets stop", "stop", "6.2", /the worker ended/],
	["answers a call again after stop", twoCalls, "4.9", /call 1, whose answer has ended/],

	["logs to an unknown stream", twoCalls, "7.1", /stream of log is "stdlog"/],
	["logs for a call that has ended", twoCalls, "7.1", /whose answer has ended/],
	["logs text that is not UTF-8", twoCalls, "7.1", /not UTF-8/],
];

describe("the runner", { concurrency: 6 }, () => {
	test("every fault of faults.mjs is tested here", () => {
		assert.deepEqual(Object.keys(faults).sort(), WRONG.map(([fault]) => fault).sort());
	});

	for (const [fault, named, rule, words] of WRONG) {
		test(`the runner reports rule ${rule} for a worker that ${fault}`, async () => {
			const suite = typeof named === "string" ? suiteCalled(named) : named;
			// A wrong frame is detected at once, a missing one only after the timeout.
			const patience = words.source.includes("did not come") ? 1 : 10;
			const first = await firstBroken({ ...worker("worker.mjs", fault), patience }, suite);
			assert.ok(first, "the runner reported no broken rule");
			assert.match(first.reason, words);
			assert.equal(first.rule, rule);
			assert.ok(report(first).startsWith(`Rule ${rule} of PROTOCOL.md is broken: `));
		});
	}

	test("the runner reports rule 2.4 for a worker that treats one read as one frame", async () => {
		const results = await resultsOf(worker("one-chunk.mjs"), [suiteCalled("split-and-joined")]);
		assert.deepEqual(brokenRules(results), ["2.4"]);
	});

	test("the runner reports no broken rule for a correct worker", async () => {
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

	test("the runner reports no broken rule for a worker that accepts calls ahead", async () => {
		const results = await resultsOf(worker("ahead.mjs"), ["withdraw", "answered-once", "raise", "stop"].map(suiteCalled));
		assert.deepEqual(notKept(results), []);
	});

	test("the runner reports no broken rule for a worker that writes its frames byte by byte", async () => {
		const results = await resultsOf(worker("byte-by-byte.mjs"), ["answered-once", "raise", "ready", "stop", "stream"].map(suiteCalled));
		assert.deepEqual(notKept(results), []);
	});

	test("the runner reports every vector as broken for a worker that sends only ready", async () => {
		const mute: Candidate = { ...worker(""), command: ["sh", join(folder, "faulty", "mute.sh")], patience: 0.03 };
		const results = await Promise.all(suites.map((suite) => resultsOf(mute, [suite])));
		const passed = results.flat().filter(({ outcome }) => outcome !== "broken");
		assert.deepEqual(
			passed.map(({ description }) => description),
			[],
		);
	});

	test("the runner skips what a worker lacks and reports the reason", async () => {
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

	test("the runner stops at a command that cannot be started and names it", async () => {
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
