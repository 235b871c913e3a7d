import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, headers as natsHeaders } from "@nats-io/transport-node";
import type { Logger } from "pino";
import type { Publication } from "../message.ts";
import type { Metrics } from "../metrics.ts";
import { type Settings, SettingsError } from "../settings.ts";
import type { Source } from "../source.ts";
import { CoreSubscription } from "./core.ts";
import { JetStreamSubscription } from "./jetstream.ts";
import { natsOptions } from "./options.ts";

interface Subscribed {
	readonly ready: boolean;
	close(): Promise<void>;
}

/** Consumes a NATS subject: from a JetStream stream if one has the subject, else by core NATS. */
export function natsSource(settings: Settings, env: NodeJS.ProcessEnv, metrics: Metrics, log: Logger): Source {
	const options = natsOptions(env, `kubeless-trigger-${settings.namespace}-${settings.name}`);
	const subscriptions: Subscribed[] = [];
	let connection: NatsConnection | undefined;
	let connected = false;

	async function follow(nats: NatsConnection): Promise<void> {
		for await (const { type } of nats.status()) {
			if (type === "disconnect") connected = false;
			if (type === "reconnect") connected = true;
			if (type === "disconnect" || type === "reconnect") log.info(`NATS ${type}ed`);
		}
	}

	return {
		async publish({ topic, value, headers }: Publication) {
			const passed = natsHeaders();
			for (const [name, text] of headers) passed.append(name, text);
			connection?.publish(topic, value, { headers: passed });
			await connection?.flush();
		},
		async run(deliveries) {
			connection = await connect(options);
			connected = true;
			follow(connection);
			const stream = await streamOf(connection, settings.topic, env["NATS_STREAM"]);
			if (stream === undefined) {
				if (settings.mode === "at-least-once") {
					throw new SettingsError(
						`No JetStream stream has the subject "${settings.topic}", and core NATS keeps no message. Create a stream, or deliver at most once.`,
					);
				}
				for (const delivery of deliveries) subscriptions.push(new CoreSubscription(connection, settings, delivery, metrics));
				await connection.closed();
				return;
			}
			log.info({ stream }, "consuming a JetStream stream");
			const consumers = deliveries.map(
				(delivery) => new JetStreamSubscription(settings, delivery, log.child({ function: delivery.target.function })),
			);
			subscriptions.push(...consumers);
			await Promise.all(consumers.map((consumer) => consumer.run(connection as NatsConnection, stream)));
		},
		ready: () => connected && subscriptions.length > 0 && subscriptions.every((subscription) => subscription.ready),
		async close() {
			await Promise.all(subscriptions.map((subscription) => subscription.close()));
			await connection?.drain();
		},
	};
}

/**
 * The stream that has a subject: the one that is named, or the first that the server finds. Returns
 * undefined without JetStream.
 */
async function streamOf(connection: NatsConnection, subject: string, named: string | undefined): Promise<string | undefined> {
	if (named) return named;
	if (!connection.info?.jetstream) return undefined;
	try {
		return await (await jetstreamManager(connection)).streams.find(subject);
	} catch {
		return undefined;
	}
}
