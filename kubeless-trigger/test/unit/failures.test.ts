import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FailureLog } from "../../src/failures.ts";

const SECOND = 1000;

describe("the log of a failure that repeats", () => {
	const lines: { at: number; unlogged: number | undefined }[] = [];
	let now = 0;
	const log = { warn: ({ unlogged }: { unlogged?: number }) => void lines.push({ at: now / SECOND, unlogged }) };
	const failures = new FailureLog(log as never, () => undefined);
	/** Fails each second until `end`, in s. Returns the new lines. */
	const failUntil = (end: number, error = new Error("refused")) => {
		for (; now <= end * SECOND; now += SECOND) failures.warn(error, "trying again", now);
		return lines.splice(0);
	};

	test("is written after 0, 2, 6, 14 and 30 s, with the number of failures that were left out", () => {
		assert.deepEqual(failUntil(40), [
			{ at: 0, unlogged: undefined },
			{ at: 2, unlogged: 1 },
			{ at: 6, unlogged: 3 },
			{ at: 14, unlogged: 7 },
			{ at: 30, unlogged: 15 },
		]);
	});

	test("is written at most every 5 minutes", () => {
		const times = failUntil(4000).map(({ at }) => at);
		assert.equal((times.at(-1) as number) - (times.at(-2) as number), 300);
	});

	test("is written at once for another failure, and after a success", () => {
		assert.equal(failUntil(now / SECOND, new Error("timed out")).length, 1);
		failures.reset();
		assert.equal(failUntil(now / SECOND, new Error("timed out")).length, 1);
	});
});
