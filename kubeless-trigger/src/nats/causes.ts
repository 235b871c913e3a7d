// What the NATS client's errors mean to the owner of a trigger.
import { connectionCause } from "../connection-errors.ts";
import { chainOf } from "../failures.ts";

/** Explains an error of the connection, of a stream, or of a consumer. */
export function natsCause(error: Error): string | undefined {
	const cause = connectionCause(error, "NATS");
	if (cause !== undefined) return cause;
	const errors = chainOf(error);
	const says = (pattern: RegExp): boolean => errors.some(({ name, message }) => pattern.test(`${name}: ${message}`));
	if (says(/connection refused/i)) return "the server cannot be reached. Check NATS_URL, and that the server runs.";
	if (says(/Authorization Violation|Authentication Timeout|^AuthorizationError/i)) {
		return "the server refused the user. Check NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDS or NATS_NKEY.";
	}
	if (says(/Authentication Expired/i)) return "the user's credentials have expired. Renew NATS_CREDS.";
	const permission = errors.find(({ message }) => /Permissions Violation/i.test(message));
	if (permission) return `${permission.message}. Change the user's permissions at the server.`;
	if (says(/does not support 'tls'/i)) return "the server does not use TLS at this port. Correct NATS_URL.";
	if (says(/consumer deleted|consumer not found/i))
		return "the JetStream consumer was deleted. It is made again, if the stream still exists.";
	if (says(/stream not found/i)) return "the JetStream stream does not exist. Create it, or correct NATS_STREAM.";
	if (says(/^TimeoutError/)) {
		// A server that refuses a client for its certificate ends the connection without an answer.
		return "the server does not answer. If it asks for a client's certificate, set NATS_CERT and NATS_KEY.";
	}
	return undefined;
}
