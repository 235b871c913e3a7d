// KafkaTrigger and NATSTrigger: one Deployment per trigger with a consumer that calls the functions
// the selector finds.
import { CREATED_BY, ownAnnotations, ownerOf, shortName } from "../api/names.ts";
import { type KubelessFunction, type LabelSelector, type Labels, type MessageTriggerSpec, type Resource, SpecError } from "../api/types.ts";
import { CONTAINER_SECURITY, POD_SECURITY } from "../function/pod.ts";
import type { Plan } from "../plan.ts";
import { groupOf, SOURCES, type Source, TRIGGER_PORT, triggerEnvironment } from "./environment.ts";
import type { World } from "./world.ts";

/** Restarts the consumer if it hangs; it is ready once it has joined its groups. */
const probe = (path: string): object => ({ httpGet: { path, port: TRIGGER_PORT }, periodSeconds: 10 });

export const consumerName = (source: Source, trigger: string): string => shortName(trigger, source);

export function planConsumer(source: Source, trigger: Resource<MessageTriggerSpec>, world: World): Plan {
	const { spec, metadata } = trigger;
	if (!spec.topic) throw new SpecError("NoTopic", "Set spec.topic to the topic or subject that the messages come from.");
	const matches = matcher(spec.functionSelector ?? {});
	const functions = world.functions(metadata.namespace).filter((fn) => !fn.metadata.deletionTimestamp && matches(fn.metadata.labels ?? {}));
	if (functions.length === 0) {
		const message = "spec.functionSelector finds no Function in this namespace. The trigger starts to work when it finds one.";
		return { objects: [], notes: [], problem: { reason: "FunctionNotFound", message } };
	}
	const targets = functions.sort(byName);
	const scaled = spec.suspend ? undefined : spec.scaledObject;
	const notes = scaled && !world.has("ScaledObject") ? ["spec.scaledObject has no effect: KEDA is not installed in this cluster."] : [];
	const consumer = deployment(source, trigger, targets, world);
	if (!scaled || notes.length > 0) return { objects: [consumer], notes };
	const keda = {
		...(source === "kafka" && { triggers: lagTriggers(trigger, targets, world) }),
		...scaled,
		scaleTargetRef: { name: consumer.metadata.name },
	};
	return { objects: [consumer, { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: consumer.metadata, spec: keda }], notes };
}

/** The lag of one consumer at which KEDA adds another one. */
const LAG = 100;

/** KEDA's Kafka scaler, for the consumer group of each function. */
function lagTriggers(
	{ spec, metadata }: Resource<MessageTriggerSpec>,
	functions: readonly KubelessFunction[],
	{ config }: World,
): object[] {
	return functions.map((fn) => ({
		type: "kafka",
		metadata: {
			bootstrapServers: spec.servers || config.kafkaBrokers,
			consumerGroup: groupOf(metadata, fn.metadata.name, spec.topic),
			topic: spec.topic,
			lagThreshold: String(LAG),
			offsetResetPolicy: spec.delivery?.start ?? "latest",
		},
	}));
}

const byName = (a: KubelessFunction, b: KubelessFunction): number => (a.metadata.name < b.metadata.name ? -1 : 1);

function deployment(
	source: Source,
	trigger: Resource<MessageTriggerSpec>,
	functions: readonly KubelessFunction[],
	world: World,
): Plan["objects"][0] {
	const { spec, metadata } = trigger;
	const { name, namespace } = metadata;
	const consumer = consumerName(source, name);
	// Not `function`: the consumer's pods are no pods of a function.
	const selector = { ...CREATED_BY, [`${source}trigger`]: shortName(name, "") };
	const labels = { ...metadata.labels, ...selector };
	const { pullSecrets, triggerImage } = world.config;
	const isScaled = Boolean(spec.scaledObject) && world.has("ScaledObject");
	return {
		apiVersion: "apps/v1",
		kind: "Deployment",
		metadata: { name: consumer, namespace, labels, annotations: ownAnnotations(metadata.annotations), ownerReferences: [ownerOf(trigger)] },
		spec: {
			...(spec.suspend ? { replicas: 0 } : spec.replicas !== undefined && !isScaled && { replicas: spec.replicas }),
			selector: { matchLabels: selector },
			template: {
				metadata: {
					labels,
					annotations: { "prometheus.io/scrape": "true", "prometheus.io/path": "/metrics", "prometheus.io/port": String(TRIGGER_PORT) },
				},
				spec: {
					automountServiceAccountToken: false,
					enableServiceLinks: false,
					securityContext: POD_SECURITY,
					...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((secret) => ({ name: secret })) }),
					terminationGracePeriodSeconds: Math.max(...functions.map((fn) => Number(fn.spec.timeout) || 180)) + 10,
					containers: [
						{
							name: "trigger",
							image: triggerImage,
							imagePullPolicy: "IfNotPresent",
							command: ["kubeless-trigger", source],
							env: triggerEnvironment(source, trigger, functions, world),
							...(spec.secret && { envFrom: [{ secretRef: { name: spec.secret } }] }),
							ports: [{ name: "metrics", containerPort: TRIGGER_PORT, protocol: "TCP" }],
							livenessProbe: probe("/healthz"),
							readinessProbe: probe("/readyz"),
							resources: { requests: { memory: "64Mi", cpu: "20m" }, limits: { memory: "256Mi" } },
							securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
							terminationMessagePolicy: "FallbackToLogsOnError",
						},
					],
				},
			},
		},
	};
}

/**
 * Returns the test of a label selector. An empty selector matches nothing: a trigger without one
 * must not call every function.
 */
export function matcher({ matchLabels, matchExpressions }: LabelSelector): (labels: Labels) => boolean {
	const equal = Object.entries(matchLabels ?? {});
	const expressions = matchExpressions ?? [];
	if (equal.length + expressions.length === 0) return () => false;
	return (labels) =>
		equal.every(([name, value]) => labels[name] === value) &&
		expressions.every(({ key, operator, values }) => {
			const value = labels[key];
			if (operator === "Exists") return value !== undefined;
			if (operator === "DoesNotExist") return value === undefined;
			const listed = value !== undefined && (values ?? []).includes(value);
			return operator === "In" ? listed : !listed;
		});
}

export const SOURCE_OF: Readonly<Record<string, Source>> = { [SOURCES.kafka.kind]: "kafka", [SOURCES.nats.kind]: "nats" };
