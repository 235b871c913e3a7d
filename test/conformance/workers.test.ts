import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Candidate, readSuites, runSuite } from "../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../kubeless-loader/src/conform/report.ts";
import { readRuntimes } from "./runtimes.ts";

const suites = readSuites();

for (const { id, missing, wanted, speaks, candidate } of readRuntimes()) {
	if (speaks !== "wire") {
		console.log(`SKIPPED: the conformance of ${id}. Its worker speaks ${speaks}; these vectors test the wire.`);
		continue;
	}
	if (wanted) {
		test(`${id}: the worker keeps the rules of the wire`, () => assert.fail(missing));
		continue;
	}
	if (missing) console.log(`SKIPPED: the conformance of ${id}. ${missing}`);
	// The tests mostly wait, so more of them than processors can run at once.
	describe(id, { skip: missing ?? false, concurrency: 3 }, () => {
		let worker: Candidate;
		for (const suite of suites) {
			test(`${id}: ${suite.rule[0]} ${suite.description}`, async (t) => {
				worker ??= candidate();
				for await (const result of runSuite(worker, suite)) {
					const { outcome, description } = result;
					const skip = outcome === "skipped" ? report(result) : false;
					await t.test(`${id}: ${result.rule} ${description}`, { skip }, () => {
						if (outcome === "broken") assert.fail(report(result));
					});
				}
			});
		}
	});
}
