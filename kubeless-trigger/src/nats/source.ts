import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, errors, type NatsConnection, headers as natsHeaders } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { backoffMs } from "../delivery.ts";
import { FailureLog } from "../failures.ts";
import { type Publication, UnpublishableError } from "../message.ts";
import type { Metrics } from "../metrics.ts";
import { type Settings, SettingsError } from "../settings.ts";
import type { Source } from "../source.ts";
import { natsCause } from "./causes.ts";
import { CoreSubscription } from "./core.ts";
import { JetStreamSubscription } from "./jetstream.ts";
import { natsOptions } from "./options.ts";

const MAX_BACKOFF_MS = 5_000;

interface Subscribed {
	readonly ready: boolean;
	close(): Promise<void>;
}

/** Consumes a NATS subject: from a JetStream stream if one has the subject, else by core NATS. */
export function natsSource(settings: Settings, env: NodeJS.ProcessEnv, metrics: Metrics, log: Logger): Source {
	const options = natsOptions(env, `kubeless-trigger-${settings.namespace}-${settings.name}`);
	const subscriptions: Subscribed[] = [];
	const failures = new FailureLog(log, natsCause);
	const closing = new AbortController();
	let connection: NatsConnection | undefined;
	let connected = false;

	/** Repeats a task until it succeeds; undefined if the source is closed first. */
	async function untilDone<T>(what: string, task: () => Promise<T>): Promise<T | undefined> {
		for (let waits = 0; !closing.signal.aborted; waits++) {
			try {
				return await task();
			} catch (error) {
				failures.warn(error as Error, `${what}, trying again`);
			}
			await sleep(backoffMs(waits, MAX_BACKOFF_MS), undefined, { signal: closing.signal }).catch(() => {});
		}
		return undefined;
	}

	async function follow(nats: NatsConnection): Promise<void> {
		for await (const status of nats.status()) {
			const { type } = status;
			if (type === "error") failures.warn(status.error, "NATS reports an error");
			if (type === "disconnect") connected = false;
			if (type === "reconnect") connected = true;
			if (type === "disconnect" || type === "reconnect") log.info(`NATS ${type}ed`);
		}
	}

	return {
		async publish({ topic, value, headers }: Publication) {
			if (!connection) throw new Error("there is no connection");
			try {
				const passed = natsHeaders();
				for (const [name, text] of headers) passed.append(name, String(text));
				connection.publish(topic, value, { headers: passed });
			} catch (error) {
				if (error instanceof errors.InvalidArgumentError) throw new UnpublishableError(error.message);
				throw error;
			}
			await connection.flush();
		},
		async run(deliveries) {
			const nats = await untilDone("NATS not connected", () => connect(options));
			if (!nats) return;
			connection = nats;
			connected = true;
			follow(nats);
			// null: core NATS.
			const stream = await untilDone("JetStream does not answer", () => streamOf(nats, settings.topic, env["NATS_STREAM"]));
			if (stream === undefined) return;
			if (stream === null) {
				if (settings.mode === "at-least-once") {
					throw new SettingsError(
						`No JetStream stream has the subject "${settings.topic}", and core NATS keeps no message. Create a stream, or deliver at most once.`,
					);
				}
				for (const delivery of deliveries) subscriptions.push(new CoreSubscription(nats, settings, delivery, metrics));
				await nats.closed();
				return;
			}
			log.info({ stream }, "consuming a JetStream stream");
			const consumers = deliveries.map(
				(delivery) => new JetStreamSubscription(settings, delivery, log.child({ function: delivery.target.function })),
			);
			subscriptions.push(...consumers);
			await Promise.all(consumers.map((consumer) => consumer.run(nats, stream)));
		},
		ready: () => connected && subscriptions.length > 0 && subscriptions.every((subscription) => subscription.ready),
		async close() {
			closing.abort();
			await Promise.all(subscriptions.map((subscription) => subscription.close()));
			await connection?.drain();
		},
	};
}

/**
 * The stream that has a subject: the one that is named, or the first that the server finds. Returns
 * null if there is no stream, no JetStream, or the account or user may not use it.
 */
async function streamOf(connection: NatsConnection, subject: string, named: string | undefined): Promise<string | null> {
	if (named) return named;
	if (!connection.info?.jetstream) return null;
	try {
		return await (await jetstreamManager(connection)).streams.find(subject);
	} catch (error) {
		const { name, message } = error as Error;
		if (/no stream matches|not enabled|PermissionViolation/i.test(`${name}: ${message}`)) return null;
		throw error;
	}
}
