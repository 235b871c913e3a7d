import assert from "node:assert/strict";
import test from "node:test";
import { EventBuffer, type PoolEvents } from "../../../kubeless-loader/src/pool/events.ts";

test("what a worker printed before the log was there is reported in order, and once", () => {
	const buffer = new EventBuffer();
	const lines: string[] = [];
	const print = (text: string) => buffer.tell((receiver) => receiver.line("stdout", text, undefined, false));
	print("a");
	print("b");
	buffer.report({ line: (_stream, text) => lines.push(text) } as Partial<PoolEvents> as PoolEvents);
	assert.deepEqual(lines, ["a", "b"]);
	print("c");
	assert.deepEqual(lines, ["a", "b", "c"]);
});

test("events without a receiver take a bounded amount of memory", () => {
	const buffer = new EventBuffer();
	let count = 0;
	for (let line = 0; line < 5000; line++) buffer.tell(() => count++);
	buffer.report({} as Partial<PoolEvents> as PoolEvents);
	assert.equal(count, 1000);
});
