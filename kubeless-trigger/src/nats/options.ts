// How the NATS servers are reached.
import { readFileSync } from "node:fs";
import { credsAuthenticator, type NodeConnectionOptions } from "@nats-io/transport-node";
import { SettingsError } from "../settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {SettingsError} if a variable has a wrong value or names a file that cannot be read */
export function natsOptions(env: Environment, name: string): NodeConnectionOptions {
	const servers = (env["NATS_URL"] || "nats://nats.nats-io.svc.cluster.local:4222").split(",").map((url) => url.trim());
	const options: NodeConnectionOptions = { servers, name, maxReconnectAttempts: -1, waitOnFirstConnect: true, reconnectTimeWait: 1000 };
	const creds = env["NATS_CREDS"];
	if (creds) options.authenticator = credsAuthenticator(creds.includes("-----BEGIN") ? Buffer.from(creds) : readFile("NATS_CREDS", creds));
	else if (env["NATS_TOKEN"]) options.token = env["NATS_TOKEN"];
	else if (env["NATS_USER"]) Object.assign(options, { user: env["NATS_USER"], pass: env["NATS_PASSWORD"] ?? "" });
	const [caFile, certFile, keyFile] = [env["NATS_CACERTS"], env["NATS_CERT"], env["NATS_KEY"]];
	if (Boolean(certFile) !== Boolean(keyFile)) throw new SettingsError("NATS_CERT and NATS_KEY go together. Set both.");
	if (caFile || certFile || servers.some((url) => url.startsWith("tls://"))) {
		options.tls = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
	}
	return options;
}

function readFile(name: string, path: string): Buffer {
	try {
		return readFileSync(path);
	} catch (error) {
		throw new SettingsError(`${name} is "${path}", which cannot be read: ${(error as Error).message}.`);
	}
}
