// kubeless kafka publish and nats publish: one message, by the clients of kubeless-trigger. They
// are loaded when they are used.
import type { Command } from "commander";
import { CliError, networkFault } from "./errors.ts";
import { print } from "./output.ts";
import type { Shell } from "./session.ts";

interface Message {
	readonly topic: string;
	readonly message: string;
}

export function addPublish(program: Command, shell: Shell): void {
	program
		.command("kafka")
		.description("Kafka from here")
		.command("publish")
		.description("send one message to a topic")
		.requiredOption("--brokers <list>", "HOST:PORT, separated by commas")
		.requiredOption("--topic <name>", "topic")
		.requiredOption("--message <text>", "the message")
		.option("--key <text>", "key of the message")
		.action((flags: Message & { brokers: string; key?: string }) =>
			publish(shell, flags, flags.brokers, async () => {
				const [{ kafkaOptions }, { KafkaPublisher }] = await Promise.all([
					import("../../kubeless-trigger/src/kafka/options.ts"),
					import("../../kubeless-trigger/src/kafka/publisher.ts"),
				]);
				const publisher = new KafkaPublisher(kafkaOptions({ ...shell.env, KAFKA_BROKERS: flags.brokers }, "kubeless-cli"));
				const key = flags.key === undefined ? null : Buffer.from(flags.key);
				try {
					await publisher.publish({ topic: flags.topic, key, value: Buffer.from(flags.message), headers: [] });
				} finally {
					await publisher.close();
				}
			}),
		);
	program
		.command("nats")
		.description("NATS from here")
		.command("publish")
		.description("send one message to a subject")
		.requiredOption("--url <url>", "URLs of the servers, separated by commas")
		.requiredOption("--topic <subject>", "subject")
		.requiredOption("--message <text>", "the message")
		.action((flags: Message & { url: string }) =>
			publish(shell, flags, flags.url, async () => {
				const { publishToNats } = await import("./nats.ts");
				await publishToNats({ ...shell.env, NATS_URL: flags.url }, flags.topic, flags.message);
			}),
		);
}

async function publish(shell: Shell, { topic }: Message, servers: string, send: () => Promise<void>): Promise<void> {
	try {
		await send();
	} catch (error) {
		const why = networkFault(error) ?? (error as Error).message.split("\n", 1)[0];
		throw new CliError(`The message was not sent to ${servers}: ${why}. Check the address, and that the topic exists.`);
	}
	print(shell, `Message sent to ${topic}`);
}
