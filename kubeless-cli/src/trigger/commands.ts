// kubeless trigger http|cronjob|kafka|nats create|update|delete|list.
import { type Command, Option } from "commander";
import type {
	CronJobTriggerSpec,
	HTTPTriggerSpec,
	KubeObject,
	MessageTriggerSpec,
	Resource,
	Status,
} from "../../../kubeless-controller/src/api/types.ts";
import { removeAll } from "../function/show.ts";
import { type Column, note, print, printList, printObject } from "../output.ts";
import { dryRunnable, namespaced, printed, Session, type Shared, type Shell } from "../session.ts";
import { readPlace } from "../source.ts";
import {
	type CronFlags,
	cronJobTrigger,
	type HttpFlags,
	httpTrigger,
	type Identity,
	type MessageFlags,
	messageTrigger,
} from "./objects.ts";

type Trigger<Spec> = Resource<Spec>;

interface Group<Spec, Flags> {
	readonly word: string;
	readonly kind: string;
	readonly title: string;
	readonly options: (command: Command) => Command;
	readonly object: (identity: Identity, flags: Flags, before?: Partial<Spec>) => KubeObject;
	/** Reads the files that the flags name. */
	readonly prepare?: (flags: Flags, shell: Shell) => Promise<Flags>;
	/** The function that must be there; undefined: any number of functions may match. */
	readonly functionOf?: (spec: Spec) => string;
	readonly columns: readonly Column<Trigger<Spec>>[];
}

export function addTriggers(program: Command, shell: Shell): void {
	const triggers = program.command("trigger").description("what calls functions: HTTP routes, schedules, messages");
	addGroup(triggers, shell, HTTP);
	addGroup(triggers, shell, CRONJOB);
	addGroup(triggers, shell, messages("kafka", "KafkaTrigger", "Kafka topic", "brokers: HOST:PORT, separated by commas"));
	addGroup(triggers, shell, messages("nats", "NATSTrigger", "NATS subject", "URLs of the servers, separated by commas"));
}

function addGroup<Spec, Flags>(triggers: Command, shell: Shell, group: Group<Spec, Flags>): void {
	const { word, kind, title, object } = group;
	const commands = triggers.command(word).description(title);
	const prepared = async (flags: Flags): Promise<Flags> => (group.prepare ? await group.prepare(flags, shell) : flags);
	const assertFunction = async (session: Session, made: KubeObject): Promise<void> => {
		const name = group.functionOf?.(made.spec as Spec);
		if (name !== undefined) await session.get("Function", name);
	};

	group
		.options(dryRunnable(namespaced(commands.command("create <name>"))).description(`create a ${kind}`))
		.action(async (name: string, flags: Flags, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const session = new Session(shell, shared);
			const made = object({ name, namespace: session.namespace }, await prepared(flags));
			if (shared.dryRun) return printObject(shell, made, shared.output);
			await assertFunction(session, made);
			await session.create(made);
			print(shell, `${kind} ${name} created in namespace ${session.namespace}`);
		});
	group
		.options(dryRunnable(namespaced(commands.command("update <name>"))).description(`change a ${kind}; what no option names stays`))
		.action(async (name: string, flags: Flags, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const session = new Session(shell, shared);
			const read = await prepared(flags);
			const change = (found: Trigger<Spec>): Trigger<Spec> => ({
				...found,
				spec: object({ name, namespace: session.namespace }, read, found.spec).spec as Spec,
			});
			const made = change(await session.get<Trigger<Spec>>(kind, name));
			if (shared.dryRun) return printObject(shell, made, shared.output);
			await assertFunction(session, made);
			await session.update<Trigger<Spec>>(kind, name, change);
			print(shell, `${kind} ${name} updated in namespace ${session.namespace}`);
		});
	namespaced(commands.command("delete <names...>"))
		.description(`delete ${kind}s`)
		.action(async (names: string[], _, command: Command) => removeAll(new Session(shell, command.optsWithGlobals()), kind, names));
	printed(namespaced(commands.command("list").alias("ls")))
		.description(`list ${kind}s and their state`)
		.option("-A, --all-namespaces", "of all namespaces")
		.action(async (_, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const session = new Session(shell, shared);
			const found = await session.list<Trigger<Spec>>(kind);
			printList(shell, found, [...NAMES, ...group.columns, STATE], shared.output);
			if (found.length === 0) note(shell, `No ${kind} in ${session.namespace ? `namespace ${session.namespace}` : "any namespace"}.`);
		});
}

const NAMES: readonly Column<KubeObject>[] = [
	{ title: "NAME", of: ({ metadata }) => metadata.name },
	{ title: "NAMESPACE", of: ({ metadata }) => metadata.namespace },
];
const STATE: Column<KubeObject> = {
	title: "STATUS",
	of: ({ status }) => {
		const ready = (status as Status | undefined)?.conditions?.find(({ type }) => type === "Ready");
		if (!ready) return "MISSING: the controller has not looked at it";
		return ready.status === "True" ? "READY" : `NOT READY: ${ready.reason}`;
	},
};

const HTTP: Group<HTTPTriggerSpec, HttpFlags> = {
	word: "http",
	kind: "HTTPTrigger",
	title: "routes from outside the cluster",
	object: httpTrigger,
	functionOf: (spec) => spec["function-name"],
	options: (command) =>
		command
			.option("--function-name <name>", "function to call")
			.option("--path <path>", "path of the route")
			.option("--hostname <host>", "host of the route (default: every host)")
			.option("--gateway <gateway>", "NAMESPACE/NAME of a Gateway, or an Ingress class such as nginx, traefik or kong")
			.option("--enableTLSAcme", "a certificate by ACME")
			.option("--tls-secret <name>", "Secret with the certificate")
			.option("--basic-auth-secret <name>", "Secret with the users who may call")
			.option("--cors-enable", "answer CORS requests for every origin"),
	columns: [
		{ title: "FUNCTION", of: ({ spec }) => spec["function-name"] },
		{ title: "URL", of: ({ status }) => status?.url },
		{ title: "GATEWAY", of: ({ spec }) => spec.gateway, wide: true },
	],
};

const CRONJOB: Group<CronJobTriggerSpec, CronFlags & { payloadFromFile?: string }> = {
	word: "cronjob",
	kind: "CronJobTrigger",
	title: "calls by a schedule",
	object: cronJobTrigger,
	functionOf: (spec) => spec["function-name"],
	prepare: async ({ payloadFromFile, ...flags }, shell) =>
		payloadFromFile ? { ...flags, payload: (await readPlace(payloadFromFile, "--payload-from-file", shell)).toString("utf8") } : flags,
	options: (command) =>
		command
			.option("--function <name>", "function to call")
			.option("--schedule <cron>", "MINUTE HOUR DAY MONTH WEEKDAY, or @hourly and so on")
			.option("-p, --payload <json>", "body of the calls")
			.option("-f, --payload-from-file <file>", "file with the body of the calls")
			.option("--time-zone <zone>", "time zone of the schedule, such as Europe/Berlin")
			.addOption(
				new Option("--concurrency-policy <policy>", "what happens if the previous call still runs").choices(["Allow", "Forbid", "Replace"]),
			),
	columns: [
		{ title: "FUNCTION", of: ({ spec }) => spec["function-name"] },
		{ title: "SCHEDULE", of: ({ spec }) => spec.schedule },
		{ title: "TIME ZONE", of: ({ spec }) => spec.timeZone, wide: true },
	],
};

const messages = (
	word: string,
	kind: "KafkaTrigger" | "NATSTrigger",
	topic: string,
	servers: string,
): Group<MessageTriggerSpec, MessageFlags> => ({
	word,
	kind,
	title: `messages of a ${topic}`,
	object: (identity, flags, before) => messageTrigger(kind, identity, flags, before),
	options: (command) =>
		command
			.option("--trigger-topic <name>", topic)
			.option("--function-selector <labels>", "labels of the functions to call, such as function=hello")
			.option("--servers <list>", `${servers} (default: kubeless-config's)`)
			.option("--secret <name>", "Secret with user, password or certificates for the servers")
			.option("--replicas <number>", "consumers that share the messages")
			.addOption(new Option("--delivery <mode>", "how often a message is delivered").choices(["at-most-once", "at-least-once"]))
			.option("--max-attempts <number>", "calls for one message, at least once only")
			.option("--max-backoff <seconds>", "longest pause between two of them")
			.option("--dead-letter <name>", "topic or subject for messages whose calls all failed")
			.option("--reply <name>", "topic or subject for answers that are CloudEvents")
			.option("--concurrency <number>", "messages that one function gets at the same time")
			.addOption(new Option("--start <place>", "where a new consumer group starts").choices(["latest", "earliest"])),
	columns: [
		{ title: "TOPIC", of: ({ spec }) => spec.topic },
		{
			title: "FUNCTION SELECTOR",
			of: ({ spec }) =>
				Object.entries(spec.functionSelector?.matchLabels ?? {})
					.map((pair) => pair.join("="))
					.join(","),
		},
		{ title: "DELIVERY", of: ({ spec }) => spec.delivery?.mode ?? "at-most-once", wide: true },
	],
});
