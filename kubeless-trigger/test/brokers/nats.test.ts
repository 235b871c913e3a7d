import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, headers as natsHeaders } from "@nats-io/transport-node";
import { startNats } from "../../../test/brokers/nats.ts";
import type { BrokerProcess } from "../../../test/brokers/process.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { ConsumerProcess } from "./consumer.ts";
import { NotedFunction } from "./functions.ts";

describe("kubeless-trigger nats", () => {
	const owner = suiteOwner();
	let broker: BrokerProcess;
	let nats: NatsConnection;
	before(async () => {
		broker = await startNats(owner);
		nats = await connect({ servers: url(), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
		owner.after(() => nats.close());
	});
	const url = (): string => `nats://127.0.0.1:${broker.port}`;

	function consumer(t: Owner, subject: string, functions: readonly NotedFunction[], env: Record<string, string> = {}): ConsumerProcess {
		const targets = functions.map((fn, index) => ({ function: `f${index}`, url: fn.url, group: `group-${subject}-${index}`, timeout: 30 }));
		return new ConsumerProcess(t, "nats", { NATS_URL: url(), TRIGGER_TOPIC: subject, TRIGGER_TARGETS: JSON.stringify(targets), ...env });
	}
	async function stream(name: string, subject: string): Promise<void> {
		await (await jetstreamManager(nats)).streams.add({ name, subjects: [subject] });
	}
	const until = (what: string, fits: () => boolean): Promise<true> =>
		poll(
			() => fits() || undefined,
			() => what,
			300_000,
		);
	const ids = (fn: NotedFunction): string[] => fn.calls.map(({ id }) => id);

	test("core NATS: each function gets every message once, also with two consumers of one trigger", async (t) => {
		const functions = [await NotedFunction.start(t), await NotedFunction.start(t)];
		await Promise.all([consumer(t, "orders.*", functions).ready(), consumer(t, "orders.*", functions).ready()]);
		const passed = natsHeaders();
		passed.set("X-Mine", "yes");
		for (let index = 0; index < 100; index++) nats.publish("orders.new", `m${index}`, { headers: passed });
		await until("all calls", () => functions.every(({ calls }) => calls.length >= 100));
		for (const fn of functions) {
			assert.equal(fn.executions().size, 100);
			assert.equal(fn.calls.length, 100);
			const [call] = fn.calls;
			assert.equal(call?.headers["event-namespace"], "natstriggers.kubeless.io");
			assert.equal(call?.headers["event-topic"], "orders.new");
			assert.equal(call?.headers["x-mine"], "yes");
		}
	});

	test("core NATS cannot deliver at least once: the consumer exits and says what to do", async (t) => {
		const fn = await NotedFunction.start(t);
		const process = consumer(t, "nowhere", [fn], { TRIGGER_DELIVERY: "at-least-once" });
		await until("its end", () => process.child.exitCode !== null);
		assert.equal(process.child.exitCode, 1);
		assert.match(process.output, /No JetStream stream has the subject "nowhere".*Create a stream, or deliver at most once\./);
	});

	test("JetStream, at least once: failures are tried again, then become dead letters", async (t) => {
		await stream("jobs", "jobs");
		const letters: { text: string; reason: string | undefined }[] = [];
		nats.subscribe("dead", {
			callback: (_error, message) => void letters.push({ text: message.string(), reason: message.headers?.get("kubeless-reason") }),
		});
		const fn = await NotedFunction.start(t);
		let failures = 0;
		fn.answer = ({ id }, response) => void response.writeHead(id === "bad" || (id === "shaky" && failures++ < 2) ? 500 : 200).end();
		const env = { TRIGGER_DELIVERY: "at-least-once", TRIGGER_MAX_ATTEMPTS: "3", TRIGGER_DEAD_LETTER: "dead", TRIGGER_START: "earliest" };
		await consumer(t, "jobs", [fn], env).ready();
		for (const body of ["good", "shaky", "bad"]) nats.publish("jobs", body);
		await until("a dead letter", () => letters.length === 1);
		assert.deepEqual(letters, [{ text: "bad", reason: "status 500" }]);
		await until("all attempts", () => fn.calls.length === 7);
		assert.deepEqual(Object.fromEntries(fn.executions()), { good: 1, shaky: 3, bad: 3 });
	});

	test("JetStream, at most once: a message is acknowledged before its call, so a killed consumer does not repeat it", async (t) => {
		await stream("once", "once");
		const fn = await NotedFunction.start(t);
		const held: (() => void)[] = [];
		fn.answer = (_call, response) => void held.push(() => response.end());
		const first = await consumer(t, "once", [fn], { TRIGGER_START: "earliest", TRIGGER_CONCURRENCY: "1" }).ready();
		nats.publish("once", "one");
		await until("the call", () => fn.calls.length === 1);
		await first.kill();
		fn.answer = (_call, response) => void response.end();
		await consumer(t, "once", [fn], { TRIGGER_START: "earliest" }).ready();
		nats.publish("once", "two");
		await until("the next message", () => ids(fn).includes("two"));
		assert.deepEqual(ids(fn), ["one", "two"]);
	});

	test("JetStream, at least once: a consumer that is killed during a call leaves the message to the next one", async (t) => {
		await stream("kept", "kept");
		const fn = await NotedFunction.start(t);
		fn.answer = () => new Promise(() => {});
		const env = { TRIGGER_DELIVERY: "at-least-once", TRIGGER_START: "earliest" };
		const first = await consumer(t, "kept", [fn], env).ready();
		nats.publish("kept", "one");
		await until("the call", () => fn.calls.length === 1);
		await first.kill();
		fn.answer = (_call, response) => void response.end();
		await consumer(t, "kept", [fn], env).ready();
		await until("the call again", () => fn.calls.length === 2);
		assert.deepEqual(ids(fn), ["one", "one"]);
	});

	test("an answer that is an event is published to the reply subject", async (t) => {
		const answers: string[] = [];
		nats.subscribe("answers", {
			callback: (_error, message) => void answers.push(`${message.headers?.get("ce-type")} ${message.string()}`),
		});
		const fn = await NotedFunction.start(t);
		fn.answer = (_call, response) =>
			void response.writeHead(200, { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/f", "ce-type": "done" }).end("42");
		await consumer(t, "questions", [fn], { TRIGGER_REPLY: "answers" }).ready();
		nats.publish("questions", "?");
		await until("the answer", () => answers.length === 1);
		assert.deepEqual(answers, ["done 42"]);
	});

	test("the server is killed and started again: consuming goes on", async (t) => {
		const fn = await NotedFunction.start(t);
		const process = await consumer(t, "again", [fn]).ready();
		await broker.kill();
		await broker.start();
		await process.ready();
		await until("a call after", () => {
			nats.publish("again", "after");
			return fn.calls.length > 0;
		});
	});
});
