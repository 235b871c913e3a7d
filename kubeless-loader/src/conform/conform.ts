import { encode } from "./encoder.ts";
import { Fault, Mismatch } from "./fault.ts";
import { exitWords, Player } from "./player.ts";
import type { Candidate } from "./start.ts";
import { perform } from "./steps.ts";
import type { Suite, Test } from "./vectors.ts";

export type { Candidate } from "./start.ts";
export { readSuites, type Suite } from "./vectors.ts";

/** The result of one test. */
export interface Result {
	/** the suite's name, which is its file's */
	readonly suite: string;
	/** the duration in ms */
	readonly ms: number;
	readonly optional: boolean;
	/** the broken rule; the suite's main rule if none was broken */
	readonly rule: string;
	readonly description: string;
	readonly outcome: "kept" | "broken" | "skipped";
	/** the reason for the skip or the failure; empty if it passed */
	readonly reason: string;
	/** the expectation of the vector; empty if it passed */
	readonly expected: string;
	/** the last frames of each side, oldest first */
	readonly sent: readonly string[];
	readonly got: readonly string[];
	/** the end of the worker's output */
	readonly output: string;
}

/**
 * Runs suites one after the other against one worker. A fault of the worker is a result, never an
 * exception.
 * @throws {NotStarted} if the command cannot be started
 */
export async function* conform(candidate: Candidate, suites: Iterable<Suite>): AsyncGenerator<Result> {
	for (const suite of suites) yield* runSuite(candidate, suite);
}

/**
 * Runs the tests of a suite. They share a worker, so that each test also proves that the previous
 * one did it no harm. A test that ends the worker, breaks a rule or has its own start is followed
 * by a new worker.
 */
export async function* runSuite(candidate: Candidate, suite: Suite): AsyncGenerator<Result> {
	const lacking = suite.needs.find((word) => word in candidate.lacks);
	let player: Player | undefined;
	try {
		for (const [i, test] of suite.tests.entries()) {
			if (lacking !== undefined) {
				yield result(suite, test, "skipped", { reason: `${lacking}: ${candidate.lacks[lacking]}` });
				continue;
			}
			const next = suite.tests[i + 1];
			const last = test.start !== undefined || next === undefined || next.start !== undefined;
			player ??= new Player(candidate, suite, test.start);
			const begun = performance.now();
			const outcome = { ...(await runTest(player, suite, test, last)), ms: performance.now() - begun };
			if (last || outcome.outcome === "broken" || ends(test)) {
				player.dispose();
				player = undefined;
			}
			yield outcome;
		}
	} finally {
		player?.dispose();
	}
}

async function runTest(player: Player, suite: Suite, test: Test, last: boolean): Promise<Result> {
	player.sent.length = 0;
	player.got.length = 0;
	try {
		if (!test.start) await under("3.2", () => player.ready());
		if (suite.needs.includes("concurrency") && player.concurrency < 2) {
			return result(suite, test, "skipped", { reason: "concurrency: it takes one call at a time" });
		}
		if (suite.needs.includes("ahead") && player.conversation.ahead === 0) {
			return result(suite, test, "skipped", { reason: "ahead: it takes no call before it has answered the last" });
		}
		if (suite.needs.includes("envelopes") && !player.conversation.envelopes) {
			return result(suite, test, "skipped", { reason: "envelopes: it takes the data alone" });
		}
		for (const step of test.steps) await perform(player, step);
		await settle(player, test, last);
		return result(suite, test, "kept");
	} catch (error) {
		if (!(error instanceof Fault || error instanceof Mismatch)) throw error;
		return result(suite, test, "broken", {
			rule: error.rule ?? suite.rule[0] ?? "",
			reason: error.message,
			expected: error instanceof Mismatch ? error.expected : "",
			sent: [...player.sent],
			got: [...player.got],
			output: player.output,
		});
	}
}

/**
 * Checks what holds after every test: each call has its answer, and the worker runs until `stop`.
 */
async function settle(player: Player, test: Test, last: boolean): Promise<void> {
	player.check();
	if (ends(test)) return;
	await under("4.2", () => player.until("an answer to every call", () => player.conversation.open === 0 || undefined));
	if (!player.usable) {
		const exit = await player.until("an exit", () => player.exit);
		throw new Mismatch("a worker that serves on", `the worker ended (${exitWords(exit)})`);
	}
	if (!last) return;
	await player.send([encode({ type: "stop" })]);
	const exit = await under("6.2", () => player.until("an exit after stop", () => player.exit));
	if (exit !== 0) throw new Fault("6.2", `after stop the worker ended with ${exitWords(exit)}`);
	await under("1.2", () => player.until("the end of the wire after the exit", () => player.wireEnded || undefined));
	player.check();
}

/** True if a test ends the worker. */
function ends(test: Test): boolean {
	return test.steps.some((step) => "exit" in step || "eof" in step);
}

async function under<T>(rule: string, wait: () => Promise<T>): Promise<T> {
	try {
		return await wait();
	} catch (error) {
		if (error instanceof Mismatch) error.rule = rule;
		throw error;
	}
}

function result(suite: Suite, test: Test, outcome: Result["outcome"], more: Partial<Result> = {}): Result {
	return {
		suite: suite.name,
		ms: 0,
		optional: suite.optional,
		rule: suite.rule[0] ?? "",
		description: `${suite.description}: ${test.description}`,
		outcome,
		reason: "",
		expected: "",
		sent: [],
		got: [],
		output: "",
		...more,
	};
}
