// The API objects of the group kubeless.io and the parts of Kubernetes' own objects that this code
// reads.

export const GROUP = "kubeless.io";
export const API_VERSION = `${GROUP}/v1beta1`;

/**
 * The finalizers that Kubeless 1.0 put on its objects. Nothing removes them once that controller is
 * gone, so this one does.
 */
export const OLD_FINALIZERS: readonly string[] = [
	"kubeless.io/function",
	"kubeless.io/httptrigger",
	"kubeless.io/cronjobtrigger",
	"kubeless.io/kafkatrigger",
	"kubeless.io/natstrigger",
];

export type Fields = Record<string, unknown>;
export type Labels = Record<string, string>;

export interface OwnerReference {
	apiVersion: string;
	kind: string;
	name: string;
	uid: string;
	controller?: boolean;
	blockOwnerDeletion?: boolean;
}

export interface ManagedFields {
	manager?: string;
	operation?: string;
	subresource?: string;
	apiVersion?: string;
	time?: string;
	fieldsV1?: Fields;
}

export interface ObjectMeta {
	name: string;
	namespace?: string;
	uid?: string;
	resourceVersion?: string;
	generation?: number;
	creationTimestamp?: string;
	deletionTimestamp?: string;
	finalizers?: string[];
	labels?: Labels;
	annotations?: Labels;
	ownerReferences?: OwnerReference[];
	managedFields?: ManagedFields[];
}

/** Any object of the API server. */
export interface KubeObject {
	apiVersion: string;
	kind: string;
	metadata: ObjectMeta;
	spec?: unknown;
	status?: unknown;
	[field: string]: unknown;
}

export interface Condition {
	type: string;
	status: "True" | "False" | "Unknown";
	reason: string;
	message: string;
	lastTransitionTime?: string;
	observedGeneration?: number;
}

export interface Status {
	observedGeneration?: number;
	conditions?: Condition[];
	url?: string;
	replicas?: number;
	readyReplicas?: number;
	selector?: string;
}

/**
 * A kubeless.io object as the API server returns it: it has a uid, a namespace and a generation.
 */
export interface Resource<Spec> extends KubeObject {
	metadata: ObjectMeta & { namespace: string; uid: string };
	spec: Spec;
	status?: Status;
}

export interface EnvVar extends Fields {
	name: string;
	value?: string;
}

export interface Container extends Fields {
	name?: string;
	image?: string;
	env?: EnvVar[];
	ports?: Fields[];
	resources?: Fields & { limits?: Record<string, string | number> };
	securityContext?: Fields;
	volumeMounts?: Fields[];
	livenessProbe?: Fields;
	readinessProbe?: Fields;
	lifecycle?: Fields;
}

export interface PodSpec extends Fields {
	containers?: Container[];
	initContainers?: Container[];
	volumes?: Fields[];
	imagePullSecrets?: { name: string }[];
	securityContext?: Fields;
	affinity?: Fields;
	serviceAccountName?: string;
	automountServiceAccountToken?: boolean;
	terminationGracePeriodSeconds?: number;
}

/**
 * `spec.deployment` of a Function and `deployment` of kubeless-config: a Deployment of which every
 * part may be missing.
 */
export interface DeploymentInput extends Fields {
	metadata?: { labels?: Labels; annotations?: Labels };
	spec?: Fields & {
		replicas?: number;
		strategy?: Fields;
		template?: { metadata?: { labels?: Labels; annotations?: Labels }; spec?: PodSpec };
	};
}

export interface ServicePort extends Fields {
	name?: string;
	port: number;
	targetPort?: number | string;
	protocol?: string;
}

export interface ServiceInput extends Fields {
	ports?: ServicePort[];
	selector?: Labels;
}

export interface FunctionSpec {
	handler?: string;
	function?: string;
	"function-content-type"?: string;
	checksum?: string;
	runtime?: string;
	timeout?: string;
	deps?: string;
	deployment?: DeploymentInput | null;
	service?: ServiceInput | null;
	horizontalPodAutoscaler?: Fields | null;
	scaledObject?: Fields | null;
	monitor?: "" | "pod" | "service";
	suspend?: boolean;
}

export interface HTTPTriggerSpec {
	"function-name": string;
	"host-name"?: string;
	path?: string;
	tls?: boolean;
	"tls-secret"?: string;
	"basic-auth-secret"?: string;
	gateway?: string;
	"cors-enable"?: boolean;
}

export interface CronJobTriggerSpec {
	"function-name": string;
	schedule: string;
	payload?: unknown;
	timeZone?: string;
	concurrencyPolicy?: "Allow" | "Forbid" | "Replace";
	successfulJobsHistoryLimit?: number;
	failedJobsHistoryLimit?: number;
	startingDeadlineSeconds?: number;
	suspend?: boolean;
}

export interface LabelSelector {
	matchLabels?: Labels | null;
	matchExpressions?: { key: string; operator: "In" | "NotIn" | "Exists" | "DoesNotExist"; values?: string[] | null }[] | null;
}

export interface Delivery {
	mode?: "at-most-once" | "at-least-once";
	maxAttempts?: number;
	maxBackoffSeconds?: number;
	deadLetter?: string;
	reply?: string;
	concurrency?: number;
	start?: "latest" | "earliest";
}

/** KafkaTrigger and NATSTrigger: `servers` are the brokers of one or the URLs of the other. */
export interface MessageTriggerSpec {
	topic: string;
	functionSelector?: LabelSelector | null;
	servers?: string;
	secret?: string;
	delivery?: Delivery | null;
	replicas?: number;
	scaledObject?: Fields | null;
	suspend?: boolean;
}

export type KubelessFunction = Resource<FunctionSpec>;
export type HTTPTrigger = Resource<HTTPTriggerSpec>;
export type CronJobTrigger = Resource<CronJobTriggerSpec>;
export type KafkaTrigger = Resource<MessageTriggerSpec>;
export type NATSTrigger = Resource<MessageTriggerSpec>;

/**
 * A mistake of the user in an object or in kubeless-config. Retrying does not help: it stands in
 * the status until the object changes.
 */
export class SpecError extends Error {
	readonly reason: string;

	/**
	 * @param reason a condition's reason: one CamelCase word @param message one sentence with the
	 * fault and the cure
	 */
	constructor(reason: string, message: string) {
		super(message);
		this.reason = reason;
	}
}
