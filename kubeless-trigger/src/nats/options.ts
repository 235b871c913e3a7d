// How the NATS servers are reached.
import { readFileSync } from "node:fs";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { credsAuthenticator, type NodeConnectionOptions, nkeyAuthenticator } from "@nats-io/transport-node";
import { SettingsError } from "../settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The limit of one attempt to connect. */
const TIMEOUT_MS = 5_000;

/** @throws {SettingsError} if a variable has a wrong value or names a file that cannot be read */
export function natsOptions(env: Environment, name: string): NodeConnectionOptions {
	const servers = (env["NATS_URL"] || "nats://nats.nats-io.svc.cluster.local:4222").split(",").map((url) => url.trim());
	const options: NodeConnectionOptions = {
		servers,
		name,
		maxReconnectAttempts: -1,
		reconnectTimeWait: 1000,
		ignoreAuthErrorAbort: true,
		timeout: TIMEOUT_MS,
	};
	const creds = read(env, "NATS_CREDS", /-----BEGIN/);
	const nkey = read(env, "NATS_NKEY", /^SU[A-Z2-7]{56}\s*$/);
	if (creds !== undefined) {
		if (!/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(creds)) {
			throw new SettingsError("NATS_CREDS has no user JWT and seed. Give the .creds file that nsc made.");
		}
		options.authenticator = credsAuthenticator(Buffer.from(creds));
	} else if (nkey !== undefined) {
		if (!/^SU[A-Z2-7]{56}$/.test(nkey.trim())) throw new SettingsError("NATS_NKEY is not the seed of a user. It begins with SU.");
		options.authenticator = nkeyAuthenticator(Buffer.from(nkey.trim()));
	} else if (env["NATS_TOKEN"]) options.token = env["NATS_TOKEN"];
	else if (env["NATS_USER"]) Object.assign(options, { user: env["NATS_USER"], pass: env["NATS_PASSWORD"] ?? "" });
	const [ca, cert, key] = (["NATS_CACERTS", "NATS_CERT", "NATS_KEY"] as const).map((variable) => read(env, variable, /-----BEGIN/));
	if ((cert === undefined) !== (key === undefined)) throw new SettingsError("NATS_CERT and NATS_KEY go together. Set both.");
	if (ca || cert || servers.some((url) => url.startsWith("tls://"))) {
		const check = { checkServerIdentity: identityOf(servers) };
		options.tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...check };
	}
	return options;
}

/**
 * Returns the check of a server's name. The client has no name for a server that is given by its
 * address, and Node.js then checks the name "localhost".
 */
function identityOf(servers: readonly string[]): typeof checkServerIdentity {
	const hosts = servers.map((url) => new URL(url.includes("://") ? url : `nats://${url}`).hostname);
	return (name: string, certificate: PeerCertificate) => {
		const names = name === "localhost" && !hosts.includes("localhost") ? hosts : [name];
		const errors = names.map((one) => checkServerIdentity(one, certificate));
		return errors.includes(undefined) ? undefined : errors[0];
	};
}

/** Returns a variable that is the text itself, or the path of a file. */
function read(env: Environment, name: string, isText: RegExp): string | undefined {
	const value = env[name];
	if (!value || isText.test(value)) return value || undefined;
	try {
		return readFileSync(value, "utf8");
	} catch (error) {
		throw new SettingsError(`${name} is "${value}", which cannot be read: ${(error as Error).message}.`);
	}
}
