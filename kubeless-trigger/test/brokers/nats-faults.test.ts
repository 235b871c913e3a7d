import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, headers as natsHeaders } from "@nats-io/transport-node";
import { startNats } from "../../../test/brokers/nats.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";
import { ConsumerProcess } from "./consumer.ts";
import { NotedFunction } from "./functions.ts";
import { until } from "./kafka-tools.ts";

describe("kubeless-trigger nats, when something is wrong", { concurrency: 2 }, () => {
	const owner = suiteOwner();
	let servers: string;
	let nats: NatsConnection;
	let manager: JetStreamManager;
	before(async () => {
		servers = `nats://127.0.0.1:${(await startNats(owner)).port}`;
		nats = await connect({ servers });
		manager = await jetstreamManager(nats);
		owner.after(() => nats.close());
	});
	const ids = (fn: NotedFunction): string[] => fn.calls.map(({ id }) => id);
	const stream = (name: string) => manager.streams.add({ name, subjects: [name] });

	function consumer(t: Owner, subject: string, fn: NotedFunction, env: Record<string, string> = {}): ConsumerProcess {
		const targets = JSON.stringify([{ function: "f", url: fn.url, group: `group-${subject}`, timeout: 30 }]);
		return new ConsumerProcess(t, "nats", { NATS_URL: servers, TRIGGER_TOPIC: subject, TRIGGER_TARGETS: targets, ...env });
	}

	for (const mode of ["at-most-once", "at-least-once"]) {
		test(`a consumer of JetStream that is deleted is made again behind the latest message, ${mode}`, async (t) => {
			const name = `deleted-${mode}`;
			await stream(name);
			const fn = await NotedFunction.start(t);
			const process = await consumer(t, name, fn, { TRIGGER_DELIVERY: mode, TRIGGER_START: "earliest" }).ready();
			for (const id of ["a", "b"]) nats.publish(name, id);
			await until("two calls", () => fn.calls.length === 2);
			await manager.consumers.delete(name, `group-${name}`);
			for (const id of ["c", "d"]) nats.publish(name, id);
			await until("the next calls", () => ids(fn).includes("d") && ids(fn).includes("c"));
			assert.deepEqual(ids(fn).sort(), ["a", "b", "c", "d"], process.output);
		});
	}

	test("a stream that is deleted and made again is consumed from its first message", async (t) => {
		await stream("again");
		const fn = await NotedFunction.start(t);
		const process = await consumer(t, "again", fn, { TRIGGER_DELIVERY: "at-least-once" }).ready();
		for (const id of ["a", "b", "c"]) nats.publish("again", id);
		await until("three calls", () => fn.calls.length === 3);
		await manager.streams.delete("again");
		await until("the line", () => /the JetStream stream does not exist\. Create it/.test(process.output));
		await stream("again");
		nats.publish("again", "d");
		await until("the call", () => ids(fn).includes("d"));
		assert.deepEqual(ids(fn).sort(), ["a", "b", "c", "d"]);
		assert.doesNotMatch(process.output, /"stack"/);
	});

	test("odd headers and ids of messages reach the function", async (t) => {
		const fn = await NotedFunction.start(t);
		await consumer(t, "odd", fn).ready();
		const passed = natsHeaders();
		passed.set("Nats-Msg-Id", "order 7 č");
		passed.set("x(y)", "1");
		passed.append("many", "1");
		passed.append("many", "2");
		nats.publish("odd", "m", { headers: passed });
		nats.publish("odd");
		await until("two calls", () => fn.calls.length === 2);
		const { headers } = fn.calls.find(({ id }) => id === "m") ?? { headers: {} as Record<string, string> };
		assert.deepEqual([headers["event-id"], headers["many"]], ["order%207%20%C4%8D", "1, 2"]);
	});

	test("a dead letter that is too large for the server is published without its content", async (t) => {
		await stream("large");
		const fn = await NotedFunction.start(t);
		fn.answer = ({ id }, response) => void response.writeHead(id === "next" ? 200 : 500).end();
		const letters: (string | undefined)[] = [];
		nats.subscribe("dead", { callback: (_error, { headers }) => void letters.push(headers?.get("kubeless-left-out")) });
		const env = { TRIGGER_DELIVERY: "at-least-once", TRIGGER_MAX_ATTEMPTS: "1", TRIGGER_DEAD_LETTER: "dead", TRIGGER_CONCURRENCY: "1" };
		await consumer(t, "large", fn, env).ready();
		// The server's limit, which the letter's further headers exceed.
		nats.publish("large", Buffer.alloc(nats.info?.max_payload ?? 0, "x"));
		nats.publish("large", "next");
		await until("the next message", () => ids(fn).includes("next"));
		await until("the letter", () => letters.length === 1);
		assert.equal(letters[0], `${nats.info?.max_payload} bytes, 0 headers`);
	});
});
