// CronJobTrigger: a CronJob whose pod calls the function once. A call that fails makes the Job
// fail.
import { servicePorts, timeoutSeconds } from "../api/function.ts";
import { CREATED_BY, ownAnnotations, ownerOf, serviceUrl, shortName } from "../api/names.ts";
import { type CronJobTrigger, type KubelessFunction, SpecError } from "../api/types.ts";
import { CONTAINER_SECURITY, POD_SECURITY } from "../function/pod.ts";
import type { Plan } from "../plan.ts";
import { missingFunction, type World } from "./world.ts";

/** Longest name of a CronJob: its Jobs' names add 11 characters. */
const MAX_CRONJOB_NAME = 52;
/** Longest value of one variable that Linux passes to a program, less some room, in bytes. */
const MAX_PAYLOAD_BYTES = 120 * 1024;
/** What a call's pod may take beside the call: scheduling, the image, the start, in s. */
const POD_SECONDS = 60;

/** The payload comes as a variable: no text of the user becomes a part of the script. */
const SCRIPT = `set -eu
set -- --fail --show-error --silent --location --max-time "$CALL_SECONDS" \\
  -H "Event-Id: $POD_UID" -H "Event-Time: $(date --rfc-3339=seconds --utc)" -H "Event-Namespace: cronjobtrigger.kubeless.io" \\
  -H "Event-Type: application/json" -H "Content-Type: application/json" "$FUNCTION_URL"
if [ -n "\${PAYLOAD:-}" ]; then printf %s "$PAYLOAD" | curl "$@" --data-binary @-; else curl "$@"; fi
`;

export function planCronJobTrigger(trigger: CronJobTrigger, world: World): Plan {
	const { spec, metadata } = trigger;
	const fn = world.fn(metadata.namespace, spec["function-name"]);
	if (!fn) return missingFunction(spec["function-name"]);
	const { name, namespace, labels, annotations } = metadata;
	const common = { labels: { ...labels, ...CREATED_BY }, annotations: ownAnnotations(annotations) };
	const seconds = Math.ceil(timeoutSeconds(fn.spec));
	return {
		objects: [
			{
				apiVersion: "batch/v1",
				kind: "CronJob",
				metadata: { name: shortName(name, "", MAX_CRONJOB_NAME), namespace, ...common, ownerReferences: [ownerOf(trigger)] },
				spec: {
					schedule: spec.schedule,
					...(spec.timeZone && { timeZone: spec.timeZone }),
					...(spec.startingDeadlineSeconds && { startingDeadlineSeconds: spec.startingDeadlineSeconds }),
					concurrencyPolicy: spec.concurrencyPolicy ?? "Allow",
					suspend: spec.suspend ?? false,
					successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
					failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1,
					jobTemplate: {
						spec: {
							// A call may have run although its answer was lost: it is never repeated.
							backoffLimit: 0,
							activeDeadlineSeconds: seconds + POD_SECONDS,
							template: podTemplate(trigger, fn, seconds, world),
						},
					},
				},
			},
		],
		notes: [],
	};
}

function podTemplate(trigger: CronJobTrigger, fn: KubelessFunction, seconds: number, { config }: World): object {
	const { name, namespace } = trigger.metadata;
	const env = {
		FUNCTION_URL: serviceUrl(fn.metadata.name, namespace, servicePorts(fn.spec)[0].port, config.clusterDomain),
		CALL_SECONDS: String(seconds),
		...payloadOf(trigger),
	};
	return {
		// Without the label `function`: these pods must not be in the function's Service.
		metadata: { labels: { ...CREATED_BY, cronjobtrigger: shortName(name, "") }, annotations: { "sidecar.istio.io/inject": "false" } },
		spec: {
			restartPolicy: "Never",
			automountServiceAccountToken: false,
			enableServiceLinks: false,
			securityContext: POD_SECURITY,
			...(config.pullSecrets.length > 0 && { imagePullSecrets: config.pullSecrets.map((secret) => ({ name: secret })) }),
			containers: [
				{
					name: "trigger",
					image: config.provisionImage,
					imagePullPolicy: "IfNotPresent",
					command: ["sh", "-c"],
					args: [SCRIPT],
					env: [
						{ name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
						...Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
					],
					resources: { limits: { memory: "64Mi", cpu: "100m" }, requests: { memory: "16Mi", cpu: "10m" } },
					securityContext: CONTAINER_SECURITY,
					terminationMessagePolicy: "FallbackToLogsOnError",
				},
			],
		},
	};
}

function payloadOf({ spec }: CronJobTrigger): { PAYLOAD?: string } {
	const { payload } = spec;
	if (payload === undefined || payload === null) return {};
	// Kubernetes expands $(NAME) in a variable's value, and reads $$ as $.
	const text = JSON.stringify(payload).replaceAll("$", "$$$$");
	if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
		throw new SpecError(
			"PayloadTooLarge",
			`payload has ${Buffer.byteLength(text)} bytes, the most is ${MAX_PAYLOAD_BYTES}. Let the function fetch it.`,
		);
	}
	return { PAYLOAD: text };
}
