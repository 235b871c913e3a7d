// Consumers and the broker are killed with SIGKILL while messages are delivered and functions fail
// at random. Every execution is counted by the message's id. EVENTS and SEED change the number of
// messages and the random numbers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin, Producer } from "@platformatic/kafka";
import { startKafka } from "../../../test/brokers/kafka.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { ConsumerProcess } from "./consumer.ts";
import { NotedFunction } from "./functions.ts";

const EVENTS = Number(process.env["EVENTS"] || 3000);
const SEED = Number(process.env["SEED"] || 1);
const PARTITIONS = 3;
/** MAX_CLAIM in partition.ts. */
const CLAIM = 20;
const KILLS = 6;

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

interface Counts {
	executed: number;
	twice: number;
	lost: string[];
	kills: number;
}

async function run(t: Owner, mode: "at-most-once" | "at-least-once"): Promise<Counts> {
	const chance = random(SEED);
	const broker = await startKafka(t);
	const brokers = [`127.0.0.1:${broker.port}`];
	const admin = new Admin({ clientId: "test", bootstrapBrokers: brokers });
	await admin.createTopics({ topics: ["events", "dead"], partitions: PARTITIONS, replicas: 1 });
	await admin.close();
	const fn = await NotedFunction.start(t);
	const succeeded = new Set<string>();
	fn.answer = ({ id }, response) => {
		if (chance() < 0.1) return void response.writeHead(500).end();
		succeeded.add(id);
		response.end("OK");
	};
	const producer = new Producer({ clientId: "test", bootstrapBrokers: brokers, retries: 10 });
	const ids = Array.from({ length: EVENTS }, (_, index) => `e${index}`);
	for (let at = 0; at < ids.length; at += 500) {
		const messages = ids.slice(at, at + 500).map((id) => ({ topic: "events", key: Buffer.from(id), value: Buffer.from(id) }));
		await producer.send({ messages, acks: -1 });
	}
	await producer.close();

	const start = (): ConsumerProcess =>
		new ConsumerProcess(t, "kafka", {
			KAFKA_BROKERS: brokers.join(),
			TRIGGER_TOPIC: "events",
			TRIGGER_TARGETS: JSON.stringify([{ function: "f", url: fn.url, group: "chaos", timeout: 30 }]),
			TRIGGER_START: "earliest",
			TRIGGER_DELIVERY: mode,
			TRIGGER_MAX_ATTEMPTS: "100",
			TRIGGER_MAX_BACKOFF_SECONDS: "1",
		});
	const consumers = [start(), start()];
	const done = (): boolean => (mode === "at-least-once" ? succeeded.size : fn.executions().size) >= EVENTS;
	let kills = 0;
	for (; kills < KILLS && !done(); kills++) {
		const before = fn.calls.length;
		// The next kill follows some progress, so that a slow machine sees as many kills within the
		// messages as a fast one.
		await poll(
			() => fn.calls.length >= before + EVENTS / (KILLS * 2) || done() || undefined,
			() => `no progress after ${kills} kills:\n${consumers.map(({ output }) => output.slice(-1500)).join("\n")}`,
			300_000,
		);
		if (kills === Math.floor(KILLS / 2)) {
			await broker.kill();
			await broker.start();
		}
		const victim = Math.floor(chance() * 2);
		await consumers[victim]?.kill();
		consumers[victim] = start();
	}
	// The end: no new call for some seconds, as some messages may be lost at most once.
	for (let calls = -1; calls !== fn.calls.length && !done(); ) {
		calls = fn.calls.length;
		await sleep(20_000);
	}
	const executions = fn.executions();
	const seen = mode === "at-least-once" ? succeeded : new Set(executions.keys());
	const twice = [...executions.values()].filter((count) => count > 1).length;
	return { executed: executions.size, twice, lost: ids.filter((id) => !seen.has(id)), kills };
}

describe(`${EVENTS} messages while consumers and the broker are killed, seed ${SEED}`, () => {
	test("at most once: no message is called twice, and a kill loses no more than what was claimed", async (t) => {
		const { executed, twice, lost, kills } = await run(t, "at-most-once");
		t.diagnostic(`executed ${executed}, twice ${twice}, lost ${lost.length}, kills ${kills}`);
		assert.equal(twice, 0);
		assert.ok(lost.length <= kills * PARTITIONS * CLAIM, `${lost.length} lost in ${kills} kills: ${lost.slice(0, 20).join()}`);
	});

	test("at least once: no message is lost", async (t) => {
		const { executed, twice, lost, kills } = await run(t, "at-least-once");
		t.diagnostic(`executed ${executed}, repeated ${twice}, lost ${lost.length}, kills ${kills}`);
		assert.deepEqual(lost, []);
	});
});
