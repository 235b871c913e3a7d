// The kinds that the controller reads or makes: where the API server has them, and what of them is
// kept in memory.
import { API_VERSION, type KubeObject } from "../api/types.ts";

export interface Kind {
	readonly apiVersion: string;
	readonly kind: string;
	readonly plural: string;
	/** Only these are watched; empty: all. */
	readonly selector: string;
	/** Brought by an add-on: watched only while the cluster has it. */
	readonly addOn: boolean;
	/** Returns what the cache keeps. */
	readonly trim: (object: KubeObject) => KubeObject;
}

/** Objects of ours, and those that Kubeless 1.0 made. */
const OURS = "created-by=kubeless";

const whole = (object: KubeObject): KubeObject => object;
/**
 * The applied content is never read back: a hash of it and the version are enough. Of the managers
 * only who they are is kept.
 */
const onlyMetadata = ({ apiVersion, kind, metadata, status }: KubeObject): KubeObject => {
	const managedFields = (metadata.managedFields ?? []).map(({ fieldsV1, ...manager }) => {
		const spec = fieldsV1?.["f:spec"] as Record<string, unknown> | undefined;
		return spec && "f:replicas" in spec ? { ...manager, fieldsV1: { "f:spec": { "f:replicas": {} } } } : manager;
	});
	return { apiVersion, kind, metadata: { ...metadata, managedFields }, status };
};
const withoutManagedFields = ({ metadata: { managedFields: _, ...metadata }, ...object }: KubeObject): KubeObject => ({
	...object,
	metadata,
});

function pod({ apiVersion, kind, metadata, status }: KubeObject): KubeObject {
	const {
		name,
		namespace = "",
		resourceVersion = "",
		labels = {},
		creationTimestamp = "",
		deletionTimestamp,
		ownerReferences = [],
	} = metadata;
	const { phase, reason, message, conditions, initContainerStatuses, containerStatuses } = (status ?? {}) as Record<string, unknown>;
	const kept = {
		name,
		namespace,
		resourceVersion,
		labels,
		creationTimestamp,
		ownerReferences,
		...(deletionTimestamp && { deletionTimestamp }),
	};
	return { apiVersion, kind, metadata: kept, status: { phase, reason, message, conditions, initContainerStatuses, containerStatuses } };
}

function deployment(object: KubeObject): KubeObject {
	const spec = object.spec as { replicas?: number; template?: { spec?: { initContainers?: unknown[] } } };
	const initContainers = spec.template?.spec?.initContainers?.map(() => ({})) ?? [];
	return { ...onlyMetadata(object), spec: { replicas: spec.replicas, template: { spec: { initContainers } } } };
}

const kind = (apiVersion: string, name: string, plural: string, options: Partial<Kind> = {}): Kind => ({
	apiVersion,
	kind: name,
	plural,
	selector: OURS,
	addOn: false,
	trim: onlyMetadata,
	...options,
});

const resource = (name: string, plural: string): Kind => kind(API_VERSION, name, plural, { selector: "", trim: withoutManagedFields });

/** What people write. */
export const RESOURCES: readonly Kind[] = [
	resource("Function", "functions"),
	resource("HTTPTrigger", "httptriggers"),
	resource("CronJobTrigger", "cronjobtriggers"),
	resource("KafkaTrigger", "kafkatriggers"),
	resource("NATSTrigger", "natstriggers"),
];

const addOn = { addOn: true };

/** What the controller makes of it. */
export const MADE: readonly Kind[] = [
	kind("v1", "ConfigMap", "configmaps"),
	kind("v1", "Service", "services"),
	kind("apps/v1", "Deployment", "deployments", { trim: deployment }),
	kind("apps/v1", "ControllerRevision", "controllerrevisions", {
		trim: (object) => ({ ...onlyMetadata(object), revision: object["revision"] }),
	}),
	kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
	kind("networking.k8s.io/v1", "Ingress", "ingresses"),
	kind("batch/v1", "CronJob", "cronjobs"),
	kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", addOn),
	kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects", addOn),
	kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors", addOn),
	kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors", addOn),
];

export const PODS: Kind = kind("v1", "Pod", "pods", { trim: pod });
export const CONFIG_MAPS: Kind = kind("v1", "ConfigMap", "configmaps", { selector: "", trim: whole });

const ALL = new Map([...RESOURCES, ...MADE, PODS].map((known) => [known.kind, known]));

export function kindOf(name: string): Kind {
	const found = ALL.get(name);
	if (!found) throw new Error(`unknown kind ${name}`);
	return found;
}

/** Returns the path of a kind's objects. @param namespace empty: of all namespaces */
export function listPath({ apiVersion, plural }: Pick<Kind, "apiVersion" | "plural">, namespace: string): string {
	const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
	return namespace ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}

export const objectPath = (name: string, namespace: string, object: string): string => `${listPath(kindOf(name), namespace)}/${object}`;
