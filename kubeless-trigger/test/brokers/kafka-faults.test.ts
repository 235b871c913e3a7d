import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Consumer } from "@platformatic/kafka";
import { startKafka } from "../../../test/brokers/kafka.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { NotedFunction } from "./functions.ts";
import { KafkaTools, type TestMessage, until } from "./kafka-tools.ts";

const LEAST = { TRIGGER_DELIVERY: "at-least-once" };

describe("kubeless-trigger kafka, when something is wrong", { concurrency: 2 }, () => {
	const owner = suiteOwner();
	let tools: KafkaTools;
	let brokers: string;
	before(async () => {
		const { port } = await startKafka(owner);
		brokers = `127.0.0.1:${port}`;
		tools = new KafkaTools(() => brokers);
	});
	const ids = (fn: NotedFunction): string[] => fn.calls.map(({ id }) => id);
	const headersOf = (fn: NotedFunction, id: string) => fn.calls.find((call) => call.id === id)?.headers ?? {};

	test("messages with odd keys, values and headers reach the function, and none stops the partition", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		const process = await tools.consumer(t, topic, [fn]).ready();
		const large = Buffer.alloc(900_000, "x");
		const odd: TestMessage[] = [
			{ value: null, key: Buffer.from("tombstone") },
			{ value: Buffer.alloc(0) },
			{ value: Buffer.from("no key") },
			{ value: Buffer.from("binary key"), key: Buffer.from([0xff, 0x41, 0xfe]) },
			{ value: Buffer.from("binary header"), headers: [["x-bytes", Buffer.from([0xff, 0x00, 0x42])]] },
			{
				value: Buffer.from("names"),
				headers: [
					["a b", "1"],
					["", "2"],
					["ünï", "3"],
					["__proto__", "4"],
					["Content-Length", "5"],
					["good", "6"],
				],
			},
			{ value: Buffer.from("parameters"), headers: [["content-type", 'text/plain; charset="utf-8"']] },
			{ value: large },
			{ value: Buffer.from("last") },
		];
		await tools.send(topic, odd);
		await until("the last message's call", () => ids(fn).includes("last"));
		assert.equal(fn.calls.length, odd.length, process.output);
		assert.deepEqual(
			fn.calls.map(({ headers }) => Number(headers["event-offset"])),
			odd.map((_, index) => index),
		);
		assert.equal(fn.calls[0]?.body.length, 0);
		assert.equal(fn.calls[0]?.headers["event-key"], "tombstone");
		assert.equal(headersOf(fn, "no key")["event-key"], undefined);
		assert.equal(headersOf(fn, "binary key")["event-key"], "%FFA%FE");
		assert.equal(headersOf(fn, "binary header")["x-bytes"], "%FF%00B");
		assert.equal(headersOf(fn, "names")["good"], "6");
		assert.equal(headersOf(fn, "parameters")["content-type"], 'text/plain; charset="utf-8"');
		assert.equal(fn.calls.at(-2)?.body.length, large.length);
	});

	test("a message whose headers no server takes becomes a dead letter with all its bytes, and the next one is called", async (t) => {
		const [topic, dead] = [await tools.newTopic(undefined, 1), await tools.newTopic(undefined, 1)];
		const fn = await NotedFunction.start(t);
		await tools.consumer(t, topic, [fn], { ...LEAST, TRIGGER_MAX_ATTEMPTS: "2", TRIGGER_DEAD_LETTER: dead }).ready();
		const headers = Array.from({ length: 1000 }, (_, index) => [`header-${index}`, `value ${index}`] as const);
		await tools.send(topic, [{ key: Buffer.from([0xff]), value: Buffer.from("many"), headers }, { value: Buffer.from("next") }]);
		const [letter] = await tools.consumed(dead, 1);
		assert.equal(letter?.value, "many");
		assert.deepEqual(letter?.key, Buffer.from([0xff]));
		assert.equal(letter?.headers["header-999"], "value 999");
		assert.equal(letter?.headers["kubeless-reason"], "status 431");
		await until("the next message", () => ids(fn).includes("next"));
	});

	test("a dead letter that is too large for its topic is published without its content", async (t) => {
		const topic = await tools.newTopic(undefined, 1, { "max.message.bytes": "3000000" });
		const dead = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		fn.answer = ({ id }, response) => void response.writeHead(id === "next" ? 200 : 500).end();
		const process = await tools.consumer(t, topic, [fn], { ...LEAST, TRIGGER_MAX_ATTEMPTS: "1", TRIGGER_DEAD_LETTER: dead }).ready();
		await tools.send(topic, [{ value: Buffer.alloc(2_000_000, "x") }, { value: Buffer.from("next") }]);
		await until("the next message", () => ids(fn).includes("next"));
		const [letter] = await tools.consumed(dead, 1);
		assert.equal(letter?.value, "");
		assert.equal(letter?.headers["kubeless-left-out"], "2000000 bytes, 0 headers");
		assert.equal(letter?.headers["kubeless-offset"], "0");
		assert.match(process.output, /dead letter cannot be published: /);
	});

	test("an answer for a reply topic that does not exist is logged with the cure, and published once it does", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		fn.answer = (_call, response) =>
			void response
				.writeHead(200, { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/f", "ce-subject": "%C4%8D" })
				.end("answer");
		const process = await tools.consumer(t, topic, [fn], { TRIGGER_REPLY: "replies", TRIGGER_MAX_BACKOFF_SECONDS: "1" }).ready();
		await tools.produce(topic, ["m"]);
		await until("the line", () => /reply not published, trying again: topic \\"replies\\" does not exist\. Create it/.test(process.output));
		assert.doesNotMatch(process.output, /"stack"/);
		await tools.newTopic("replies", 1);
		const [answer] = await tools.consumed("replies", 1);
		assert.deepEqual([answer?.value, answer?.headers["ce_subject"]], ["answer", "č"]);
		assert.equal(fn.calls.length, 1);
	});

	test("a function that hangs, resets the connection, or fails, is called once for each message at most once", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		fn.answer = ({ id }, response) => {
			if (id === "hang") return;
			if (id === "reset") return void response.socket?.resetAndDestroy();
			if (id === "half") return void response.writeHead(200, { "Content-Length": "9" }).write("half", () => response.destroy());
			response.writeHead({ busy: 503, fault: 500, moved: 301 }[id] ?? 204, { "Retry-After": "0" }).end();
		};
		const sent = ["reset", "half", "busy", "fault", "moved", "hang", "last"];
		const targets = JSON.stringify([{ function: "f", url: fn.url, group: `group-${topic}`, timeout: 0.5 }]);
		const process = await tools.consumer(t, topic, [fn], { TRIGGER_TARGETS: targets }).ready();
		await tools.produce(topic, sent);
		await until("the last message", () => ids(fn).includes("last"));
		assert.deepEqual(ids(fn), sent);
		assert.match(await process.metrics(), /calls_total\{function="f",outcome="failed"\} 6/);
	});

	test("at least once: Retry-After of a function's 503 is obeyed, up to the longest back-off", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		const times: number[] = [];
		fn.answer = (_call, response) => {
			times.push(performance.now());
			if (times.length === 1) return void response.writeHead(503, { "Retry-After": "2" }).end();
			// 9,999,999 s is more than a timer can hold.
			if (times.length === 2) return void response.writeHead(503, { "Retry-After": "9999999" }).end();
			response.end();
		};
		await tools.consumer(t, topic, [fn], { ...LEAST, TRIGGER_MAX_BACKOFF_SECONDS: "3" }).ready();
		await tools.produce(topic, ["m"]);
		await until("three calls", () => times.length === 3);
		const [first = 0, second = 0, third = 0] = times;
		assert.ok(second - first >= 1990, `${second - first} ms`);
		assert.ok(third - second >= 2990, `${third - second} ms`);
	});

	test("a topic that is deleted and made again is consumed from its first message", async (t) => {
		const topic = await tools.newTopic("again", 1);
		const fn = await NotedFunction.start(t);
		const process = await tools.consumer(t, topic, [fn], { ...LEAST, TRIGGER_START: "latest" }).ready();
		await tools.produce(topic, ["a", "b", "c"]);
		await until("calls", () => fn.calls.length === 3);
		await tools.admin((admin) => admin.deleteTopics({ topics: [topic] }));
		await until("the line", () => /topic \\"again\\" does not exist|topic \\"again\\" was deleted/.test(process.output));
		// A deletion is finished a moment after its answer.
		for (let made = false; !made; await sleep(100)) {
			made = await tools.newTopic(topic, 1).then(
				() => true,
				() => false,
			);
		}
		await tools.produce(topic, ["d", "e"]);
		await until("calls of the new topic", () => ids(fn).includes("e"));
		assert.deepEqual(ids(fn), ["a", "b", "c", "d", "e"]);
		assert.doesNotMatch(process.output, /"stack"/);
	});

	test("partitions that are added are consumed from their first message, also by a trigger that starts at the latest", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const functions = [await NotedFunction.start(t)];
		await Promise.all([1, 2].map(() => tools.consumer(t, topic, functions, { TRIGGER_START: "latest" }).ready()));
		await tools.addPartitions(topic, 1, 4);
		await tools.send(
			topic,
			[1, 2, 3].map((partition) => ({ partition, value: Buffer.from(`p${partition}`) })),
		);
		const [fn] = functions as [NotedFunction];
		await until("calls of all new partitions", () => fn.executions().size === 3);
		assert.deepEqual(ids(fn).toSorted(), ["p1", "p2", "p3"]);
	});

	test("a message that comes while the consumer is away is not skipped, though no position was stored by a message", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		const env = { ...LEAST, TRIGGER_START: "latest" };
		await tools.produce(topic, ["before"]);
		const first = await tools.consumer(t, topic, [fn], env).ready();
		await first.stop();
		await tools.produce(topic, ["meanwhile"]);
		await tools.consumer(t, topic, [fn], env).ready();
		await until("the call", () => fn.calls.length > 0);
		assert.deepEqual(ids(fn), ["meanwhile"]);
	});

	test("a stored position whose messages were deleted moves to the first that is there", async (t) => {
		const topic = await tools.newTopic(undefined, 1);
		const fn = await NotedFunction.start(t);
		const env = { ...LEAST, TRIGGER_START: "latest" };
		const first = await tools.consumer(t, topic, [fn], env).ready();
		await tools.produce(topic, ["a"]);
		await until("a call", () => fn.calls.length === 1);
		assert.equal(await first.stop(), 0);
		await tools.produce(topic, ["b", "c", "d", "e"]);
		await tools.admin((admin) => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 3n }] }] }));
		const process = tools.consumer(t, topic, [fn], env);
		await until("calls of what is there", () => ids(fn).includes("e"));
		assert.deepEqual(ids(fn), ["a", "d", "e"]);
		assert.match(process.output, /"from":"1","to":"3".*messages were deleted before they were fetched/);
	});

	test("a rebalance during a slow call neither repeats it nor stops other partitions, at most once", async (t) => {
		const topic = await tools.newTopic(undefined, 3);
		const fn = await NotedFunction.start(t);
		let finish = (): void => {};
		fn.answer = ({ id }, response) => {
			if (id !== "slow") return void response.end();
			return new Promise<void>((resolve) => {
				finish = () => {
					response.end();
					resolve();
				};
			});
		};
		await tools.consumer(t, topic, [fn]).ready();
		await tools.send(topic, [{ partition: 0, value: Buffer.from("slow") }]);
		await until("the slow call", () => fn.calls.length === 1);
		await tools.consumer(t, topic, [fn]).ready();
		const others = Array.from({ length: 20 }, (_, index) => ({ partition: 1 + (index % 2), value: Buffer.from(`m${index}`) }));
		await tools.send(topic, [...others, { partition: 0, value: Buffer.from("behind") }]);
		await until("calls of the other partitions", () => ids(fn).filter((id) => id.startsWith("m")).length === 20);
		finish();
		await until("the message behind the slow one", () => ids(fn).includes("behind"));
		assert.deepEqual(new Set(fn.executions().values()), new Set([1]));
	});

	test("a group with members that assign partitions otherwise is joined when they are gone", async (t) => {
		const topic = await tools.newTopic();
		const fn = await NotedFunction.start(t);
		const foreign = new Consumer({ clientId: "foreign", groupId: `group-${topic}-0`, bootstrapBrokers: [brokers] });
		foreign.topics.track(topic);
		await foreign.joinGroup({ protocols: [{ name: "range", version: 1 }] });
		const process = tools.consumer(t, topic, [fn]);
		const line = /consumer group \\"group-\w+-0\\" has members of another kind, which assign partitions differently\. Stop them\./;
		await until("the line", () => line.test(process.output));
		assert.equal(await process.readiness(), 503);
		await foreign.close(true);
		await process.ready();
		await tools.produce(topic, ["a", "b", "c", "d"]);
		await until("all calls", () => fn.executions().size === 4);
		assert.equal(fn.calls.length, 4);
	});
});
