// The objects that a Function wants. One pure function: nothing here calls the API server.
import { metricV2 } from "../api/autoscaling.ts";
import type { Config } from "../api/config.ts";
import { servicePorts, targetPort } from "../api/function.ts";
import { CREATED_BY, functionSelector, ownAnnotations, ownerOf, withoutNulls } from "../api/names.ts";
import type { DeploymentInput, Fields, KubelessFunction, KubeObject, ObjectMeta } from "../api/types.ts";
import type { Plan } from "../plan.ts";
import { mergeDeployments } from "./merge.ts";
import { podTemplate } from "./pod.ts";
import { configMapData } from "./steps.ts";

/**
 * Returns ConfigMap, Service, Deployment and what scales and monitors them, in the order in which
 * they are applied. Throws a SpecError if the Function has a mistake.
 * @param has whether the cluster knows a kind that an add-on brings, such as ScaledObject
 */
export function planFunction(given: KubelessFunction, config: Config, has: (kind: string) => boolean): Plan {
	const fn = { ...given, spec: withoutNulls(given.spec) };
	const deployment = mergeDeployments(fn.spec.deployment ?? {}, config.deployment);
	const metadata = metadataOf(fn);
	const scaler = scalerOf(fn, metadata, has);
	const monitor = monitorOf(fn, metadata, has);
	return {
		objects: [
			configMap(fn, metadata, config),
			service(fn, metadata),
			deploymentOf(fn, metadata, deployment, config, scaler.objects.length > 0),
			...scaler.objects,
			...monitor.objects,
		],
		notes: [...scaler.notes, ...monitor.notes],
	};
}

function metadataOf(fn: KubelessFunction): ObjectMeta {
	const { name, namespace, labels, annotations } = fn.metadata;
	return {
		name,
		namespace,
		labels: { ...labels, ...functionSelector(name) },
		annotations: ownAnnotations(annotations),
		ownerReferences: [ownerOf(fn)],
	};
}

function configMap({ spec }: KubelessFunction, metadata: ObjectMeta, { runtimes }: Config): KubeObject {
	const runtime = runtimes.find(({ name }) => name === spec.runtime);
	// An image of its own needs no function: the ConfigMap is then empty.
	const data = spec.handler ? configMapData(spec, runtime ?? { depName: "", suffix: "" }) : {};
	return { apiVersion: "v1", kind: "ConfigMap", metadata, data };
}

function service({ spec, metadata: { name } }: KubelessFunction, metadata: ObjectMeta): KubeObject {
	// Go's encoder writes `loadBalancer` for a Service that was not set.
	const { loadBalancer: _, ...given } = (spec.service ?? {}) as Fields;
	const selector = spec.service?.selector ?? functionSelector(name);
	return { apiVersion: "v1", kind: "Service", metadata, spec: { ...given, ports: servicePorts(spec), selector } };
}

function deploymentOf(fn: KubelessFunction, metadata: ObjectMeta, given: DeploymentInput, config: Config, scaled: boolean): KubeObject {
	const { strategy, replicas, selector: _, template: __, ...spec } = given.spec ?? {};
	const hasStrategy = strategy && Object.keys(strategy).length > 0;
	// A scaler sets the number of replicas; without one `kubectl scale` may, unless the Function
	// states a number.
	const count = fn.spec.suspend ? 0 : scaled ? undefined : replicas;
	return {
		apiVersion: "apps/v1",
		kind: "Deployment",
		metadata: {
			...metadata,
			labels: { ...given.metadata?.labels, ...metadata.labels },
			annotations: { ...given.metadata?.annotations, ...metadata.annotations },
		},
		spec: {
			...spec,
			...(count !== undefined && { replicas: count }),
			selector: { matchLabels: functionSelector(fn.metadata.name) },
			strategy: hasStrategy ? strategy : { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
			template: podTemplate(fn, given, config),
		},
	};
}

function scalerOf({ spec, metadata: { name } }: KubelessFunction, metadata: ObjectMeta, has: (kind: string) => boolean): Plan {
	if (spec.suspend) return { objects: [], notes: [] };
	if (spec.scaledObject) {
		if (!has("ScaledObject")) {
			return { objects: [], notes: ["spec.scaledObject has no effect: KEDA is not installed in this cluster."] };
		}
		const scaled = { ...spec.scaledObject, scaleTargetRef: { name } };
		return { objects: [{ apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata, spec: scaled }], notes: [] };
	}
	const hpa = (spec.horizontalPodAutoscaler?.["spec"] ?? {}) as Fields;
	if (!hpa["maxReplicas"]) return { objects: [], notes: [] };
	const metrics = ((hpa["metrics"] as Fields[] | undefined) ?? []).map(metricV2);
	const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name };
	const autoscaler = { ...hpa, scaleTargetRef, ...(metrics.length > 0 && { metrics }) };
	return { objects: [{ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata, spec: autoscaler }], notes: [] };
}

function monitorOf({ spec, metadata: { name } }: KubelessFunction, metadata: ObjectMeta, has: (kind: string) => boolean): Plan {
	if (!spec.monitor) return { objects: [], notes: [] };
	const kind = spec.monitor === "pod" ? "PodMonitor" : "ServiceMonitor";
	if (!has(kind))
		return { objects: [], notes: [`spec.monitor has no effect: the Prometheus operator's ${kind} is not installed in this cluster.`] };
	const selector = { matchLabels: { ...CREATED_BY, function: name } };
	const { name: port } = servicePorts(spec)[0];
	const endpoint =
		kind === "PodMonitor"
			? { podMetricsEndpoints: [{ portNumber: targetPort(spec) }] }
			: { endpoints: [port ? { port } : { targetPort: targetPort(spec) }] };
	return { objects: [{ apiVersion: "monitoring.coreos.com/v1", kind, metadata, spec: { selector, ...endpoint } }], notes: [] };
}
