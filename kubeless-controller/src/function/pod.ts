// The pod of a function.

import type { Config } from "../api/config.ts";
import { sha256, splitHandler, targetPort, timeoutOf, timeoutSeconds } from "../api/function.ts";
import { functionSelector, ownAnnotations, shortName } from "../api/names.ts";
import { imageOf, type Runtime } from "../api/runtimes.ts";
import {
	type Container,
	type DeploymentInput,
	type EnvVar,
	type Fields,
	type FunctionSpec,
	type KubelessFunction,
	type Labels,
	type PodSpec,
	SpecError,
} from "../api/types.ts";
import { configMapData, INSTALL_VOLUME, imageEnv, initContainers, lastOfEach, secretVolumes } from "./steps.ts";

/**
 * Keeps a pod in service for this long after its end was decided, in s: until all proxies have
 * taken it off their lists.
 */
const PRE_STOP_SECONDS = 5;
/**
 * A function that starts is found ready within a second. One that is ready may fail to answer for 9
 * s, such as on a busy node, before calls go elsewhere.
 */
const READINESS: Fields = { periodSeconds: 1, failureThreshold: 9 };
/** What the termination takes beside running calls, in s. */
const TERMINATION_MARGIN_SECONDS = 5;

/**
 * What the profile "restricted" of the Pod Security Standards demands, with the user that Kubeless
 * 1.0 sets.
 */
export const POD_SECURITY: Fields = { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } };
export const CONTAINER_SECURITY: Fields = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

export interface PodTemplate {
	readonly metadata: { labels: Labels; annotations: Labels };
	readonly spec: PodSpec;
}

/**
 * Returns the pod template. Throws a SpecError if the Function cannot have a pod. @param deployment
 * the Function's, merged with the defaults
 */
export function podTemplate(fn: KubelessFunction, deployment: DeploymentInput, config: Config): PodTemplate {
	const { name, labels, annotations } = fn.metadata;
	const template = deployment.spec?.template;
	const given = template?.spec ?? {};
	const [main = {}, ...sidecars] = given.containers ?? [];
	const runtime = runtimeOf(fn.spec, main, config);
	const port = targetPort(fn.spec);
	const builds = runtime !== undefined && !main.image;
	return {
		metadata: {
			labels: { ...labels, ...template?.metadata?.labels, ...functionSelector(name) },
			annotations: {
				"prometheus.io/scrape": "true",
				"prometheus.io/path": "/metrics",
				"prometheus.io/port": String(port),
				...ownAnnotations(annotations),
				...template?.metadata?.annotations,
				// Without it a pod would keep running the text that it has copied when it started.
				...(builds && { "kubeless.io/content": sha256(JSON.stringify(configMapData(fn.spec, runtime))).slice(0, 16) }),
			},
		},
		spec: withoutEmpty({
			...given,
			...(builds && buildParts(fn, given, main, runtime, config)),
			containers: [mainContainer(fn, main, runtime, port), ...sidecars],
			imagePullSecrets: pullSecrets(given, builds ? [...config.pullSecrets, ...runtime.pullSecrets] : config.pullSecrets),
			securityContext: given.securityContext ?? POD_SECURITY,
			affinity: given.affinity ?? spread(name),
			// A function calls the API server only if it was given an account for that.
			automountServiceAccountToken: given.automountServiceAccountToken ?? Boolean(given.serviceAccountName),
			terminationGracePeriodSeconds:
				given.terminationGracePeriodSeconds ?? PRE_STOP_SECONDS + graceSeconds(fn.spec) + TERMINATION_MARGIN_SECONDS,
		}),
	};
}

/**
 * Returns the Function's runtime; undefined if it has an image of its own. Throws a SpecError if it
 * has neither, or one that is unknown.
 */
function runtimeOf(spec: FunctionSpec, { image }: Container, { runtimes }: Config): Runtime | undefined {
	const known = runtimes.find(({ name }) => name === spec.runtime);
	if (image) return known;
	if (!spec.runtime) throw new SpecError("NoRuntime", "Set spec.runtime, or the image of the first container in spec.deployment.");
	if (!known) {
		const names = runtimes.map(({ name }) => name).join(", ");
		throw new SpecError("UnknownRuntime", `runtime "${spec.runtime}" is unknown. Use one of: ${names}.`);
	}
	if (!spec.function) throw new SpecError("NoFunction", "spec.function is empty. Set it to the function's text, to base64 or to a URL.");
	if (!imageOf(known, "runtime"))
		throw new SpecError("InvalidConfig", `runtime-images: ${known.name} has no image of the phase "runtime".`);
	return known;
}

/**
 * What a pod has only if its function comes in the ConfigMap: two volumes and the init containers.
 */
function buildParts(fn: KubelessFunction, given: PodSpec, main: Container, runtime: Runtime, config: Config): PodSpec {
	const { name } = fn.metadata;
	const [volume, sourceVolume] = [shortName(name, ""), shortName(name, "deps")];
	const [first, ...others] = given.initContainers ?? [];
	const steps = initContainers({
		spec: fn.spec,
		runtime,
		provisionImage: config.provisionImage,
		volume,
		sourceVolume,
		env: main.env ?? [],
		// Not the function's own: installing may need more memory than serving.
		resources: first?.resources,
		securityContext: CONTAINER_SECURITY,
	});
	const own = first?.name && first.image ? [first, ...others] : others;
	return {
		initContainers: [...steps, ...own],
		volumes: [
			{ name: volume, emptyDir: {} },
			{ name: sourceVolume, configMap: { name } },
			...secretVolumes(runtime),
			...(given.volumes ?? []),
		],
	};
}

function mainContainer(fn: KubelessFunction, given: Container, runtime: Runtime | undefined, port: number): Container {
	const { name } = fn.metadata;
	const image = imageOf(runtime, "runtime");
	const builds = runtime !== undefined && !given.image;
	const probe = (found: Fields | undefined, otherwise: string): Fields => found ?? { httpGet: { path: otherwise } };
	return {
		...given,
		name,
		image: given.image ?? image?.image ?? "",
		env: environment(fn.spec, given, runtime, port),
		ports: given.ports ?? [{ name: "function", containerPort: port, protocol: "TCP" }],
		livenessProbe:
			given.livenessProbe ?? onPort({ initialDelaySeconds: 3, periodSeconds: 30, ...probe(runtime?.livenessProbe, "/healthz") }, port),
		readinessProbe:
			given.readinessProbe ?? onPort({ ...READINESS, ...probe(builds ? runtime.readinessProbe : undefined, "/healthz") }, port),
		lifecycle: given.lifecycle ?? { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
		securityContext: given.securityContext ?? CONTAINER_SECURITY,
		...(builds && { volumeMounts: [{ name: shortName(name, ""), mountPath: INSTALL_VOLUME }, ...(given.volumeMounts ?? [])] }),
	};
}

/**
 * The function's own variables come first, as in Kubeless 1.0: FUNC_* and the runtime's cannot be
 * overridden.
 */
function environment(spec: FunctionSpec, { env = [], resources }: Container, runtime: Runtime | undefined, port: number): EnvVar[] {
	const hasFunction = Boolean(spec.handler && spec.function);
	const handler = hasFunction ? splitHandler(spec.handler) : undefined;
	const own = Object.entries({
		...(handler && {
			FUNC_HANDLER: handler.name,
			MOD_NAME: handler.module,
			FUNC_TIMEOUT: timeoutOf(spec),
			FUNC_RUNTIME: spec.runtime ?? "",
			FUNC_MEMORY_LIMIT: String(resources?.limits?.["memory"] ?? "0"),
		}),
		FUNC_PORT: String(port),
		...(runtime && { KUBELESS_INSTALL_VOLUME: INSTALL_VOLUME }),
	});
	// Running calls may end when a rollout replaces their pod. The user's own value wins.
	const drain = { name: "SHUTDOWN_TIMEOUT", value: String(graceSeconds(spec)) };
	return lastOfEach([drain, ...env, ...own.map(([name, value]) => ({ name, value })), ...imageEnv(imageOf(runtime, "runtime"))]);
}

/** The time that calls get to end when their pod stops, in s. */
const graceSeconds = (spec: FunctionSpec): number => Math.ceil(timeoutSeconds(spec));

/** Returns a probe that has the port, unless it has one or needs none. */
function onPort(probe: Fields, port: number): Fields {
	const request = probe["httpGet"] as Fields | undefined;
	return request ? { ...probe, httpGet: { port, ...request } } : probe;
}

function pullSecrets(given: PodSpec, names: readonly string[]): { name: string }[] {
	const all = new Set([...(given.imagePullSecrets ?? []).map(({ name }) => name), ...names]);
	return [...all].map((name) => ({ name }));
}

/** Prefers another node for each pod of a function. */
function spread(name: string): Fields {
	const podAffinityTerm = { labelSelector: { matchLabels: functionSelector(name) }, topologyKey: "kubernetes.io/hostname" };
	return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] } };
}

const withoutEmpty = (spec: PodSpec): PodSpec => {
	const { imagePullSecrets, ...rest } = spec;
	return imagePullSecrets?.length ? spec : rest;
};
