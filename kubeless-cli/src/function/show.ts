// kubeless function list, describe and delete.
import type { Command } from "commander";
import type { Container, KubelessFunction } from "../../../kubeless-controller/src/api/types.ts";
import { CliError, sentenceOf } from "../errors.ts";
import { age, type Column, note, paint, print, printList, printObject } from "../output.ts";
import { namespaced, printed, Session, type Shared, type Shell } from "../session.ts";
import { assertName } from "../values.ts";

export function addShow(group: Command, shell: Shell): void {
	printed(namespaced(group.command("list [names...]").alias("ls")))
		.description("list functions and their state")
		.option("-A, --all-namespaces", "of all namespaces")
		.action(async (names: string[], _, command: Command) => {
			const flags = command.optsWithGlobals<Shared>();
			const session = new Session(shell, flags);
			const functions = await (names.length > 0
				? Promise.all(names.map((name) => session.get<KubelessFunction>("Function", name)))
				: session.list<KubelessFunction>("Function"));
			printList(shell, functions, functionColumns(shell), flags.output);
			if (functions.length === 0) note(shell, `No function in ${session.namespace ? `namespace ${session.namespace}` : "any namespace"}.`);
		});
	printed(namespaced(group.command("describe <name>")), ["json", "yaml"])
		.description("show a function, and why it is or is not ready")
		.action(async (name: string, _, command: Command) => {
			const flags = command.optsWithGlobals<Shared>();
			const fn = await new Session(shell, flags).get<KubelessFunction>("Function", name);
			if (flags.output) printObject(shell, fn, flags.output);
			else print(shell, description(fn));
		});
	namespaced(group.command("delete <names...>"))
		.description("delete functions, and what the controller made of them")
		.action(async (names: string[], _, command: Command) => removeAll(new Session(shell, command.optsWithGlobals()), "Function", names));
}

/**
 * Deletes objects. Throws a UsageError before the first one if a name is none, and a CliError after
 * the last one if one of them could not be deleted.
 */
export async function removeAll(session: Session, kind: string, names: readonly string[]): Promise<void> {
	for (const name of names) assertName(kind, name);
	const faults: string[] = [];
	for (const name of names) {
		try {
			await session.remove(kind, name);
			print(session.shell, `${kind} ${name} deleted`);
		} catch (error) {
			faults.push(sentenceOf(error, session.cluster.server));
		}
	}
	if (faults.length > 0) throw new CliError(faults.join("\n"));
}

const main = ({ spec }: KubelessFunction): Container => spec.deployment?.spec?.template?.spec?.containers?.[0] ?? {};
const condition = ({ status }: KubelessFunction, type: string) => status?.conditions?.find((one) => one.type === type);

const functionColumns = (shell: Shell): Column<KubelessFunction>[] => [
	{ title: "NAME", of: ({ metadata }) => metadata.name },
	{ title: "NAMESPACE", of: ({ metadata }) => metadata.namespace },
	{ title: "HANDLER", of: ({ spec }) => spec.handler },
	{ title: "RUNTIME", of: ({ spec }) => spec.runtime },
	{ title: "DEPENDENCIES", of: ({ spec }) => dependencies(spec.deps) },
	{
		title: "STATUS",
		of: (fn) => {
			const text = statusText(fn);
			return paint(shell, text.endsWith(" READY") && !text.includes("NOT") ? "green" : "red", text);
		},
	},
	{ title: "MEMORY", of: (fn) => main(fn).resources?.limits?.["memory"], wide: true },
	{ title: "URL", of: ({ status }) => status?.url, wide: true },
	{ title: "AGE", of: ({ metadata }) => age(metadata.creationTimestamp), wide: true },
];

/** Returns the state of a function as `function list` shows it. */
export function statusText(fn: KubelessFunction): string {
	const ready = condition(fn, "Ready");
	const { readyReplicas = 0, replicas = 0 } = fn.status ?? {};
	if (!ready) return "MISSING: the controller has not looked at it";
	if (ready.status === "True") return `${readyReplicas}/${replicas} READY`;
	const [failed] = ["Configured", "Built"].map((type) => condition(fn, type)).filter((one) => one?.status === "False");
	return `${readyReplicas}/${replicas} NOT READY: ${(failed ?? ready).reason}`;
}

/** Returns the dependencies, those of a package.json as `name: version` lines. */
export function dependencies(deps = ""): string {
	try {
		const { dependencies: found = {} } = JSON.parse(deps) as { dependencies?: Record<string, string> };
		return Object.entries(found)
			.map(([name, version]) => `${name}: ${version}`)
			.join("\n");
	} catch {
		return deps.trim();
	}
}

export function description(fn: KubelessFunction): string {
	const { metadata, spec, status } = fn;
	const { env = [], resources } = main(fn);
	const fields: [string, string | undefined][] = [
		["Name", metadata.name],
		["Namespace", metadata.namespace],
		["Handler", spec.handler],
		["Runtime", spec.runtime],
		["Label", JSON.stringify(metadata.labels ?? {})],
		["Envvar", JSON.stringify(env)],
		["Memory", String(resources?.limits?.["memory"] ?? "")],
		["Timeout", `${spec.timeout ?? "180"} s`],
		["Dependencies", dependencies(spec.deps).replaceAll("\n", `\n${" ".repeat(15)}`)],
		["URL", status?.url],
		["Pods", `${status?.readyReplicas ?? 0} of ${status?.replicas ?? 0} ready`],
		...(status?.conditions ?? []).map(({ type, status: value, reason, message }): [string, string] => [
			type,
			`${value}, ${reason}: ${message}`,
		]),
	];
	return fields.map(([name, value]) => `${`${name}:`.padEnd(15)}${value ?? ""}`.trimEnd()).join("\n");
}
