// What the Kafka client's errors mean to the owner of a trigger.
import type { BaseOptions } from "@platformatic/kafka";
import { connectionCause } from "../connection-errors.ts";
import { chainOf, type Explain } from "../failures.ts";

/** Errors that publishing the same record again cannot cure. */
const UNPUBLISHABLE = new Set([
	"MESSAGE_TOO_LARGE",
	"RECORD_LIST_TOO_LARGE",
	"INVALID_TOPIC_EXCEPTION",
	"INVALID_RECORD",
	"CORRUPT_MESSAGE",
]);

/** @param topic the topic that the client consumes or publishes to */
export function kafkaCauses(options: BaseOptions, topic: string, group = ""): Explain {
	const { sasl, tls } = options;
	return (error) => {
		const errors = chainOf(error) as (NodeJS.ErrnoException & { apiId?: string })[];
		const says = (text: string): boolean => errors.some(({ message }) => message.includes(text));
		const answered = (...ids: readonly string[]): boolean => errors.some(({ apiId }) => apiId !== undefined && ids.includes(apiId));
		if (says(`Unknown topic ${topic}.`) || answered("UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID")) {
			return `topic "${topic}" does not exist. Create it, or correct the trigger's topic.`;
		}
		if (says("SASL authentication failed") || answered("SASL_AUTHENTICATION_FAILED")) {
			return `the broker refused user "${sasl?.username}". Check KAFKA_USERNAME, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM (${sasl?.mechanism}).`;
		}
		if (says("Cannot find a suitable SASL mechanism") || answered("UNSUPPORTED_SASL_MECHANISM")) {
			return `the broker does not offer SASL ${sasl?.mechanism} at this port. Set KAFKA_SASL_MECHANISM to one that it offers.`;
		}
		if (answered("TOPIC_AUTHORIZATION_FAILED")) return `the user may not use topic "${topic}". Change the broker's ACLs.`;
		if (answered("GROUP_AUTHORIZATION_FAILED")) return `the user may not use consumer group "${group}". Change the broker's ACLs.`;
		if (answered("INCONSISTENT_GROUP_PROTOCOL")) {
			return `consumer group "${group}" has members of another kind, which assign partitions differently. Stop them.`;
		}
		if (says("Broker requires TLS")) return "the broker uses TLS at this port. Set KAFKA_ENABLE_TLS to true.";
		const cause = connectionCause(error, "KAFKA");
		if (cause !== undefined) return cause;
		if (tls && says("TLS handshake failed"))
			return "the broker does not use TLS at this port. Remove KAFKA_ENABLE_TLS, or correct KAFKA_BROKERS.";
		if (errors.some(({ message }) => message === "Connection closed")) return closed(options);
		const texts = [...new Set(errors.filter(({ code }) => String(code).startsWith("PLT_KFK_")).map(({ message }) => message))];
		return texts.length > 0 ? texts.join(" ") : undefined;
	};
}

/**
 * The broker gives no reason when a client without certificate or password sends its first request.
 */
function closed({ sasl, tls }: BaseOptions): string {
	const asked = [
		...(tls && !(tls as { cert?: string }).cert ? ["a client's certificate, set KAFKA_CERT and KAFKA_KEY"] : []),
		...(sasl ? [] : ["a password, set KAFKA_ENABLE_SASL, KAFKA_USERNAME and KAFKA_PASSWORD"]),
	];
	return `the broker closed the connection.${asked.map((what) => ` If it asks for ${what}.`).join("")}`;
}

export const isUnpublishable = (error: unknown): boolean =>
	chainOf(error).some((one) => UNPUBLISHABLE.has((one as { apiId?: string }).apiId ?? ""));
