import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { suiteOwner } from "../support/owner.ts";
import { languages, type Subject } from "./languages.ts";
import { explain, runSeed } from "./report.ts";

/** They take about three minutes for all languages on two CPUs. */
const SEEDS = 8;

describe("under faults", { concurrency: 2 }, () => {
	for (const { id, missing, prepare } of languages()) {
		const reason = missing();
		if (reason !== undefined && process.env["CI"]) {
			test(`${id}: under faults`, () => assert.fail(reason));
			continue;
		}
		if (reason !== undefined) console.log(`SKIPPED: ${id}: under faults. ${reason}`);
		describe(`${id}: under faults`, { skip: reason ?? false, concurrency: 1 }, () => {
			const owner = suiteOwner();
			let subject: Subject;
			before(() => {
				subject = prepare(owner);
			});
			for (let seed = 1; seed <= SEEDS; seed++) {
				test(`${id}: with the faults of seed ${seed}, each call is executed at most once and answered as its execution went, and nothing is left`, async () => {
					const seeded = await runSeed(subject, seed);
					for (const skipped of seeded.skipped) console.log(`SKIPPED: ${id}: ${skipped}`);
					assert.equal(seeded.findings.length, 0, `\n${explain(id, seeded)}\n${seeded.log}`);
				});
			}
		});
	}
});
