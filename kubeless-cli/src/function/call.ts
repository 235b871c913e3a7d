// kubeless function call: through the API server's proxy, so no route from outside is needed.
import { randomBytes } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { type Command, Option } from "commander";
import type { Dispatcher } from "undici";
import { servicePorts, timeoutOf } from "../../../kubeless-controller/src/api/function.ts";
import { withoutNulls } from "../../../kubeless-controller/src/api/names.ts";
import type { KubelessFunction } from "../../../kubeless-controller/src/api/types.ts";
import { isStatus } from "../../../kubeless-controller/src/kube/api.ts";
import { CliError, UsageError } from "../errors.ts";
import { assertPassedOn, namespaced, type RawRequest, Session, type Shell } from "../session.ts";
import { readPlace } from "../source.ts";
import { stateOf } from "./wait.ts";

interface CallFlags {
	readonly data?: string;
	readonly method?: string;
	readonly path: string;
}

export function addCall(group: Command, shell: Shell): void {
	namespaced(group.command("call <name>"))
		.description("call a function and print its answer")
		.option("-d, --data <data>", "body of the call; @FILE reads a file, @- standard input")
		.addOption(
			new Option("-m, --method <method>", "HTTP method (default: GET, or POST with --data)").argParser((text) => text.toUpperCase()),
		)
		.option("--path <path>", "path and query of the call", "/")
		.action(async (name: string, flags: CallFlags, command: Command) => {
			if (flags.method !== undefined && !/^[A-Z]+$/.test(flags.method))
				throw new UsageError(`--method "${flags.method}" is not an HTTP method. Give one such as POST.`);
			const session = new Session(shell, command.optsWithGlobals());
			const fn = await session.get<KubelessFunction>("Function", name);
			const data = flags.data?.startsWith("@") ? await readPlace(flags.data.slice(1), "--data", shell) : flags.data;
			const [port] = servicePorts(withoutNulls(fn.spec));
			const service = `${name}:${port.name || port.port}`;
			const root = `/api/v1/namespaces/${session.namespace}/services/${service}/proxy/`;
			const response = await session.raw(root + escaped(flags.path), callRequest(data, flags.method));
			await printAnswer(shell, fn, response);
		});
}

/**
 * Returns a path and query without the first slash, with characters such as spaces escaped. A path
 * with `..` stays below the function's.
 */
export function escaped(path: string): string {
	const { pathname, search } = new URL(path.replace(/^\/*/, "/"), "http://function");
	return (pathname + search).slice(1);
}

/** Returns the request of a call, with the headers of an event. */
export function callRequest(data: string | Buffer | undefined, method?: string): RawRequest {
	const type = isJsonObject(data) ? "application/json" : "application/x-www-form-urlencoded";
	return {
		method: (method ?? (data === undefined ? "GET" : "POST")) as Dispatcher.HttpMethod,
		headers: {
			...(data !== undefined && { "content-type": type }),
			"event-id": randomBytes(8).toString("base64url"),
			"event-type": type,
			"event-time": new Date().toISOString(),
			"event-namespace": "cli.kubeless.io",
		},
		...(data !== undefined && { body: data }),
	};
}

function isJsonObject(data: string | Buffer | undefined): boolean {
	try {
		const value: unknown = JSON.parse(String(data));
		return typeof value === "object" && value !== null && !Array.isArray(value);
	} catch {
		return false;
	}
}

async function printAnswer(shell: Shell, fn: KubelessFunction, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<void> {
	const { name } = fn.metadata;
	const bytes = Buffer.from(await body.arrayBuffer());
	try {
		assertPassedOn(statusCode, String(headers["content-type"] ?? ""), bytes.toString("utf8"));
	} catch (error) {
		if (!isStatus(error, 502, 503, 404)) throw error;
		const { is, text } = stateOf(fn);
		const why = is === "ready" ? `The API server reports: ${(error as Error).message.trim()}.` : text;
		throw new CliError(`Function "${name}" has no pod that answers. ${why} See kubeless function describe ${name}.`);
	}
	if (statusCode === 408) {
		const cure = `Raise the timeout with kubeless function update ${name} --timeout SECONDS.`;
		throw new CliError(`Request timeout exceeded: the call took longer than the function's ${timeoutOf(fn.spec)} s. ${cure}`);
	}
	shell.stdout.write(bytes);
	if (shell.stdout.isTTY && bytes.at(-1) !== 10) shell.stdout.write("\n");
	if (statusCode >= 400)
		throw new CliError(`The function answers ${statusCode} ${STATUS_CODES[statusCode] ?? ""}. See kubeless function logs ${name}.`);
}
