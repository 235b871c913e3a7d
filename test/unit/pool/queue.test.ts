import assert from "node:assert/strict";
import test from "node:test";
import { Queue } from "../../../kubeless-loader/src/pool/queue.ts";

test("the queue is first in, first out, also with many entries", () => {
	const queue = new Queue<number>(() => true);
	for (let item = 0; item < 10_000; item++) queue.push(item);
	for (let item = 0; item < 5000; item++) assert.equal(queue.shift(), item);
	for (let item = 10_000; item < 12_000; item++) queue.push(item);
	for (let item = 5000; item < 12_000; item++) assert.equal(queue.shift(), item);
	assert.equal(queue.shift(), undefined);
});

test("the queue skips entries that are no longer live, and works again after it was empty", () => {
	const queue = new Queue<number>((item) => item % 2 === 0);
	for (const item of [1, 2, 3, 4, 5]) queue.push(item);
	assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], [2, 4, undefined]);
	queue.push(6);
	assert.equal(queue.shift(), 6);
});
