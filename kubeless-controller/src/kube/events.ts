// Events (events.k8s.io/v1): what `kubectl describe` and `kubectl get events` show for a resource.
import { FIELD_MANAGER } from "../api/names.ts";
import type { Condition, Resource } from "../api/types.ts";
import type { Api } from "./api.ts";

/** Longest note that the API server takes, in characters. */
const MAX_NOTE = 1024;

/**
 * Records a changed condition. An event that cannot be written is no failure of the pass: its text
 * stands in the status as well.
 */
export async function recordEvent(
	api: Api,
	regarding: Resource<unknown>,
	{ type, status, reason, message }: Condition,
	instance: string,
): Promise<void> {
	const { apiVersion, kind, metadata } = regarding;
	const { name, namespace, uid } = metadata;
	await api.send("POST", `/apis/events.k8s.io/v1/namespaces/${namespace}/events`, {
		body: {
			apiVersion: "events.k8s.io/v1",
			kind: "Event",
			metadata: { generateName: `${name.slice(0, 200)}-`, namespace },
			eventTime: new Date().toISOString().replace("Z", "000Z"),
			reportingController: FIELD_MANAGER,
			reportingInstance: instance.slice(0, 128),
			action: type,
			reason,
			note: message.slice(0, MAX_NOTE),
			type: status === "False" ? "Warning" : "Normal",
			regarding: { apiVersion, kind, name, namespace, uid },
		},
	});
}
