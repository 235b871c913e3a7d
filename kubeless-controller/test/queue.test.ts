import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../src/kube/queue.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A queue whose passes end when the test says so. */
function queueOf(concurrency: number, backoff = { minBackoffMs: 1, maxBackoffMs: 4 }) {
	const running = new Map<string, { end: () => void; fail: () => void }>();
	const started: string[] = [];
	const retries: number[] = [];
	const queue = new Queue({
		concurrency,
		...backoff,
		work: (key) => {
			assert.ok(!running.has(key), `${key} runs twice`);
			started.push(key);
			return new Promise<void>((resolve, reject) => {
				const ends = (then: () => void) => () => {
					running.delete(key);
					then();
				};
				running.set(key, { end: ends(resolve), fail: ends(() => reject(new Error("no"))) });
			});
		},
		onError: (_, __, retryMs) => void retries.push(retryMs),
	});
	return { queue, running, started, retries };
}

test("a key that is added while it is worked on is worked on once more, by one worker at a time", async () => {
	const { queue, running, started } = queueOf(4);
	queue.add("a");
	queue.add("a");
	queue.add("a");
	assert.deepEqual(started, ["a"]);
	running.get("a")?.end();
	await turn();
	assert.deepEqual(started, ["a", "a"]);
	running.get("a")?.end();
	await turn();
	assert.deepEqual(started, ["a", "a"]);
	await queue.stop();
});

test("no more keys than the limit are worked on at the same time, in the order in which they came", async () => {
	const { queue, running, started } = queueOf(2);
	for (const key of ["a", "b", "c", "d"]) queue.add(key);
	assert.deepEqual(started, ["a", "b"]);
	assert.equal(queue.length, 2);
	running.get("b")?.end();
	await turn();
	assert.deepEqual(started, ["a", "b", "c"]);
	const stopped = queue.stop();
	for (const { end } of [...running.values()]) end();
	await stopped;
	assert.deepEqual(started, ["a", "b", "c"]);
});

test("a key that fails comes again after pauses that grow to a maximum; other news of it does not shorten them, its user's does", async () => {
	const { queue, running, started, retries } = queueOf(1, { minBackoffMs: 1000, maxBackoffMs: 2500 });
	queue.add("a");
	for (let round = 0; round < 4; round++) {
		running.get("a")?.fail();
		await turn();
		assert.equal(started.length, round + 1);
		queue.add("a");
		assert.equal(started.length, round + 1, "it still pauses");
		queue.add("a", { fresh: true });
		assert.equal(started.length, round + 2);
	}
	for (const ms of retries) assert.ok(ms >= 500 && ms <= 1000, `${ms} ms`);
	running.get("a")?.end();
	await queue.stop();
});

test("the pause of a key that goes on failing doubles, and it is never given up", async () => {
	const retries: number[] = [];
	const queue: Queue = new Queue({
		concurrency: 1,
		minBackoffMs: 2,
		maxBackoffMs: 16,
		work: () => Promise.reject(new Error("no")),
		onError: (_, __, retryMs) => void retries.push(retryMs),
	});
	queue.add("a");
	while (retries.length < 8) await turn();
	await queue.stop();
	for (const [index, ms] of retries.entries()) {
		const whole = Math.min(16, 2 * 2 ** index);
		assert.ok(ms >= whole / 2 && ms <= whole, `pause ${index}: ${ms} ms`);
	}
});
