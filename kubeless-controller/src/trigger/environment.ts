// The environment of the program `kubeless-trigger`: the variables of a message trigger's
// Deployment. TRIGGER-ENVIRONMENT.md describes each variable; a test compares the two.
import { servicePorts } from "../api/function.ts";
import { serviceUrl } from "../api/names.ts";
import type { Delivery, EnvVar, KubelessFunction, MessageTriggerSpec, ObjectMeta, Resource } from "../api/types.ts";
import type { World } from "./world.ts";

/** The systems that messages come from, each with its defaults. */
export const SOURCES = {
	kafka: { kind: "KafkaTrigger", servers: "KAFKA_BROKERS", eventNamespace: "kafkatriggers.kubeless.io" },
	nats: { kind: "NATSTrigger", servers: "NATS_URL", eventNamespace: "natstriggers.kubeless.io" },
} as const;

export type Source = keyof typeof SOURCES;

/** One function that gets every message. */
export interface Target {
	readonly function: string;
	readonly url: string;
	/**
	 * Consumer group (Kafka) or queue group (NATS): the name that Kubeless 1.0 uses, so that a group's
	 * offsets stay.
	 */
	readonly group: string;
	/** The function's timeout, in s: a call's limit. */
	readonly timeout: number;
}

export const DELIVERY_DEFAULTS: Required<Delivery> = {
	mode: "at-most-once",
	maxAttempts: 5,
	maxBackoffSeconds: 60,
	deadLetter: "",
	reply: "",
	concurrency: 1,
	start: "latest",
};

/** The consumer group (Kafka) or queue group (NATS) of a trigger's function. */
export const groupOf = (trigger: ObjectMeta, fn: string, topic: string): string => `${trigger.namespace}_${trigger.name}_${fn}_${topic}`;

export function triggerEnvironment(
	source: Source,
	{ spec, metadata }: Resource<MessageTriggerSpec>,
	functions: readonly KubelessFunction[],
	{ config }: World,
): EnvVar[] {
	const { servers, eventNamespace } = SOURCES[source];
	const given = Object.fromEntries(Object.entries(spec.delivery ?? {}).filter(([, value]) => value !== null && value !== undefined));
	const delivery = { ...DELIVERY_DEFAULTS, ...given };
	const targets = functions.map(({ metadata: { name, namespace }, spec: fn }): Target => {
		const url = serviceUrl(name, namespace, servicePorts(fn)[0].port, config.clusterDomain);
		return { function: name, url, group: groupOf(metadata, name, spec.topic), timeout: Number(fn.timeout) || 180 };
	});
	const variables = {
		[servers]: spec.servers || (source === "kafka" ? config.kafkaBrokers : config.natsUrl),
		TRIGGER_NAME: metadata.name,
		TRIGGER_NAMESPACE: metadata.namespace,
		TRIGGER_TOPIC: spec.topic,
		TRIGGER_EVENT_NAMESPACE: eventNamespace,
		TRIGGER_TARGETS: JSON.stringify(targets),
		TRIGGER_DELIVERY: delivery.mode,
		TRIGGER_MAX_ATTEMPTS: String(delivery.maxAttempts),
		TRIGGER_MAX_BACKOFF_SECONDS: String(delivery.maxBackoffSeconds),
		TRIGGER_DEAD_LETTER: delivery.deadLetter,
		TRIGGER_REPLY: delivery.reply,
		TRIGGER_CONCURRENCY: String(delivery.concurrency),
		TRIGGER_START: delivery.start,
		TRIGGER_PORT: String(TRIGGER_PORT),
	};
	// Kubernetes expands $(NAME) in a variable's value, and reads $$ as $: topics and NATS subjects
	// may have a dollar sign.
	return Object.entries(variables).map(([name, value]) => ({ name, value: value.replaceAll("$", "$$$$") }));
}

/** Where the consumer serves /healthz, /readyz and /metrics. */
export const TRIGGER_PORT = 8080;
