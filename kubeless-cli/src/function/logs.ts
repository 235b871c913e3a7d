// kubeless function logs.
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { KubeObject } from "../../../kubeless-controller/src/api/types.ts";
import { type ContainerStatus, newestPods, type PodStatus } from "../../../kubeless-controller/src/pods.ts";
import { CliError, UsageError } from "../errors.ts";
import { note } from "../output.ts";
import { assertPassedOn, namespaced, Session, type Shell } from "../session.ts";

interface LogFlags {
	readonly follow?: boolean;
	readonly tail?: string;
	readonly previous?: boolean;
}

export function addLogs(group: Command, shell: Shell): void {
	namespaced(group.command("logs <name>"))
		.description("print the log of a function, or of its installation while that runs")
		.option("-f, --follow", "go on with new lines")
		.option("--tail <lines>", "only the last lines")
		.option("-p, --previous", "of the container before its last restart")
		.action(async (name: string, { follow, tail, previous }: LogFlags, command: Command) => {
			if (tail !== undefined && !/^\d+$/.test(tail)) throw new UsageError(`--tail ${tail} is not a number of lines. Give one such as 100.`);
			const session = new Session(shell, command.optsWithGlobals());
			await session.get("Function", name);
			const place = logPlace(name, await session.list("Pod", `created-by=kubeless,function=${name}`));
			if (place.step) note(shell, `The function has not started. This is the log of the step "${place.container}" of pod ${place.pod}:`);
			const query = new URLSearchParams({
				container: place.container,
				...(follow && { follow: "true" }),
				...(tail && { tailLines: tail }),
				...(previous && { previous: "true" }),
			});
			const response = await session.raw(`${session.path("Pod", place.pod)}/log?${query}`);
			if (response.statusCode >= 400) {
				const text = await response.body.text();
				if (response.statusCode === 400) throw new CliError(`Pod ${place.pod} has no such log: ${JSON.parse(text).message}`);
				assertPassedOn(response.statusCode, "application/json", text);
			}
			await pipeline(response.body, shell.stdout, { end: false });
		});
}

export interface LogPlace {
	readonly pod: string;
	readonly container: string;
	/** Whether the container is one of those that prepare the function. */
	readonly step: boolean;
}

/**
 * Returns the container to read: a step that runs or has failed, else the function. Throws a
 * CliError if there is no pod.
 */
export function logPlace(name: string, pods: readonly KubeObject[]): LogPlace {
	const newest = newestPods(pods);
	const statusOf = ({ status }: KubeObject): PodStatus => (status ?? {}) as PodStatus;
	const started = ({ state, restartCount = 0 }: ContainerStatus): boolean => restartCount > 0 || !state?.waiting;
	const ready = newest.find((pod) => statusOf(pod).containerStatuses?.every((container) => container.ready));
	const pod = ready ?? newest.find((one) => statusOf(one).containerStatuses?.some(started)) ?? newest[0];
	if (!pod) throw new CliError(`Function "${name}" has no pod. See kubeless function describe ${name}.`);
	const { initContainerStatuses = [] } = statusOf(pod);
	const step = initContainerStatuses.find((container) => container.state?.terminated?.exitCode !== 0 && started(container));
	return { pod: pod.metadata.name, container: step?.name ?? name, step: step !== undefined };
}
