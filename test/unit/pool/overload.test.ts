import assert from "node:assert/strict";
import test from "node:test";
import { Overload } from "../../../kubeless-loader/src/pool/overload.ts";

/** Time limit of 10 s; `count` calls took `ms`. */
function after(count: number, ms: number): Overload {
	const overload = new Overload(10_000);
	for (let call = 0; call < count; call++) overload.took(ms, false);
	return overload;
}

test("before a call has ended, every call is admitted and has time", () => {
	const overload = after(0, 0);
	assert.equal(overload.waitMs(1000, 4), 0);
	assert.ok(overload.admits(overload.waitMs(1000, 4)));
	assert.ok(overload.hasTime(0, 9999));
});

test("the wait is the place in the queue times the mean, shared by the calls that run", () => {
	assert.equal(after(50, 1000).waitMs(39, 40), 1000);
	assert.equal(after(50, 1000).waitMs(0, 1), 1000);
});

test("a call is admitted while its wait leaves time to run, and not beyond", () => {
	const overload = after(50, 1000);
	assert.ok(overload.admits(7000));
	assert.ok(!overload.admits(8000));
});

test("a call without the time that calls take is not run", () => {
	const overload = after(50, 1000);
	assert.ok(overload.hasTime(0, 8900));
	assert.ok(!overload.hasTime(0, 9000));
});

test("a function whose calls take as long as they may is sent no call that has waited, but for a short wait", () => {
	const overload = after(50, 9990);
	assert.ok(!overload.admits(1));
	assert.ok(overload.hasTime(0, 900));
	assert.ok(!overload.hasTime(0, 1100));
});

test("calls that hang lengthen the wait, and others still have time", () => {
	const overload = after(50, 100);
	for (let call = 0; call < 50; call++) overload.took(10_000, true);
	assert.ok(overload.waitMs(0, 1) > 9000);
	assert.ok(overload.hasTime(0, 9000));
});

test("calls that were cut short do not make the function look fast", () => {
	const overload = after(50, 1000);
	for (let call = 0; call < 50; call++) overload.took(5, true);
	assert.equal(overload.waitMs(0, 1), 1000);
	overload.took(5000, true);
	assert.ok(overload.waitMs(0, 1) > 1000);
});
