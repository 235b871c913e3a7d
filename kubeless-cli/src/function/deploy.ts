// kubeless function deploy and update.
import type { Command } from "commander";
import { parseConfig } from "../../../kubeless-controller/src/api/config.ts";
import { SpecError } from "../../../kubeless-controller/src/api/types.ts";
import { readConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { type Format, note, print, printObject } from "../output.ts";
import { collect, dryRunnable, namespaced, Session, type Shared, type Shell } from "../session.ts";
import { readPlace, sourceOf } from "../source.ts";
import { cronJobTrigger } from "../trigger/objects.ts";
import { assertFunctionName, millisecondsOf } from "../values.ts";
import { applyFlags, emptyFunction, type FunctionFlags, type FunctionObject, type Given } from "./object.ts";
import { waitUntilReady } from "./wait.ts";

interface DeployFlags extends FunctionFlags, Shared {
	readonly fromFile?: string;
	readonly dependencies?: string;
	readonly schedule?: string;
	readonly wait: boolean;
	readonly waitTimeout: string;
}

export function addDeploy(group: Command, shell: Shell): void {
	const deploy = group.command("deploy <name>").description("create a function");
	functionOptions(deploy)
		.option("--schedule <cron>", "call it by this schedule, too: makes a CronJobTrigger of its name")
		.action((name: string, flags: DeployFlags, command: Command) =>
			deployFunction(shell, name, { ...flags, ...command.optsWithGlobals() }),
		);
	const update = group.command("update <name>").description("change a function; what no option names stays");
	functionOptions(update).action((name: string, flags: DeployFlags, command: Command) =>
		updateFunction(shell, name, { ...flags, ...command.optsWithGlobals() }),
	);
}

const functionOptions = (command: Command): Command =>
	dryRunnable(namespaced(command))
		.option("-r, --runtime <runtime>", "runtime, such as python3.13 (default: the newest for the file's suffix)")
		.option("--handler <file.function>", "handler, such as hello.handler (default: the file's function `handler`)")
		.option("-f, --from-file <file>", "the function: a file, a .zip or .tar.gz, a URL, or - for standard input")
		.option("-d, --dependencies <file>", "file of dependencies, or its URL")
		.option("-e, --env <name=value>", "environment variable; NAME- removes one; may be repeated", collect)
		.option("-l, --label <name=value>", "label; NAME- removes one; may be repeated", collect)
		.option("--secrets <name>", "Secret to mount at /NAME; NAME- removes one; may be repeated", collect)
		.option("--node-selectors <name=value>", "label of the nodes; NAME- removes one; may be repeated", collect)
		.option("--service-account <name>", "ServiceAccount of the pods")
		.option("--memory <quantity>", "memory request and limit, such as 128Mi")
		.option("--cpu <quantity>", "CPU request and limit, such as 500m")
		.option("--runtime-image <image>", "an image of your own, which serves the function")
		.option("--image-pull-policy <policy>", "Always, IfNotPresent or Never")
		.option("--timeout <seconds>", "the most time that a call may take (default: 180)")
		.option("--port <port>", "port that the function listens on (default: 8080)")
		.option("--servicePort <port>", "port of its Service (default: --port)")
		.option("--headless", "make its Service headless")
		.option("--wait", "wait until it is ready", true)
		.option("--no-wait", "do not wait until it is ready")
		.option("--wait-timeout <seconds>", "longest wait", "300");

async function deployFunction(shell: Shell, name: string, flags: DeployFlags): Promise<void> {
	assertFunctionName(name);
	const waitMs = millisecondsOf("--wait-timeout", flags.waitTimeout);
	const session = new Session(shell, flags);
	const fn = await changed(session, emptyFunction(name, session.namespace), flags);
	const trigger = flags.schedule
		? cronJobTrigger({ name, namespace: session.namespace }, { function: name, schedule: flags.schedule })
		: undefined;
	if (flags.dryRun) {
		if (trigger && flags.output === "json") printObject(shell, { apiVersion: "v1", kind: "List", items: [fn, trigger] }, "json");
		else for (const object of trigger ? [fn, trigger] : [fn]) printDocument(shell, object, flags.output, trigger !== undefined);
		return;
	}
	await session.create(fn);
	if (trigger) await session.create(trigger);
	await finish(session, name, flags, waitMs, "submitted for deployment");
}

async function updateFunction(shell: Shell, name: string, flags: DeployFlags): Promise<void> {
	const waitMs = millisecondsOf("--wait-timeout", flags.waitTimeout);
	const session = new Session(shell, flags);
	if (flags.dryRun)
		return printObject(shell, await changed(session, await session.get<FunctionObject>("Function", name), flags), flags.output);
	const given = await readGiven(session, flags);
	await session.update<FunctionObject>("Function", name, (fn) => apply(fn, flags, given));
	await finish(session, name, flags, waitMs, "submitted for update");
}

function printDocument(shell: Shell, object: object, format: Format | undefined, several: boolean): void {
	if (several) print(shell, "---");
	printObject(shell, object, format);
}

const changed = async (session: Session, fn: FunctionObject, flags: DeployFlags): Promise<FunctionObject> =>
	apply(fn, flags, await readGiven(session, flags));

function apply(fn: FunctionObject, flags: DeployFlags, given: Given): FunctionObject {
	try {
		return applyFlags(fn, flags, given);
	} catch (error) {
		throw error instanceof SpecError ? new UsageError(error.message) : error;
	}
}

/** Reads the files that the flags name, and the list of runtimes. */
async function readGiven(session: Session, { fromFile, dependencies, dryRun }: DeployFlags): Promise<Given> {
	const { shell } = session;
	const source = fromFile === undefined ? undefined : sourceOf(fromFile, await readPlace(fromFile, "--from-file", shell));
	if (source?.bytes.length === 0)
		throw new UsageError(`${fromFile === "-" ? "Standard input" : fromFile} is empty. Give the function's text with --from-file.`);
	const deps = dependencies === undefined ? undefined : (await readPlace(dependencies, "--dependencies", shell)).toString("utf8");
	const { config, found, namespace, name } = await readConfig(session).catch((error) => {
		// The object can be printed without a cluster.
		if (!dryRun) throw error;
		return { config: undefined, found: false, namespace: "", name: "" };
	});
	if (!found && !dryRun) note(shell, `Warning: the ConfigMap ${namespace}/${name} cannot be read, so the runtime is not checked.`);
	return { ...(source && { source }), ...(deps !== undefined && { deps }), runtimes: (config ?? parseConfig()).runtimes, listed: found };
}

async function finish(session: Session, name: string, flags: DeployFlags, waitMs: number, done: string): Promise<void> {
	const { shell } = session;
	note(shell, `Function ${name} ${done}`);
	if (!flags.wait) return note(shell, `Check the deployment status executing 'kubeless function ls ${name}'`);
	const fn = await waitUntilReady(session, name, waitMs);
	if (flags.output) printObject(shell, fn, flags.output);
	else print(shell, `Function ${name} is ready: ${fn.status?.url ?? ""}`);
}
