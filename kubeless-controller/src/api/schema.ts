// The schemas of the API objects: the source of the CRDs and of `kubectl explain`.
import type { Fields } from "./types.ts";

const text = (description: string, more: Fields = {}): Fields => ({ type: "string", description, ...more });
const flag = (description: string): Fields => ({ type: "boolean", description });
const whole = (description: string, minimum: number, more: Fields = {}): Fields => ({
	type: "integer",
	format: "int32",
	minimum,
	description,
	...more,
});
const object = (description: string, properties: Fields, more: Fields = {}): Fields => ({
	type: "object",
	description,
	properties,
	...more,
});
/**
 * Part of another API. Go's encoder writes nulls and empty objects for what is not set, so nothing
 * in it is checked here.
 */
const foreign = (description: string): Fields => ({
	type: "object",
	nullable: true,
	"x-kubernetes-preserve-unknown-fields": true,
	description,
});
const rule = (expression: string, message: string, more: Fields = {}): Fields => ({ rule: expression, message, ...more });

/** True for a text that is not set or empty; else what follows must hold. */
const unset = (field: string): string => `!has(self.${field}) || self.${field} == ''`;

const suspend = flag("Stops it without deleting it.");

export const functionSpec: Fields = object(
	"A function and how it runs.",
	{
		handler: text("FILE.FUNCTION: the name of the file without its suffix, and the function in it.", { maxLength: 253 }),
		function: text("The function: its text, base64 of a file or an archive, or a URL. See function-content-type."),
		"function-content-type": text(
			"What `function` is: text, base64 or url; with +zip or +compressedtar for an archive, and +deps if the archive contains the file of dependencies.",
			{ maxLength: 32, default: "text" },
		),
		checksum: text("sha256:HEX of the function's file. A pod whose file differs does not start.", { maxLength: 72 }),
		runtime: text("Name of the runtime with its version, such as python3.13. The ConfigMap kubeless-config has the list.", {
			maxLength: 63,
		}),
		timeout: text("The most time that a call may take, in seconds.", { maxLength: 16, default: "180" }),
		deps: text("The file of dependencies, such as the text of a requirements.txt."),
		deployment: foreign(
			"Parts of the Deployment (apps/v1): replicas, labels, and of the pod: environment, resources, volumes, image and so on.",
		),
		service: foreign("The spec of the Service (v1). Default: port 8080."),
		horizontalPodAutoscaler: foreign(
			"A HorizontalPodAutoscaler (autoscaling/v2, or v2beta1 as Kubeless 1.0 wrote it). It has effect if spec.maxReplicas is set.",
		),
		scaledObject: foreign("The spec of a KEDA ScaledObject, without its target. It scales to zero as well. Needs KEDA in the cluster."),
		monitor: text("Makes a PodMonitor or a ServiceMonitor of the Prometheus operator: pod or service.", { enum: ["", "pod", "service"] }),
		suspend: flag("Runs no pod, and keeps everything else."),
	},
	{
		"x-kubernetes-validations": [
			rule(
				`${unset("runtime")} || (has(self.handler) && self.handler != '')`,
				"a runtime needs a handler: set spec.handler to FILE.FUNCTION",
				{
					fieldPath: ".handler",
				},
			),
			rule(
				`${unset("handler")} || self.handler.matches('^[-_a-zA-Z0-9]+[.][^.]+$')`,
				"handler must be FILE.FUNCTION, with one dot and without a path",
				{
					fieldPath: ".handler",
				},
			),
			rule(
				`${unset("function__dash__content__dash__type")} || self.function__dash__content__dash__type.matches('^(text|base64|url)?([+]zip|[+]compressedtar)?([+]deps)?$')`,
				"function-content-type must be text, base64 or url, each with +zip or +compressedtar, and +deps",
			),
			rule(
				`${unset("checksum")} || self.checksum.matches('^sha256:([0-9a-f]{64})?$')`,
				"checksum must be sha256: and 64 hexadecimal digits",
				{
					fieldPath: ".checksum",
				},
			),
			rule(`${unset("timeout")} || self.timeout.matches('^[0-9]+([.][0-9]+)?$')`, "timeout must be a number of seconds, such as 180", {
				fieldPath: ".timeout",
			}),
		],
	},
);

const functionName = text("Name of the Function in the trigger's namespace.", { minLength: 1, maxLength: 63 });

export const httpTriggerSpec: Fields = object(
	"A route from outside the cluster to a function.",
	{
		"function-name": functionName,
		"host-name": text("Host of the route. Empty: every host."),
		path: text("Path of the route. Empty: /. The function sees the path after it, where the gateway can remove it."),
		gateway: text(
			"NAMESPACE/NAME of a Gateway (Gateway API), or an Ingress class such as nginx, traefik or kong. Default: kubeless-config's gateway.",
		),
		tls: flag("A certificate by ACME, for an Ingress."),
		"tls-secret": text("Secret with the certificate, for an Ingress."),
		"basic-auth-secret": text("Secret with the users who may call, for an Ingress of the class nginx."),
		"cors-enable": flag("Answers CORS requests for every origin."),
	},
	{
		required: ["function-name"],
		"x-kubernetes-validations": [
			rule(
				"!(has(self.tls) && self.tls && has(self.tls__dash__secret) && self.tls__dash__secret != '')",
				"set either tls or tls-secret, not both",
			),
		],
	},
);

export const cronJobTriggerSpec: Fields = object(
	"Calls a function by a schedule. A call that fails is a failed Job.",
	{
		"function-name": functionName,
		schedule: text("When, in the format of cron: MINUTE HOUR DAY MONTH WEEKDAY, or @hourly and so on.", { minLength: 1 }),
		payload: {
			"x-kubernetes-preserve-unknown-fields": true,
			description: "Any JSON value, sent as the body of a POST. Without one the call is a GET.",
		},
		timeZone: text("Time zone of the schedule, such as Europe/Berlin. Default: the controller manager's."),
		concurrencyPolicy: text("What happens if the previous call still runs.", { enum: ["Allow", "Forbid", "Replace"], default: "Allow" }),
		successfulJobsHistoryLimit: whole("Jobs of successful calls that are kept.", 0, { default: 3 }),
		failedJobsHistoryLimit: whole("Jobs of failed calls that are kept.", 0, { default: 1 }),
		startingDeadlineSeconds: whole("A call that could not start within this time is left out.", 10),
		suspend,
	},
	{ required: ["function-name", "schedule"] },
);

const labels: Fields = { type: "object", nullable: true, additionalProperties: { type: "string" } };
const selector: Fields = object(
	"Labels of the Functions that get every message. Empty: none.",
	{
		matchLabels: { ...labels, description: "Labels and their values." },
		matchExpressions: {
			type: "array",
			nullable: true,
			description: "Conditions on labels. All must hold.",
			items: object(
				"A condition on a label.",
				{
					key: text("Name of the label."),
					operator: text("In, NotIn, Exists or DoesNotExist.", { enum: ["In", "NotIn", "Exists", "DoesNotExist"] }),
					values: { type: "array", nullable: true, description: "Values for In and NotIn.", items: { type: "string" } },
				},
				{ required: ["key", "operator"] },
			),
		},
	},
	{ nullable: true },
);

const messageTrigger = (topic: string, servers: string, deadLetter: string, reply: string, scaled: string): Fields =>
	object(
		"Calls functions with messages.",
		{
			topic: text(topic, { minLength: 1 }),
			functionSelector: selector,
			servers: text(servers),
			secret: text("Secret whose values become variables of the consumer: user, password, certificates. See TRIGGER-ENVIRONMENT.md."),
			delivery: object(
				"How often and how fast messages are delivered.",
				{
					mode: text("at-most-once: a message is never repeated. at-least-once: a call that fails is repeated.", {
						enum: ["at-most-once", "at-least-once"],
						default: "at-most-once",
					}),
					maxAttempts: whole("Calls for one message with at-least-once.", 1, { default: 5 }),
					maxBackoffSeconds: whole("Longest pause between two of them.", 1, { default: 60 }),
					deadLetter: text(deadLetter),
					reply: text(reply),
					concurrency: whole("Messages that one function gets at the same time. 1 keeps their order.", 1, { default: 1 }),
					start: text("Where a new consumer group starts.", { enum: ["latest", "earliest"], default: "latest" }),
				},
				{ nullable: true },
			),
			replicas: whole("Consumers that share the messages.", 0),
			scaledObject: foreign(scaled),
			suspend,
		},
		{ required: ["topic"] },
	);

export const kafkaTriggerSpec = messageTrigger(
	"Topic that the messages come from.",
	"Brokers: HOST:PORT, separated by commas. Default: kubeless-config's kafka-brokers.",
	"Topic for messages whose calls all failed.",
	"Topic for a function's answers that are CloudEvents.",
	"The spec of a KEDA ScaledObject that scales the consumers, without its target. Without triggers they are scaled by lag. Needs KEDA in the cluster.",
);
export const natsTriggerSpec = messageTrigger(
	"Subject that the messages come from. It may have wildcards.",
	"URLs of the servers, separated by commas. Default: kubeless-config's nats-url.",
	"Subject for messages whose calls all failed.",
	"Subject for a function's answers that are CloudEvents.",
	"The spec of a KEDA ScaledObject that scales the consumers, without its target. Needs KEDA in the cluster.",
);

const condition: Fields = object(
	"One aspect of the state.",
	{
		type: text("Configured, Built or Ready."),
		status: text("True, False or Unknown.", { enum: ["True", "False", "Unknown"] }),
		reason: text("One word."),
		message: text("A sentence for people."),
		lastTransitionTime: text("When the status changed.", { format: "date-time" }),
		observedGeneration: { type: "integer", format: "int64", description: "Generation of the spec that this is about." },
	},
	{ required: ["type", "status"] },
);

const count = (description: string): Fields => ({ type: "integer", format: "int32", description });
const common: Fields = {
	observedGeneration: { type: "integer", format: "int64", description: "Generation of the spec that this status is about." },
	conditions: {
		type: "array",
		description: "Configured: the objects are made. Built: the function is unpacked and its dependencies are installed. Ready: it works.",
		items: condition,
		"x-kubernetes-list-type": "map",
		"x-kubernetes-list-map-keys": ["type"],
	},
};

export const functionStatusSchema: Fields = object("What the cluster has.", {
	...common,
	url: text("Address inside the cluster."),
	replicas: count("Pods."),
	readyReplicas: count("Pods that take calls."),
	selector: text("Labels of the pods, for the scale subresource."),
});
export const triggerStatusSchema: Fields = object("What the cluster has.", common);
export const httpTriggerStatusSchema: Fields = object("What the cluster has.", { ...common, url: text("Address outside the cluster.") });
