// The status of a Function: three conditions, each with a reason and a sentence.

import { DEFAULT_PORT, servicePorts } from "../api/function.ts";
import { functionSelector, serviceUrl } from "../api/names.ts";
import type { Condition, KubelessFunction, KubeObject, Status } from "../api/types.ts";
import { built, type DeploymentStatus, type Finding, failedStep, newestPods, podProblem, replicaFailure } from "../pods.ts";
import { configured, type Outcome } from "../status.ts";

export interface Observed {
	readonly deployment: KubeObject | undefined;
	readonly pods: readonly KubeObject[];
	readonly clusterDomain: string;
}

export function functionStatus(fn: KubelessFunction, outcome: Outcome, { deployment, pods, clusterDomain }: Observed): Status {
	const { name, namespace } = fn.metadata;
	const newest = newestPods(pods);
	const { replicas = 0, readyReplicas = 0 } = (deployment?.status ?? {}) as DeploymentStatus;
	const port = outcome.failure?.permanent ? DEFAULT_PORT : servicePorts(fn.spec)[0].port;
	return {
		conditions: [configured(outcome), buildCondition(deployment, newest, outcome), readyCondition(fn, deployment, newest, outcome)],
		url: serviceUrl(name, namespace, port, clusterDomain),
		replicas,
		readyReplicas,
		selector: Object.entries(functionSelector(name))
			.map(([label, value]) => `${label}=${value}`)
			.join(","),
	};
}

function buildCondition(deployment: KubeObject | undefined, pods: readonly KubeObject[], { failure }: Outcome): Condition {
	const is = (status: Condition["status"], reason: string, message: string): Condition => ({ type: "Built", status, reason, message });
	if (failure) return is("Unknown", "NotConfigured", "The Function is not configured: see the condition Configured.");
	if (!hasSteps(deployment)) return is("True", "ImageGiven", "The function's image needs no build.");
	const failed = failedStep(pods);
	if (failed) return is("False", failed.reason, failed.message);
	if (built(pods)) return is("True", "Built", "The function and its dependencies are in place.");
	return is("Unknown", "Building", "The init containers are running, or no pod has been started yet.");
}

function hasSteps(deployment: KubeObject | undefined): boolean {
	const spec = deployment?.spec as { template?: { spec?: { initContainers?: unknown[] } } } | undefined;
	return !deployment || (spec?.template?.spec?.initContainers?.length ?? 0) > 0;
}

function readyCondition(
	fn: KubelessFunction,
	deployment: KubeObject | undefined,
	pods: readonly KubeObject[],
	outcome: Outcome,
): Condition {
	const is = (status: Condition["status"], { reason, message }: Finding): Condition => ({ type: "Ready", status, reason, message });
	if (outcome.failure)
		return is("False", { reason: "NotConfigured", message: "The Function is not configured: see the condition Configured." });
	const finding = workloadState(deployment, pods);
	if (fn.spec.suspend) return is("False", { reason: "Suspended", message: "spec.suspend is true: no pod runs." });
	return is(finding ? "False" : "True", finding ?? { reason: "Ready", message: "The function answers calls." });
}

/** Returns why a Deployment does not serve its current version, or undefined if it does. */
export function workloadState(deployment: KubeObject | undefined, pods: readonly KubeObject[]): Finding | undefined {
	const status = (deployment?.status ?? {}) as DeploymentStatus;
	const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
	const current = deployment !== undefined && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
	if (current && replicas > 0 && updatedReplicas === replicas && availableReplicas > 0) return undefined;
	const failed = failedStep(pods) ?? podProblem(pods) ?? replicaFailure(status);
	const serving = availableReplicas > 0 ? " The previous version still serves." : "";
	if (failed) return { reason: failed.reason, message: failed.message + serving };
	if ((deployment?.spec as { replicas?: number } | undefined)?.replicas === 0) {
		return { reason: "ScaledToZero", message: "The Deployment has 0 replicas: it waits for its scaler." };
	}
	return serving
		? { reason: "RollingOut", message: `The new version is being rolled out.${serving}` }
		: { reason: "Starting", message: "No pod is ready yet." };
}
