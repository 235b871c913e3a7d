// Why pods are not ready: one reason and one sentence from the states of a Deployment and its pods.
import type { KubeObject } from "./api/types.ts";

export interface Finding {
	readonly reason: string;
	readonly message: string;
}

interface Terminated {
	exitCode: number;
	reason?: string;
	message?: string;
}

interface ContainerState {
	waiting?: { reason?: string; message?: string };
	running?: object;
	terminated?: Terminated;
}

export interface ContainerStatus {
	name: string;
	ready?: boolean;
	restartCount?: number;
	state?: ContainerState;
	lastState?: ContainerState;
}

export interface PodStatus {
	phase?: string;
	reason?: string;
	message?: string;
	conditions?: { type: string; status: string; reason?: string; message?: string }[];
	initContainerStatuses?: ContainerStatus[];
	containerStatuses?: ContainerStatus[];
}

export interface DeploymentStatus {
	observedGeneration?: number;
	replicas?: number;
	updatedReplicas?: number;
	readyReplicas?: number;
	availableReplicas?: number;
	conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

/** Longest message in a status, in characters: a compiler's output has no limit. */
const MAX_MESSAGE = 1024;
const PULL_ERRORS = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"]);

const statusOf = (pod: KubeObject): PodStatus => (pod.status ?? {}) as PodStatus;

/** Returns the pods of the newest ReplicaSet among a Deployment's pods. */
export function newestPods(pods: readonly KubeObject[]): KubeObject[] {
	const living = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
	const newest = living.reduce<KubeObject | undefined>((found, pod) => (!found || created(pod) > created(found) ? pod : found), undefined);
	return newest ? living.filter((pod) => hashOf(pod) === hashOf(newest)) : [];
}

const created = ({ metadata }: KubeObject): string => metadata.creationTimestamp ?? "";
const hashOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.["pod-template-hash"];

/**
 * Returns the first init container that fails, or undefined. @param names what the steps are called
 * in a condition's reason
 */
export function failedStep(pods: readonly KubeObject[]): (Finding & { readonly step: string }) | undefined {
	for (const pod of pods) {
		for (const container of statusOf(pod).initContainerStatuses ?? []) {
			const { state, lastState, name } = container;
			const step = name.charAt(0).toUpperCase() + name.slice(1);
			const pull = pullError(container);
			if (pull) return { step: name, ...pull };
			const ended = state?.terminated ?? lastState?.terminated;
			if (ended && ended.exitCode !== 0) {
				return {
					step: name,
					reason: `${step}Failed`,
					message: clip(`${name} ended with exit code ${ended.exitCode}: ${ended.message?.trim() || ended.reason}`),
				};
			}
		}
	}
	return undefined;
}

/** Whether all init containers of one of the pods have ended well. */
export const built = (pods: readonly KubeObject[]): boolean =>
	pods.some((pod) => {
		const { initContainerStatuses = [], conditions = [] } = statusOf(pod);
		if (initContainerStatuses.length === 0) return conditions.some(({ type, status }) => type === "Initialized" && status === "True");
		return initContainerStatuses.every(({ state }) => state?.terminated?.exitCode === 0);
	});

/** Returns why containers do not get ready, or undefined if nothing is wrong so far. */
export function podProblem(pods: readonly KubeObject[]): Finding | undefined {
	for (const pod of pods) {
		const { conditions = [], containerStatuses = [], reason, message, phase } = statusOf(pod);
		const unscheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
		if (unscheduled)
			return { reason: unscheduled.reason ?? "Unschedulable", message: clip(`no node takes the pod: ${unscheduled.message}`) };
		if (phase === "Failed") return { reason: reason ?? "PodFailed", message: clip(message ?? "the pod failed") };
		for (const container of containerStatuses) {
			const problem = pullError(container) ?? crash(container);
			if (problem) return problem;
		}
	}
	return undefined;
}

function pullError({ name, state }: ContainerStatus): Finding | undefined {
	const { reason = "", message = "" } = state?.waiting ?? {};
	if (PULL_ERRORS.has(reason)) return { reason, message: clip(`the image of container ${name} cannot be pulled: ${message || reason}`) };
	if (reason.startsWith("CreateContainer")) return { reason, message: clip(`container ${name} cannot be made: ${message}`) };
	return undefined;
}

function crash({ name, state, lastState, restartCount = 0, ready }: ContainerStatus): Finding | undefined {
	const ended = state?.terminated ?? lastState?.terminated;
	if (ready || !ended) return undefined;
	if (ended.reason === "OOMKilled") {
		return {
			reason: "OOMKilled",
			message: `container ${name} needed more memory than its limit (${restartCount} restarts). Raise the limit.`,
		};
	}
	const why = ended.message?.trim() || ended.reason || "no message";
	// After the second crash the kubelet waits with the next start, but shows that only 10 s later.
	const waits = restartCount > 0 && !state?.running;
	return {
		reason: state?.waiting?.reason ?? (waits ? "CrashLoopBackOff" : "Crashed"),
		message: clip(`container ${name} ended with exit code ${ended.exitCode} (${restartCount} restarts): ${why}`),
	};
}

/** Returns what keeps a Deployment from making pods, such as a quota; undefined if nothing does. */
export function replicaFailure(status: DeploymentStatus): Finding | undefined {
	const failure = status.conditions?.find(({ type, status: value }) => type === "ReplicaFailure" && value === "True");
	if (!failure) return undefined;
	const quota = failure.message?.includes("exceeded quota");
	return { reason: quota ? "QuotaExceeded" : (failure.reason ?? "FailedCreate"), message: clip(failure.message ?? "pods cannot be made") };
}

const clip = (text: string): string => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text);
