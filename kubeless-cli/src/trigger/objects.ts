// Flags become trigger objects. Pure.
import { CREATED_BY } from "../../../kubeless-controller/src/api/names.ts";
import {
	API_VERSION,
	type CronJobTriggerSpec,
	type Delivery,
	type HTTPTriggerSpec,
	type KubeObject,
	type MessageTriggerSpec,
} from "../../../kubeless-controller/src/api/types.ts";
import { UsageError } from "../errors.ts";
import { merged } from "../values.ts";
import { scheduleFault } from "./schedule.ts";

export interface Identity {
	readonly name: string;
	readonly namespace: string;
}

type TriggerObject<Spec> = KubeObject & { spec: Spec };

const trigger = <Spec>(kind: string, { name, namespace }: Identity, spec: Spec): TriggerObject<Spec> => ({
	apiVersion: API_VERSION,
	kind,
	metadata: { name, namespace, labels: { ...CREATED_BY } },
	spec,
});

/** Returns the fields that have a value. */
const given = <T extends object>(fields: T): Partial<T> =>
	Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

function required<T>(value: T | undefined, option: string, example: string): T {
	if (value === undefined || value === "") throw new UsageError(`${option} is missing. Give ${option} ${example}.`);
	return value;
}

/** What a route of the API server takes as its host. */
const HOST = /^(?:\*\.)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

export interface HttpFlags {
	readonly functionName?: string;
	readonly path?: string;
	readonly hostname?: string;
	readonly gateway?: string;
	readonly enableTLSAcme?: boolean;
	readonly tlsSecret?: string;
	readonly basicAuthSecret?: string;
	readonly corsEnable?: boolean;
}

export function httpTrigger(identity: Identity, flags: HttpFlags, before: Partial<HTTPTriggerSpec> = {}): TriggerObject<HTTPTriggerSpec> {
	if (flags.enableTLSAcme && flags.tlsSecret) throw new UsageError("Give either --enableTLSAcme or --tls-secret, not both.");
	if (flags.hostname !== undefined && !HOST.test(flags.hostname))
		throw new UsageError(`--hostname ${flags.hostname} is not the name of a host. Give one such as hello.example.com or *.example.com.`);
	const { tls, "tls-secret": tlsSecret, ...rest } = before;
	return trigger("HTTPTrigger", identity, {
		...rest,
		// One kind of certificate takes the place of the other.
		...(tls !== undefined && !flags.tlsSecret && { tls }),
		...(tlsSecret !== undefined && !flags.enableTLSAcme && { "tls-secret": tlsSecret }),
		...given({
			"host-name": flags.hostname,
			path: flags.path?.replace(/^\/+/, ""),
			gateway: flags.gateway,
			tls: flags.enableTLSAcme,
			"tls-secret": flags.tlsSecret,
			"basic-auth-secret": flags.basicAuthSecret,
			"cors-enable": flags.corsEnable,
		}),
		"function-name": required(flags.functionName ?? before["function-name"], "--function-name", "NAME"),
	} as HTTPTriggerSpec);
}

export interface CronFlags {
	readonly function?: string;
	readonly schedule?: string;
	/** Text of a JSON value. */
	readonly payload?: string;
	readonly timeZone?: string;
	readonly concurrencyPolicy?: CronJobTriggerSpec["concurrencyPolicy"];
}

export function cronJobTrigger(
	identity: Identity,
	flags: CronFlags,
	before: Partial<CronJobTriggerSpec> = {},
): TriggerObject<CronJobTriggerSpec> {
	const schedule = required(flags.schedule ?? before.schedule, "--schedule", '"*/5 * * * *"').trim();
	const fault = scheduleFault(schedule);
	if (fault)
		throw new UsageError(`--schedule "${schedule}" ${fault}. Give MINUTE HOUR DAY MONTH WEEKDAY, such as "*/5 * * * *", or @hourly.`);
	assertTimeZone(flags.timeZone);
	return trigger("CronJobTrigger", identity, {
		...before,
		...given({ payload: parsePayload(flags.payload), timeZone: flags.timeZone, concurrencyPolicy: flags.concurrencyPolicy }),
		"function-name": required(flags.function ?? before["function-name"], "--function", "NAME"),
		schedule,
	} as CronJobTriggerSpec);
}

/** The API server takes the names of the time zone database, and no offsets such as +01:00. */
function assertTimeZone(timeZone: string | undefined): void {
	if (timeZone === undefined) return;
	try {
		if (/^[A-Za-z]/.test(timeZone)) return void new Intl.DateTimeFormat("en", { timeZone });
	} catch {
		// unknown
	}
	throw new UsageError(`--time-zone ${timeZone} is not a time zone. Give a name such as Europe/Berlin.`);
}

function parsePayload(text: string | undefined): unknown {
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text);
	} catch {
		throw new UsageError(`The payload is not JSON: ${text.slice(0, 60)}. Give a JSON value, such as --payload '{"a": 1}'.`);
	}
}

export interface MessageFlags {
	readonly triggerTopic?: string;
	readonly functionSelector?: string;
	readonly servers?: string;
	readonly secret?: string;
	readonly replicas?: string;
	readonly delivery?: Delivery["mode"];
	readonly maxAttempts?: string;
	readonly maxBackoff?: string;
	readonly deadLetter?: string;
	readonly reply?: string;
	readonly concurrency?: string;
	readonly start?: Delivery["start"];
}

export function messageTrigger(
	kind: "KafkaTrigger" | "NATSTrigger",
	identity: Identity,
	flags: MessageFlags,
	before: Partial<MessageTriggerSpec> = {},
): TriggerObject<MessageTriggerSpec> {
	const selector = flags.functionSelector;
	if (selector === undefined && !before.functionSelector)
		throw new UsageError("--function-selector is missing. Give labels of the functions, such as --function-selector function=hello.");
	assertSource(kind, flags);
	const delivery = given({
		mode: flags.delivery,
		maxAttempts: whole("--max-attempts", flags.maxAttempts, 1),
		maxBackoffSeconds: whole("--max-backoff", flags.maxBackoff, 1),
		deadLetter: flags.deadLetter,
		reply: flags.reply,
		concurrency: whole("--concurrency", flags.concurrency, 1),
		start: flags.start,
	});
	return trigger(kind, identity, {
		...before,
		topic: required(flags.triggerTopic ?? before.topic, "--trigger-topic", "NAME"),
		...(selector !== undefined && { functionSelector: { matchLabels: merged({}, [selector], "--function-selector") } }),
		...given({ servers: flags.servers, secret: flags.secret, replicas: whole("--replicas", flags.replicas, 0) }),
		...(Object.keys(delivery).length > 0 && { delivery: { ...before.delivery, ...delivery } }),
	} as MessageTriggerSpec);
}

/** Topics, subjects and servers that cannot exist: the consumer would wait for them for ever. */
function assertSource(
	kind: "KafkaTrigger" | "NATSTrigger",
	{ triggerTopic = "t", servers, deadLetter = "t", reply = "t" }: MessageFlags,
): void {
	const kafka = kind === "KafkaTrigger";
	const good = kafka ? /^[-._a-zA-Z0-9]{1,249}$/ : /^[^\s]+$/;
	const options = { "--trigger-topic": triggerTopic, "--dead-letter": deadLetter, "--reply": reply };
	for (const [option, name] of Object.entries(options)) {
		if (name !== "" && !good.test(name))
			throw new UsageError(`${option} "${name}" is not the name of a ${kafka ? "topic" : "subject"}. Give one such as orders.`);
	}
	if (!kafka || !servers) return;
	const wrong = servers.split(",").find((server) => !/^[^\s/]+:\d+$/.test(server.trim()));
	if (wrong !== undefined) throw new UsageError(`--servers: "${wrong}" is not HOST:PORT. Give one such as kafka.example:9092.`);
}

export function whole(option: string, text: string | undefined, min: number): number | undefined {
	if (text === undefined) return undefined;
	if (/^\d+$/.test(text) && Number(text) >= min) return Number(text);
	throw new UsageError(`${option} ${text} is not a whole number from ${min} on.`);
}
