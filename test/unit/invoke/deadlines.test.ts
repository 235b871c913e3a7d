import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Deadlines, type Timed } from "../../../kubeless-loader/src/invoke/deadlines.ts";

let now = 0;
const expired: string[] = [];
const timed = (name: string): Timed => ({ dueAt: 0, earlier: undefined, later: undefined, expire: () => expired.push(name) });

test.beforeEach((t) => {
	now = 0;
	expired.length = 0;
	mock.timers.enable({ apis: ["setTimeout"] });
	mock.method(performance, "now", () => now);
	(t as test.TestContext).after(() => mock.reset());
});

function pass(ms: number): void {
	for (let passed = 0; passed < ms; passed++) {
		now++;
		mock.timers.tick(1);
	}
}

test("each expires at its own time, in the order of arrival", () => {
	const deadlines = new Deadlines(100);
	deadlines.add(timed("first"), now);
	pass(40);
	deadlines.add(timed("second"), now);
	pass(59);
	assert.deepEqual(expired, []);
	pass(1);
	assert.deepEqual(expired, ["first"]);
	pass(39);
	assert.deepEqual(expired, ["first"]);
	pass(1);
	assert.deepEqual(expired, ["first", "second"]);
});

test("what is removed does not expire, wherever it stood, and may be removed twice", () => {
	const deadlines = new Deadlines(100);
	const all = ["a", "b", "c", "d", "e"].map(timed);
	for (const one of all) deadlines.add(one, now);
	for (const index of [2, 0, 4, 0, 2]) deadlines.remove(all[index] as Timed);
	pass(200);
	assert.deepEqual(expired, ["b", "d"]);
});

test("one that expires may add another, and the list is good after it was empty", () => {
	const deadlines = new Deadlines(50);
	const again = timed("again");
	const first: Timed = { ...timed("first"), expire: () => deadlines.add(again, now) };
	deadlines.add(first, now);
	pass(101);
	assert.deepEqual(expired, ["again"]);
	deadlines.add(timed("later"), now);
	pass(51);
	assert.deepEqual(expired, ["again", "later"]);
});
