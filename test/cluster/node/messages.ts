// Functions that brokers and schedules call. The brokers are processes of this machine, and pods
// reach them at the node's address.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { Admin, Consumer } from "@platformatic/kafka";
import { startKafka } from "../../brokers/kafka.ts";
import { startNats } from "../../brokers/nats.ts";
import { poll } from "../../support/poll.ts";
import { eventually, gone, kubectl, list, namespace, trigger } from "../support.ts";
import type { Context } from "./context.ts";
import { relay } from "./services.ts";

/** Its answer is a CloudEvent, which a trigger with a reply topic publishes. */
const ECHO = `exports.handler = (event) => {
	const { response } = event.extensions;
	for (const [name, value] of Object.entries({ id: "1", source: "/hello", type: "answer", specversion: "1.0" }))
		response.set("ce-" + name, value);
	return "answer to " + event.data;
};
`;

export function testMessages({ address, folder, nodejs, done }: Context): void {
	const deployEcho = (ns: string): Promise<string> => {
		const file = join(folder, "echo.js");
		writeFileSync(file, ECHO);
		return done("function", "deploy", "hello", "-f", file, "-r", nodejs, "-n", ns);
	};

	test("gets its messages from a NATSTrigger, whose replies go out again, and its schedule from a CronJobTrigger", async (t) => {
		const ns = await namespace(t);
		const broker = await startNats(t);
		const outside = relay(address, 0, () => [{ host: "127.0.0.1", port: broker.port }]);
		t.after(() => void outside.close());
		await deployEcho(ns);
		await poll(
			() => (outside.listening ? true : undefined),
			() => "the relay does not listen",
		);
		const { port } = outside.address() as { port: number };
		const spec = { topic: "in", servers: `nats://${address}:${port}`, delivery: { reply: "out" } };
		await kubectl(
			["apply", "-f", "-"],
			JSON.stringify(trigger("NATSTrigger", ns, "feed", { ...spec, functionSelector: { matchLabels: { function: "hello" } } })),
		);
		await eventually("Deployment", ns, "feed-nats", ({ status }) => (status as { readyReplicas?: number }).readyReplicas === 1);
		const nats = await connect({ servers: `127.0.0.1:${broker.port}` });
		t.after(() => nats.close());
		const replies = nats.subscribe("out", { max: 1 });
		nats.publish("in", "message");
		for await (const reply of replies) assert.equal(reply.string(), "answer to message");

		const schedule = { "function-name": "hello", schedule: "0 0 1 1 *", payload: { from: "cron's" } };
		await kubectl(["apply", "-f", "-"], JSON.stringify(trigger("CronJobTrigger", ns, "nightly", schedule)));
		const [job] = await poll(
			async () => {
				const jobs = await list("CronJob", ns);
				return jobs.length > 0 ? jobs : undefined;
			},
			() => "there is no CronJob",
		);
		await kubectl(["create", "job", "now", "-n", ns, `--from=cronjob/${job?.metadata.name}`]);
		await eventually("Job", ns, "now", ({ status }) => (status as { succeeded?: number } | undefined)?.succeeded === 1);
		assert.match(await done("function", "logs", "hello", "-n", ns), /"POST \/ HTTP\/1\.1" 200/);
	});

	test("gets the messages of a Kafka topic that kubeless publishes, its answers go to another topic, and the trigger is scaled and deleted", async (t) => {
		const ns = await namespace(t);
		const broker = await startKafka(t, address);
		const servers = `${address}:${broker.port}`;
		const admin = new Admin({ clientId: "test", bootstrapBrokers: [servers] });
		await admin.createTopics({ topics: ["in", "out"], partitions: 1, replicas: 1 });
		await admin.close();
		await deployEcho(ns);
		await done(
			...["trigger", "kafka", "create", "feed", "--trigger-topic", "in", "--function-selector", "function=hello", "-n", ns],
			...["--servers", servers, "--delivery", "at-least-once", "--start", "earliest", "--reply", "out"],
		);
		await done("kafka", "publish", "--brokers", servers, "--topic", "in", "--key", "7", "--message", "message");
		const consumer = new Consumer({ clientId: "test", groupId: "test", bootstrapBrokers: [servers] });
		t.after(() => consumer.close(true));
		const stream = await consumer.consume({ topics: ["out"], mode: "earliest", autocommit: false });
		for await (const { value } of stream) {
			assert.equal(String(value), "answer to message");
			break;
		}
		await poll(
			async () => /^feed .*=hello +READY$/m.test(await done("trigger", "kafka", "list", "-n", ns)) || undefined,
			() => "the trigger does not get ready",
		);
		await done("trigger", "kafka", "update", "feed", "--replicas", "2", "-n", ns);
		await eventually("Deployment", ns, "feed-kafka", ({ status }) => (status as { readyReplicas?: number }).readyReplicas === 2);
		await done("trigger", "kafka", "delete", "feed", "-n", ns);
		await gone("Deployment", ns, "feed-kafka");
	});
}
