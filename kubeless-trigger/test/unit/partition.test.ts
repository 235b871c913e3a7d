import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../../../test/support/poll.ts";
import { Partition } from "../../src/kafka/partition.ts";
import type { Message } from "../../src/message.ts";
import { Semaphore } from "../../src/semaphore.ts";

const messages = (from: number, count: number): Message[] =>
	Array.from({ length: count }, (_, index) => {
		const offset = BigInt(from + index);
		return { topic: "t", partition: 0, offset, id: String(offset), time: 0, key: null, value: Buffer.alloc(0), headers: [] };
	});

/** A partition at most once, whose calls last `callMs`. */
function partitionOf(callMs: number) {
	const seen = { called: [] as number[], claims: [] as number[], rejects: false };
	const partition = new Partition(0, 0n, "at-most-once", new Semaphore(8), {
		claim: async (offset) => {
			if (seen.rejects) throw new Error("not stored");
			seen.claims.push(Number(offset));
		},
		done: () => {},
		deliver: async ({ offset }) => {
			await sleep(callMs);
			seen.called.push(Number(offset));
		},
		room: () => {},
	});
	const calls = (count: number) =>
		poll(
			() => seen.called.length >= count || undefined,
			() => `${count} calls`,
		);
	return { partition, seen, calls };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

test("quick calls: all messages are called in order, and 20 at most are claimed and not called", async () => {
	const { partition, seen, calls } = partitionOf(0);
	partition.add(messages(0, 300), 300n);
	await calls(300);
	assert.deepEqual(seen.called, numbers(300));
	const sizes = seen.claims.map((claim, index) => claim - (seen.claims[index - 1] ?? 0));
	assert.ok(Math.max(...sizes) <= 20 && sizes.length < 100, `claims of ${sizes}`);
	partition.stop();
	await partition.stopped;
});

test("slow calls: one message is claimed at a time, so that a partition that is given up ends after one call", async () => {
	const { partition, seen, calls } = partitionOf(700);
	partition.add(messages(0, 50), 50n);
	await calls(1);
	partition.stop();
	await partition.stopped;
	assert.ok(seen.called.length <= 2, `called ${seen.called}`);
	assert.equal(seen.claims.at(-1), seen.called.length, "each claimed message was called");
});

test("messages whose position could not be stored are not called, and the partition ends", async () => {
	const { partition, seen, calls } = partitionOf(0);
	partition.add(messages(0, 1), 1n);
	await calls(1);
	seen.rejects = true;
	partition.add(messages(1, 5), 6n);
	await partition.stopped;
	assert.deepEqual(seen.called, [0]);
	assert.equal(partition.position, 1n);
});

test("claims of other partitions, when one is stored, are bounded as well", async () => {
	const { partition, seen, calls } = partitionOf(0);
	partition.add(messages(0, 100), 100n);
	for (let turn = 0; turn < 50; turn++) {
		partition.claim();
		await Promise.resolve();
		const claimed = (seen.claims.at(-1) ?? 0) - seen.called.length;
		assert.ok(claimed <= 20, `${claimed} are claimed`);
	}
	await calls(100);
	partition.stop();
	await partition.stopped;
});
