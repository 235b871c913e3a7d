// kubeless function history and rollback: a Function's versions are ControllerRevisions, which the
// controller writes.
import type { Command } from "commander";
import { revisionSpec, rolledBack } from "../../../kubeless-controller/src/api/revisions.ts";
import type { FunctionSpec, KubelessFunction, KubeObject } from "../../../kubeless-controller/src/api/types.ts";
import { equal } from "../../../kubeless-controller/src/status.ts";
import { CliError, UsageError } from "../errors.ts";
import { age, type Column, note, print, printList } from "../output.ts";
import { namespaced, printed, Session, type Shared, type Shell } from "../session.ts";
import { millisecondsOf } from "../values.ts";
import { waitUntilReady } from "./wait.ts";

interface Revision extends KubeObject {
	readonly revision: number;
	readonly data: { readonly spec: FunctionSpec };
}

const COLUMNS: readonly Column<Revision>[] = [
	{ title: "REVISION", of: ({ revision }) => revision },
	{ title: "AGE", of: ({ metadata }) => age(metadata.creationTimestamp) },
	{ title: "HANDLER", of: ({ data }) => data.spec.handler },
	{ title: "RUNTIME", of: ({ data }) => data.spec.runtime },
	{ title: "CHECKSUM", of: ({ data }) => data.spec.checksum?.slice(0, 19) },
	{ title: "TIMEOUT", of: ({ data }) => data.spec.timeout, wide: true },
];

export function addHistory(group: Command, shell: Shell): void {
	printed(namespaced(group.command("history <name>")))
		.description("list the versions of a function")
		.action(async (name: string, _, command: Command) => {
			const flags = command.optsWithGlobals<Shared>();
			printList(shell, await revisions(new Session(shell, flags), name), COLUMNS, flags.output);
		});
	namespaced(group.command("rollback <name>"))
		.description("go back to a version of a function")
		.option("--to-revision <number>", "a number of its history (default: the version before the current one)")
		.option("--no-wait", "do not wait until it is ready")
		.option("--wait-timeout <seconds>", "longest wait", "300")
		.action(async (name: string, flags: { toRevision?: string; wait: boolean; waitTimeout: string }, command: Command) => {
			const waitMs = millisecondsOf("--wait-timeout", flags.waitTimeout);
			const session = new Session(shell, command.optsWithGlobals());
			const fn = await session.get<KubelessFunction>("Function", name);
			const target = chosen(fn, await revisions(session, name), flags.toRevision);
			await session.update<KubelessFunction>("Function", name, (current) => ({
				...current,
				spec: rolledBack(current.spec, target.data.spec),
			}));
			note(shell, `Function ${name} goes back to revision ${target.revision}`);
			if (!flags.wait) return;
			await waitUntilReady(session, name, waitMs);
			print(shell, `Function ${name} is ready with revision ${target.revision}`);
		});
}

/** Returns the revisions of a function that exists, the newest first. */
async function revisions(session: Session, name: string): Promise<Revision[]> {
	const { metadata } = await session.get("Function", name);
	const found = await session.list<Revision>("ControllerRevision", `function=${name}`);
	return found
		.filter(({ metadata: { ownerReferences = [] } }) => ownerReferences.some(({ uid }) => uid === metadata.uid))
		.map((revision) => ({ ...revision, apiVersion: "apps/v1", kind: "ControllerRevision" }))
		.sort((a, b) => b.revision - a.revision);
}

/** Returns the revision to go back to. Throws a CliError if there is none. */
export function chosen(fn: Pick<KubelessFunction, "metadata" | "spec">, known: readonly Revision[], number?: string): Revision {
	const { name } = fn.metadata;
	if (number !== undefined) {
		const found = known.find(({ revision }) => String(revision) === number);
		if (found) return found;
		const numbers = known.map(({ revision }) => revision).join(", ");
		throw new UsageError(`Function "${name}" has no revision ${number}. Give --to-revision one of: ${numbers}.`);
	}
	const current = revisionSpec(fn.spec);
	// The newest one is the current version, unless the controller has not recorded that yet.
	const previous = known.find(({ data }) => !equal(data.spec, current));
	if (!previous) throw new CliError(`Function "${name}" has no earlier version. See kubeless function history ${name}.`);
	return previous;
}
