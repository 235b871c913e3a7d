// The settings of a consumer: its environment, read once. The README describes each variable; a
// test compares the two.

/** A function that gets every message. */
export interface Target {
	readonly function: string;
	readonly url: string;
	/** Kafka consumer group or NATS queue group. */
	readonly group: string;
	/** The function's time limit, in s. */
	readonly timeout: number;
}

export type Mode = "at-most-once" | "at-least-once";

export interface Settings {
	readonly name: string;
	readonly namespace: string;
	/** Kafka topic or NATS subject. */
	readonly topic: string;
	readonly eventNamespace: string;
	readonly targets: readonly Target[];
	readonly mode: Mode;
	/** Attempts per message, at least once only. */
	readonly maxAttempts: number;
	readonly maxBackoffMs: number;
	/**
	 * Topic or subject for messages that failed maxAttempts times; empty: they are logged and dropped.
	 */
	readonly deadLetter: string;
	/** Topic or subject for answers that are events; empty: answers are discarded. */
	readonly reply: string;
	/** Calls at once per function. */
	readonly concurrency: number;
	/** Where a group without a stored position begins. */
	readonly start: "latest" | "earliest";
	/** Port of /healthz, /readyz and /metrics. */
	readonly port: number;
	readonly logLevel: string;
}

/** A mistake in the environment: `message` is one sentence with the cure. */
export class SettingsError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {SettingsError} if a variable is missing or has a wrong value */
export function readSettings(source: "kafka" | "nats", env: Environment): Settings {
	const text = (name: string, fallback?: string): string => {
		const value = env[name] || fallback;
		if (value === undefined) throw new SettingsError(`${name} is missing. Set it.`);
		return value;
	};
	const number = (name: string, fallback: number, min: number, max: number): number => {
		const value = Number(text(name, String(fallback)));
		if (Number.isInteger(value) && value >= min && value <= max) return value;
		throw new SettingsError(`${name} is "${env[name]}". Give a whole number from ${min} to ${max}.`);
	};
	const oneOf = <T extends string>(name: string, values: readonly [T, ...T[]]): T => {
		const value = text(name, values[0]);
		const found = values.find((one) => one === value);
		if (found !== undefined) return found;
		throw new SettingsError(`${name} is "${value}". Give one of ${values.join(", ")}.`);
	};
	const settings: Settings = {
		name: text("TRIGGER_NAME", "local"),
		namespace: text("TRIGGER_NAMESPACE", "default"),
		topic: text("TRIGGER_TOPIC"),
		eventNamespace: text("TRIGGER_EVENT_NAMESPACE", `${source}triggers.kubeless.io`),
		targets: readTargets(text("TRIGGER_TARGETS")),
		mode: oneOf("TRIGGER_DELIVERY", ["at-most-once", "at-least-once"]),
		maxAttempts: number("TRIGGER_MAX_ATTEMPTS", 5, 1, 1000),
		maxBackoffMs: number("TRIGGER_MAX_BACKOFF_SECONDS", 60, 1, 86_400) * 1000,
		deadLetter: text("TRIGGER_DEAD_LETTER", ""),
		reply: text("TRIGGER_REPLY", ""),
		concurrency: number("TRIGGER_CONCURRENCY", 10, 1, 10_000),
		start: oneOf("TRIGGER_START", ["latest", "earliest"]),
		port: number("TRIGGER_PORT", 8080, 0, 65_535),
		logLevel: env["TRIGGER_LOG_LEVEL"] || (env["KUBELESS_LOG_LEVEL"] === "DEBUG" ? "debug" : "info"),
	};
	if (settings.deadLetter === settings.topic) {
		throw new SettingsError("TRIGGER_DEAD_LETTER is the topic itself, so a failed message would come again for ever. Name another one.");
	}
	if (settings.reply === settings.topic) {
		throw new SettingsError("TRIGGER_REPLY is the topic itself, so each answer would call the function again. Name another one.");
	}
	return settings;
}

function readTargets(text: string): Target[] {
	const mistake = new SettingsError(
		'TRIGGER_TARGETS is not a list such as [{"function":"hello","url":"http://hello:8080","group":"hello","timeout":180}].',
	);
	let list: unknown;
	try {
		list = JSON.parse(text);
	} catch {
		throw mistake;
	}
	if (!Array.isArray(list) || list.length === 0) throw mistake;
	return list.map((item) => {
		const { function: name, url, group, timeout = 180 } = Object(item) as Record<string, unknown>;
		if (typeof name !== "string" || typeof url !== "string" || typeof group !== "string" || typeof timeout !== "number") throw mistake;
		if (!/^https?:\/\/./.test(url)) throw mistake;
		return { function: name, url, group, timeout };
	});
}
