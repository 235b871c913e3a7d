import type { Condition, HTTPTrigger, KubeObject, Resource, Status } from "../api/types.ts";
import { workloadState } from "../function/status.ts";
import { newestPods } from "../pods.ts";
import { configured, type Outcome } from "../status.ts";
import { routeProblem, triggerUrl } from "./http.ts";

/**
 * Returns the status of a trigger. @param made the first object made for it, as the API server has
 * it @param pods the consumer's
 */
export function triggerStatus(
	trigger: Resource<unknown>,
	outcome: Outcome,
	made: KubeObject | undefined,
	pods: readonly KubeObject[],
): Status {
	const ready = readyCondition(trigger, outcome, made, pods);
	const url = trigger.kind === "HTTPTrigger" && made ? { url: triggerUrl(trigger as HTTPTrigger) } : {};
	return { conditions: [configured(outcome), ready], ...url };
}

function readyCondition(
	trigger: Resource<unknown>,
	outcome: Outcome,
	made: KubeObject | undefined,
	pods: readonly KubeObject[],
): Condition {
	const is = (status: Condition["status"], reason: string, message: string): Condition => ({ type: "Ready", status, reason, message });
	if (outcome.failure || outcome.plan?.problem)
		return is("False", "NotConfigured", "The trigger is not configured: see the condition Configured.");
	if ((trigger.spec as { suspend?: boolean }).suspend) return is("False", "Suspended", "spec.suspend is true: no function is called.");
	if (!made) return is("Unknown", "Starting", "The objects have just been made.");
	switch (made.kind) {
		case "HTTPRoute": {
			const problem = routeProblem(made);
			return problem ? is("False", problem.reason, problem.message) : is("True", "Accepted", "The Gateway has accepted the route.");
		}
		case "Deployment": {
			const problem = workloadState(made, newestPods(pods));
			return problem ? is("False", problem.reason, problem.message) : is("True", "Consuming", "The consumer delivers messages.");
		}
		default:
			return is("True", "Applied", `The ${made.kind} ${made.metadata.name} is in place.`);
	}
}
