// The base of all commands: their shell, their common options, and requests to the chosen cluster.
import type { Readable, Writable } from "node:stream";
import { type Command, Option } from "commander";
import { type Dispatcher, request } from "undici";
import type { KubeObject, Resource } from "../../kubeless-controller/src/api/types.ts";
import { Api, ApiError, isStatus } from "../../kubeless-controller/src/kube/api.ts";
import { type Cluster, loadCluster } from "../../kubeless-controller/src/kube/credentials.ts";
import { listPath, objectPath, RESOURCES } from "../../kubeless-controller/src/kube/kinds.ts";
import { CliError } from "./errors.ts";
import type { Format } from "./output.ts";
import { assertName } from "./values.ts";

export const FIELD_MANAGER = "kubeless-cli";

type Output = Writable & { isTTY?: boolean; columns?: number };

export interface Shell {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly stdin: Readable;
	readonly stdout: Output;
	readonly stderr: Output;
	/** The API server of the command that runs, for errors. */
	server?: string;
}

export interface Shared {
	readonly kubeconfig?: string;
	readonly context?: string;
	readonly namespace?: string;
	readonly allNamespaces?: boolean;
	readonly output?: Format;
	readonly dryRun?: boolean;
}

/** Adds -n. */
export const namespaced = (command: Command): Command => command.option("-n, --namespace <name>", "namespace (default: the context's)");

/** Adds -o. @param formats those beside the command's own form */
export const printed = (command: Command, formats: readonly string[] = ["json", "yaml", "wide", "name"]): Command =>
	command.addOption(new Option("-o, --output <format>", "format of the output").choices(formats));

/** Adds --dry-run, which Kubeless 1.0 spells --dryrun. */
export const dryRunnable = (command: Command): Command =>
	printed(command, ["json", "yaml"])
		.option("--dry-run", "print the object and change nothing")
		.addOption(new Option("--dryrun").implies({ dryRun: true }).hideHelp());

/** Adds a value to the list of an option that may be repeated. */
export const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

export class Session {
	readonly api: Api;
	readonly cluster: Cluster;
	/** Empty: all namespaces. */
	readonly namespace: string;
	readonly shell: Shell;

	/** Throws a CliError if the kubeconfig has no such cluster, or the namespace is not a name. */
	constructor(shell: Shell, { kubeconfig, context, namespace, allNamespaces }: Shared) {
		this.shell = shell;
		this.cluster = load({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
		shell.server = this.cluster.server;
		this.api = new Api(this.cluster, { userAgent: FIELD_MANAGER });
		this.namespace = allNamespaces ? "" : namespace || this.cluster.namespace;
		if (this.namespace) assertName("Namespace", this.namespace);
	}

	/** Throws a UsageError if no object can have the name. */
	path(kind: string, name: string, namespace = this.namespace): string {
		assertName(kind, name);
		return objectPath(kind, namespace, name);
	}

	/** Throws a CliError if there is no such object. */
	async get<T extends KubeObject = Resource<never>>(kind: string, name: string): Promise<T> {
		try {
			return await this.api.get<T>(this.path(kind, name));
		} catch (error) {
			throw this.missing(error, kind, name);
		}
	}

	/**
	 * Returns a CliError that names the object if `error` means that the object does not exist; else
	 * `error`.
	 */
	missing(error: unknown, kind: string, name: string): unknown {
		if (!isStatus(error, 404) || !/" not found$/.test((error as ApiError).message)) return error;
		const list = kind === "Function" ? "function" : `trigger ${kind.replace(/Trigger$/, "").toLowerCase()}`;
		return new CliError(`${kind} "${name}" does not exist in namespace ${this.namespace}. See kubeless ${list} list -A.`);
	}

	/** Returns a kind's objects, sorted by namespace and name. */
	async list<T extends KubeObject>(kind: string, labelSelector?: string): Promise<T[]> {
		const path = objectPath(kind, this.namespace, "").slice(0, -1);
		const { items } = await this.api.get<{ items: T[] }>(path, { labelSelector });
		const key = ({ metadata }: T): string => `${metadata.namespace}/${metadata.name}`;
		return items.sort((a, b) => (key(a) < key(b) ? -1 : 1));
	}

	/** Throws a CliError if there is one already. */
	async create(object: KubeObject): Promise<KubeObject> {
		const { kind, metadata } = object;
		const { apiVersion, plural } = RESOURCES.find((known) => known.kind === kind) ?? { apiVersion: "", plural: "" };
		assertName(kind, metadata.name);
		try {
			const path = listPath({ apiVersion, plural }, metadata.namespace ?? "");
			return (await this.api.send("POST", path, { body: object, query: { fieldManager: FIELD_MANAGER } })).body;
		} catch (error) {
			if (!isStatus(error, 409)) throw error;
			throw new CliError(`${kind} "${metadata.name}" exists in namespace ${metadata.namespace} already. Change it with update.`);
		}
	}

	/**
	 * Reads an object and writes the result of `change`. Repeats both if another client has changed
	 * the object meanwhile.
	 */
	async update<T extends KubeObject>(kind: string, name: string, change: (object: T) => T): Promise<T> {
		for (let attempt = 1; ; attempt++) {
			const body = change(await this.get<T>(kind, name));
			try {
				return (await this.api.send<T>("PUT", this.path(kind, name), { body, query: { fieldManager: FIELD_MANAGER } })).body;
			} catch (error) {
				if (!isStatus(error, 409) || attempt === 5) throw error;
			}
		}
	}

	/** Throws a CliError if there is no such object. */
	async remove(kind: string, name: string): Promise<void> {
		try {
			await this.api.send("DELETE", this.path(kind, name), { body: { propagationPolicy: "Background" } });
		} catch (error) {
			throw this.missing(error, kind, name);
		}
	}

	/** Sends a request whose answer is not JSON: logs, and calls through the API server's proxy. */
	async raw(path: string, { method = "GET", headers = {}, body, signal }: RawRequest = {}): Promise<Dispatcher.ResponseData> {
		const { headers: credentials, dispatcher } = await this.cluster.credentials();
		return request(this.cluster.server + path, {
			method,
			headers: { ...headers, ...credentials },
			body: body ?? null,
			headersTimeout: 0,
			bodyTimeout: 0,
			...(signal && { signal }),
			...(dispatcher && { dispatcher }),
		});
	}
}

export interface RawRequest {
	readonly method?: Dispatcher.HttpMethod;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Buffer;
	readonly signal?: AbortSignal;
}

function load(options: { kubeconfig?: string; context?: string }): Cluster {
	try {
		return loadCluster(options);
	} catch (error) {
		const { code } = error as { code?: string };
		if (code === "ENOENT") throw new CliError(`The kubeconfig ${options.kubeconfig} does not exist. Give another --kubeconfig.`);
		if (options.context) throw new CliError(`The kubeconfig has no context "${options.context}". See kubectl config get-contexts.`);
		throw new CliError(`The kubeconfig cannot be used: ${(error as Error).message.split("\n", 1)[0]}`);
	}
}

/**
 * Throws an ApiError if an answer comes from the API server itself and not from the pod behind its
 * proxy.
 */
export function assertPassedOn(status: number, type: string, text: string): void {
	if (status < 400 || !type.startsWith("application/json")) return;
	let answer: { kind?: string; apiVersion?: string; reason?: string; message?: string };
	try {
		answer = JSON.parse(text);
	} catch {
		return;
	}
	if (answer.kind === "Status" && answer.apiVersion === "v1") throw new ApiError(status, answer.reason ?? "", answer.message ?? "");
}
