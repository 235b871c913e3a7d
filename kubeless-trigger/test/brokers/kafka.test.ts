import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startKafka } from "../../../test/brokers/kafka.ts";
import type { BrokerProcess } from "../../../test/brokers/process.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { NotedFunction } from "./functions.ts";
import { KafkaTools, until } from "./kafka-tools.ts";

describe("kubeless-trigger kafka", () => {
	const owner = suiteOwner();
	let broker: BrokerProcess;
	before(async () => {
		broker = await startKafka(owner);
	});
	const tools = new KafkaTools(() => `127.0.0.1:${broker.port}`);
	const newTopic = tools.newTopic.bind(tools);
	const produce = tools.produce.bind(tools);
	const consumed = tools.consumed.bind(tools);
	const consumer = tools.consumer.bind(tools);
	const bodies = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);

	test("a message calls every function once, with Kubeless's and CloudEvents headers", async (t) => {
		const topic = await newTopic();
		const functions = [await NotedFunction.start(t), await NotedFunction.start(t)];
		await consumer(t, topic, functions).ready();
		await produce(topic, ['{"a":1}'], { "X-Mine": "yes" });
		await until("a call of each function", () => functions.every(({ calls }) => calls.length === 1));
		for (const { calls } of functions) {
			const { headers, id } = calls[0] as (typeof calls)[0];
			assert.equal(id, '{"a":1}');
			assert.equal(headers["content-type"], "application/json");
			assert.equal(headers["event-type"], "application/json");
			assert.equal(headers["event-namespace"], "kafkatriggers.kubeless.io");
			assert.equal(headers["event-topic"], topic);
			assert.match(String(headers["event-id"]), new RegExp(`^${topic}-\\d-0$`));
			assert.ok(Number.isFinite(Date.parse(String(headers["event-time"]))));
			assert.equal(headers["x-mine"], "yes");
			assert.equal(headers["ce-specversion"], "1.0");
			assert.equal(headers["ce-id"], headers["event-id"]);
			assert.match(String(headers["traceparent"]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
		}
	});

	test("a topic that does not exist is logged once with the cure, and consumed as soon as it is created", async (t) => {
		const fn = await NotedFunction.start(t);
		const process = consumer(t, "late", [fn]);
		await until("the line", () => process.output.includes('topic \\"late\\" does not exist. Create it, or correct'));
		assert.doesNotMatch(process.output, /"stack"/);
		await newTopic("late");
		await process.ready();
		await produce("late", ["m"]);
		await until("the call", () => fn.calls.length === 1);
		assert.equal(process.output.match(/does not exist/g)?.length, 1, process.output);
	});

	test("a CloudEvent's ce_ headers and traceparent are passed on", async (t) => {
		const topic = await newTopic();
		const fn = await NotedFunction.start(t);
		await consumer(t, topic, [fn]).ready();
		const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
		await produce(topic, ["x"], {
			ce_specversion: "1.0",
			ce_id: "7",
			ce_type: "order",
			ce_source: "/shop",
			traceparent: trace,
			"content-type": "text/plain",
		});
		await until("a call", () => fn.calls.length === 1);
		const { headers } = fn.calls[0] as (typeof fn.calls)[0];
		assert.deepEqual(
			["ce-id", "ce-type", "ce-source", "traceparent", "content-type"].map((name) => headers[name]),
			["7", "order", "/shop", trace, "text/plain"],
		);
	});

	test("at most once: a failed message is not tried again", async (t) => {
		const topic = await newTopic();
		const fn = await NotedFunction.start(t);
		fn.answer = ({ id }, response) => void response.writeHead(id === "m1" ? 500 : 200).end();
		const process = await consumer(t, topic, [fn]).ready();
		await produce(topic, bodies(5));
		await until("five calls", () => fn.calls.length >= 5);
		await produce(topic, ["last"]);
		await until("the last call", () => fn.calls.some(({ id }) => id === "last"));
		assert.deepEqual([...fn.executions().values()], [1, 1, 1, 1, 1, 1]);
		assert.match(await process.metrics(), /kubeless_trigger_calls_total\{function="f0",outcome="failed"\} 1/);
	});

	test("a call that the function did not run is sent again, in every mode", async (t) => {
		const topic = await newTopic();
		const fn = await NotedFunction.start(t);
		let refused = 0;
		fn.answer = (_call, response) => {
			if (refused++ < 2) response.writeHead(503, { "Retry-After": "0", "Kubeless-Refused": "QUEUE_FULL" }).end();
			else response.end("OK");
		};
		await consumer(t, topic, [fn]).ready();
		await produce(topic, ["only"]);
		await until("three attempts", () => fn.calls.length === 3);
	});

	test("at least once: a message is tried maxAttempts times, then becomes a dead letter with the reason", async (t) => {
		const [topic, dead] = [await newTopic(), await newTopic()];
		const fn = await NotedFunction.start(t);
		fn.answer = (_call, response) => void response.writeHead(500).end();
		const env = { TRIGGER_DELIVERY: "at-least-once", TRIGGER_MAX_ATTEMPTS: "3", TRIGGER_DEAD_LETTER: dead };
		await consumer(t, topic, [fn], env).ready();
		await produce(topic, ["bad"], { mine: "kept" });
		const [letter] = await consumed(dead, 1);
		assert.equal(letter?.value, "bad");
		assert.equal(fn.calls.length, 3);
		const { headers = {} } = letter ?? {};
		assert.deepEqual(
			["mine", "kubeless-reason", "kubeless-attempts", "kubeless-function", "kubeless-topic", "kubeless-offset"].map(
				(name) => headers[name],
			),
			["kept", "status 500", "3", "f0", topic, "0"],
		);
	});

	test("an answer that is an event is published to the reply topic", async (t) => {
		const [topic, reply] = [await newTopic(), await newTopic()];
		const fn = await NotedFunction.start(t);
		fn.answer = ({ id }, response) => {
			const attributes = {
				"ce-specversion": "1.0",
				"ce-id": `re-${id}`,
				"ce-type": "answer",
				"ce-source": "/f",
				"Content-Type": "text/plain",
			};
			if (id === "ask") response.writeHead(200, attributes).end("answered");
			else response.end("no event");
		};
		await consumer(t, topic, [fn], { TRIGGER_REPLY: reply }).ready();
		await produce(topic, ["quiet", "ask"]);
		const [answer] = await consumed(reply, 1);
		assert.equal(answer?.value, "answered");
		assert.equal(answer?.headers["ce_id"], "re-ask");
	});

	test("the order of a partition is kept, and a slow function does not slow another", async (t) => {
		const topic = await newTopic();
		const [slow, quick] = [await NotedFunction.start(t), await NotedFunction.start(t)];
		const held: (() => void)[] = [];
		slow.answer = (_call, response) => void held.push(() => response.end());
		await consumer(t, topic, [slow, quick], { TRIGGER_CONCURRENCY: "2" }).ready();
		await produce(topic, bodies(200));
		await until("all calls of the quick function", () => quick.calls.length === 200);
		assert.ok(slow.calls.length <= 2);
		const byPartition = Map.groupBy(quick.calls, ({ headers }) => headers["event-partition"]);
		for (const calls of byPartition.values()) {
			const offsets = calls.map(({ headers }) => Number(headers["event-offset"]));
			assert.deepEqual(
				offsets,
				offsets.toSorted((a, b) => a - b),
			);
		}
		slow.answer = (_call, response) => void response.end();
		for (const release of held) release();
		await until("all calls of the slow function", () => slow.calls.length === 200);
	});

	test("SIGTERM finishes the running call, stores the position, and exits 0", async (t) => {
		const topic = await newTopic();
		const fn = await NotedFunction.start(t);
		let finish = (): void => {};
		fn.answer = (_call, response) =>
			new Promise<void>((resolve) => {
				finish = () => {
					response.end();
					resolve();
				};
			});
		const first = await consumer(t, topic, [fn], { TRIGGER_DELIVERY: "at-least-once" }).ready();
		await produce(topic, ["one"]);
		await until("the call", () => fn.calls.length === 1);
		const stopped = first.stop();
		finish();
		assert.equal(await stopped, 0, first.output);
		fn.answer = (_call, response) => void response.end();
		await consumer(t, topic, [fn], { TRIGGER_DELIVERY: "at-least-once" }).ready();
		await produce(topic, ["two"]);
		await until("the next message", () => fn.calls.length >= 2);
		assert.deepEqual(
			fn.calls.map(({ id }) => id),
			["one", "two"],
		);
	});

	test("the broker is killed and started again: consuming goes on", async (t) => {
		const topic = await newTopic();
		const fn = await NotedFunction.start(t);
		await consumer(t, topic, [fn]).ready();
		await produce(topic, ["before"]);
		await until("a call before", () => fn.calls.length === 1);
		await broker.kill();
		await broker.start();
		await produce(topic, ["after"]);
		await until("a call after", () => fn.calls.length === 2);
		assert.deepEqual(
			fn.calls.map(({ id }) => id),
			["before", "after"],
		);
	});
});
