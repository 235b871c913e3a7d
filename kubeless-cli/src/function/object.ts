// Flags become a Function object. Pure: nothing here reads files or calls the API server.
import { contentOf, DEFAULT_PORT, PORT_NAME, splitHandler } from "../../../kubeless-controller/src/api/function.ts";
import { functionSelector, withoutNulls } from "../../../kubeless-controller/src/api/names.ts";
import type { Runtime } from "../../../kubeless-controller/src/api/runtimes.ts";
import {
	API_VERSION,
	type Container,
	type FunctionSpec,
	type KubeObject,
	type Labels,
	type ServiceInput,
} from "../../../kubeless-controller/src/api/types.ts";
import { UsageError } from "../errors.ts";
import { contentTypeOf, handlerFor, moduleOf, runtimeFor, type Source } from "../source.ts";
import { merged, mergedEnv, portOf, quantity, secondsOf, split } from "../values.ts";

export interface FunctionFlags {
	readonly runtime?: string;
	readonly handler?: string;
	readonly env?: readonly string[];
	readonly label?: readonly string[];
	readonly secrets?: readonly string[];
	readonly nodeSelectors?: readonly string[];
	readonly serviceAccount?: string;
	readonly memory?: string;
	readonly cpu?: string;
	readonly runtimeImage?: string;
	readonly imagePullPolicy?: string;
	readonly timeout?: string;
	readonly port?: string;
	readonly servicePort?: string;
	readonly headless?: boolean;
}

export interface Given {
	readonly source?: Source;
	/** Text of the file of dependencies. */
	readonly deps?: string;
	readonly runtimes: readonly Runtime[];
	/** Whether `runtimes` is the cluster's list. Only then a runtime outside the list is a mistake. */
	readonly listed: boolean;
}

export type FunctionObject = KubeObject & { spec: FunctionSpec };

export const emptyFunction = (name: string, namespace: string): FunctionObject => ({
	apiVersion: API_VERSION,
	kind: "Function",
	metadata: { name, namespace },
	spec: {},
});

/**
 * Returns the Function with the values of the flags. A flag that is not given changes nothing.
 * Throws a UsageError for a mistake in a flag.
 */
export function applyFlags(base: FunctionObject, flags: FunctionFlags, given: Given): FunctionObject {
	const before = withoutNulls(base.spec);
	const { source } = given;
	const suffixed = source && !flags.runtime && !before.runtime && !flags.runtimeImage ? runtimeFor(source.file, given.runtimes) : undefined;
	const runtime = flags.runtime ?? before.runtime ?? suffixed?.name;
	const handler = flags.handler ?? before.handler ?? (source && handlerFor(source));
	const known = given.runtimes.find(({ name }) => name === runtime);
	const spec: FunctionSpec = {
		...before,
		...(runtime && { runtime }),
		...(handler && { handler }),
		...(source && {
			function: source.function,
			"function-content-type": contentTypeOf(source, known, Boolean(given.deps ?? before.deps)),
			checksum: source.checksum,
		}),
		...(given.deps !== undefined && { deps: given.deps }),
		...(flags.timeout && { timeout: secondsOf("--timeout", flags.timeout) }),
	};
	// The dependencies that are given take the place of the archive's.
	if (given.deps && !source && spec["function-content-type"])
		spec["function-content-type"] = spec["function-content-type"].replace("+deps", "");
	const service = serviceOf(before, flags);
	if (service) spec.service = service;
	if (POD_FLAGS.some((flag) => flags[flag] !== undefined)) spec.deployment = deploymentOf(before, flags);
	assertComplete(spec, flags, given);
	const { name } = base.metadata;
	const labels = { ...base.metadata.labels, ...functionSelector(name) };
	return { ...base, metadata: { ...base.metadata, labels: merged(labels, flags.label, "--label") }, spec };
}

const POD_FLAGS = [
	"env",
	"secrets",
	"nodeSelectors",
	"serviceAccount",
	"memory",
	"cpu",
	"runtimeImage",
	"imagePullPolicy",
] as const satisfies (keyof FunctionFlags)[];

function assertComplete(spec: FunctionSpec, flags: FunctionFlags, { runtimes, listed, source }: Given): void {
	const image = spec.deployment?.spec?.template?.spec?.containers?.[0]?.image;
	const names = runtimes.map(({ name }) => name).join(", ");
	if (!spec.runtime && !image) throw new UsageError(`The runtime is missing. Give --runtime, one of: ${names}; or --runtime-image IMAGE.`);
	if (spec.runtime && listed && !image && !runtimes.some(({ name }) => name === spec.runtime))
		throw new UsageError(`Invalid runtime: ${spec.runtime}. Supported runtimes are: ${names}.`);
	if (spec.handler) assertHandler(spec.handler, source);
	else if (spec.runtime)
		throw new UsageError(
			`The handler is missing. Give --handler ${moduleOf(source?.file ?? "") || "FILE"}.FUNCTION, such as hello.handler.`,
		);
	if (spec.runtime && !image && !spec.function)
		throw new UsageError("The function's file is missing. Give --from-file with a path, a URL, or - for standard input.");
	contentOf(spec["function-content-type"]);
	if (flags.imagePullPolicy && !/^(?:Always|IfNotPresent|Never)$/.test(flags.imagePullPolicy))
		throw new UsageError(`--image-pull-policy ${flags.imagePullPolicy} is unknown. Give Always, IfNotPresent or Never.`);
}

function assertHandler(handler: string, source: Source | undefined): void {
	if (!handler.includes(".")) {
		const example = `${moduleOf(source?.file ?? "") || "hello"}.${handler || "handler"}`;
		throw new UsageError(`The handler "${handler}" has no dot. Give FILE.FUNCTION: --handler ${example}`);
	}
	try {
		splitHandler(handler);
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
}

function serviceOf({ service }: FunctionSpec, { port, servicePort, headless }: FunctionFlags): ServiceInput | undefined {
	if (port === undefined && servicePort === undefined && !headless) return undefined;
	const [current, ...others] = service?.ports ?? [];
	const target = port === undefined ? (current?.targetPort ?? current?.port ?? DEFAULT_PORT) : portOf("--port", port);
	// A Service whose port differs from the function's was given its own, and keeps it.
	const own = current && current.port !== (current.targetPort ?? current.port) ? current.port : undefined;
	const outside =
		servicePort === undefined ? (own ?? (typeof target === "number" ? target : DEFAULT_PORT)) : portOf("--servicePort", servicePort);
	return {
		...service,
		...(headless && { clusterIP: "None" }),
		ports: [{ name: PORT_NAME, protocol: "TCP", ...current, port: outside, targetPort: target }, ...others],
	};
}

function deploymentOf({ deployment }: FunctionSpec, flags: FunctionFlags): NonNullable<FunctionSpec["deployment"]> {
	const { template, ...spec } = deployment?.spec ?? {};
	const pod = template?.spec ?? {};
	const [main = {}, ...sidecars] = pod.containers ?? [];
	const [added, removed] = split(flags.secrets ?? []);
	const isSecret = (secret: string, { name }: { name?: unknown }): boolean => name === `${secret}-vol`;
	const kept = <T extends { name?: unknown }>(list: readonly T[] = []): T[] =>
		list.filter((item) => ![...added, ...removed].some((secret) => isSecret(secret, item)));
	const volumes = [...kept(pod.volumes), ...added.map((secretName) => ({ name: `${secretName}-vol`, secret: { secretName } }))];
	const mounts = [...kept(main.volumeMounts), ...added.map((secret) => ({ name: `${secret}-vol`, mountPath: `/${secret}` }))];
	const resources = { ...quantity("memory", flags.memory), ...quantity("cpu", flags.cpu) };
	const container: Container = {
		...main,
		...(flags.runtimeImage && { image: flags.runtimeImage }),
		...(flags.imagePullPolicy && { imagePullPolicy: flags.imagePullPolicy }),
		...(flags.env && { env: mergedEnv(main.env ?? [], flags.env) }),
		...(Object.keys(resources).length > 0 && {
			resources: {
				...main.resources,
				limits: { ...main.resources?.limits, ...resources },
				requests: { ...(main.resources?.["requests"] as Labels | undefined), ...resources },
			},
		}),
		...(flags.secrets && { volumeMounts: mounts }),
	};
	const podSpec = {
		...pod,
		...(flags.serviceAccount && { serviceAccountName: flags.serviceAccount }),
		...(flags.nodeSelectors && { nodeSelector: merged(pod["nodeSelector"] as Labels, flags.nodeSelectors, "--node-selectors") }),
		...(flags.secrets && { volumes }),
		containers: [container, ...sidecars],
	};
	return { ...deployment, spec: { ...spec, template: { ...template, spec: podSpec } } };
}
