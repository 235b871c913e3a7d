// The CustomResourceDefinitions. deploy/ has them as YAML, written by generate.ts.
import * as schema from "./schema.ts";
import { type Fields, GROUP, type KubeObject } from "./types.ts";

interface Definition {
	readonly kind: string;
	readonly plural: string;
	readonly shortNames: readonly string[];
	readonly spec: Fields;
	readonly status: Fields;
	readonly columns: readonly Fields[];
	readonly scale?: Fields;
}

const column = (name: string, jsonPath: string, more: Fields = {}): Fields => ({ name, type: "string", jsonPath, ...more });
const condition = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;
const READY = [
	column("Ready", condition("Ready", "status")),
	column("Reason", condition("Ready", "reason")),
	column("Age", ".metadata.creationTimestamp", { type: "date" }),
	column("Message", condition("Ready", "message"), { priority: 1 }),
];
const FUNCTION = column("Function", ".spec['function-name']");
const TOPIC = column("Topic", ".spec.topic");

const DEFINITIONS: readonly Definition[] = [
	{
		kind: "Function",
		plural: "functions",
		shortNames: ["fn"],
		spec: schema.functionSpec,
		status: schema.functionStatusSchema,
		columns: [
			column("Handler", ".spec.handler"),
			column("Runtime", ".spec.runtime"),
			column("Pods", ".status.readyReplicas", { type: "integer" }),
			...READY,
			column("URL", ".status.url", { priority: 1 }),
		],
		scale: {
			specReplicasPath: ".spec.deployment.spec.replicas",
			statusReplicasPath: ".status.replicas",
			labelSelectorPath: ".status.selector",
		},
	},
	{
		kind: "HTTPTrigger",
		plural: "httptriggers",
		shortNames: ["ht"],
		spec: schema.httpTriggerSpec,
		status: schema.httpTriggerStatusSchema,
		columns: [FUNCTION, column("URL", ".status.url"), ...READY],
	},
	{
		kind: "CronJobTrigger",
		plural: "cronjobtriggers",
		shortNames: ["ct"],
		spec: schema.cronJobTriggerSpec,
		status: schema.triggerStatusSchema,
		columns: [FUNCTION, column("Schedule", ".spec.schedule"), ...READY],
	},
	{
		kind: "KafkaTrigger",
		plural: "kafkatriggers",
		shortNames: ["kt"],
		spec: schema.kafkaTriggerSpec,
		status: schema.triggerStatusSchema,
		columns: [TOPIC, ...READY],
	},
	{
		kind: "NATSTrigger",
		plural: "natstriggers",
		shortNames: ["nt"],
		spec: schema.natsTriggerSpec,
		status: schema.triggerStatusSchema,
		columns: [TOPIC, ...READY],
	},
];

export const crds = (): KubeObject[] => DEFINITIONS.map(crd);

function crd({ kind, plural, shortNames, spec, status, columns, scale }: Definition): KubeObject {
	return {
		apiVersion: "apiextensions.k8s.io/v1",
		kind: "CustomResourceDefinition",
		metadata: { name: `${plural}.${GROUP}` },
		spec: {
			group: GROUP,
			scope: "Namespaced",
			names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames, categories: ["kubeless"] },
			versions: [
				{
					name: "v1beta1",
					served: true,
					storage: true,
					subresources: { status: {}, ...(scale && { scale }) },
					additionalPrinterColumns: columns,
					schema: { openAPIV3Schema: { type: "object", required: ["spec"], properties: { spec, status } } },
				},
			],
		},
	};
}
