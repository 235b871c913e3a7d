// A module of its own: an `import()` of the client itself, which is CommonJS, has no named exports
// in a bundle.
import { connect } from "@nats-io/transport-node";
import { natsOptions } from "../../kubeless-trigger/src/nats/options.ts";

/** Publishes one message. Resolves when the server has it. */
export async function publishToNats(env: Readonly<Record<string, string | undefined>>, subject: string, message: string): Promise<void> {
	const options = natsOptions(env, "kubeless-cli");
	const connection = await connect({ ...options, waitOnFirstConnect: false, maxReconnectAttempts: 0 });
	connection.publish(subject, message);
	await connection.flush();
	await connection.close();
}
