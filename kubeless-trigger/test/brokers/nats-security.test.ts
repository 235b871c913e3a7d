import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { connect, type NatsConnection, nkeys } from "@nats-io/transport-node";
import { type Certificates, makeCertificates } from "../../../test/brokers/certificates.ts";
import { startNats } from "../../../test/brokers/nats.ts";
import { missing } from "../../../test/support/needs.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { natsOptions } from "../../src/nats/options.ts";
import { ConsumerProcess } from "./consumer.ts";
import { NotedFunction } from "./functions.ts";
import { until } from "./kafka-tools.ts";

type Env = Record<string, string>;
type KeyPair = ReturnType<typeof nkeys.createUser>;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A JSON Web Token as NATS reads it, signed by `issuer`. */
function token(issuer: KeyPair, subject: KeyPair, name: string, claims: object): string {
	const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
	const claim = {
		jti: name,
		iat: Math.floor(Date.now() / 1000),
		iss: issuer.getPublicKey(),
		sub: subject.getPublicKey(),
		name,
		nats: claims,
	};
	const signed = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claim)}`;
	return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString("base64url")}`;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };

describe("kubeless-trigger nats, to servers with TLS and users", { concurrency: 3, skip: missing("openssl") }, () => {
	const owner = suiteOwner();
	const nkey = nkeys.createUser();
	let certificates: Certificates;
	/** Users by password and by key. */
	let users: number;
	/** The same with TLS, and a client's certificate. */
	let tls: number;
	/** Users by credentials of an operator's account. */
	let operated: number;
	let creds: string;

	before(async () => {
		certificates = makeCertificates(owner);
		const { server, ca } = certificates;
		const authorization = `authorization { users = [{ user: alice, password: "open sesame" }, { nkey: ${nkey.getPublicKey()} }] }`;
		users = (await startNats(owner, authorization)).port;
		const files = `cert_file: "${server.certificate}", key_file: "${server.key}", ca_file: "${ca}", verify: true`;
		tls = (await startNats(owner, `${authorization}\ntls { ${files} }`)).port;
		const [operator, system, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount(), nkeys.createUser()];
		const ofOperator = token(operator, operator, "o", { type: "operator", version: 2 });
		const limits = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
		const accounts = [system, account].map((one) => {
			return `${one.getPublicKey()}: ${token(operator, one, "a", { type: "account", version: 2, limits })}`;
		});
		const ofUser = token(account, user, "u", { type: "user", version: 2, pub: {}, sub: {}, ...UNLIMITED });
		const resolver = `resolver: MEMORY\nresolver_preload: { ${accounts.join(", ")} }\nsystem_account: ${system.getPublicKey()}`;
		operated = (await startNats(owner, `operator: ${ofOperator}\n${resolver}`)).port;
		creds = `-----BEGIN NATS USER JWT-----\n${ofUser}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${text(user.getSeed())}\n------END USER NKEY SEED------\n`;
	});

	const at = (port: number, host = "localhost"): Env => ({ NATS_URL: `nats://${host}:${port}` });
	const alice = (password = "open sesame"): Env => ({ NATS_USER: "alice", NATS_PASSWORD: password });
	const trust = (ca = certificates.ca): Env => ({ NATS_CACERTS: ca });
	const client = (): Env => ({ NATS_CERT: certificates.client.certificate, NATS_KEY: certificates.client.key });
	const seed = (): Env => ({ NATS_NKEY: text(nkey.getSeed()) });

	async function consumer(t: { after(clear: () => void): void }, env: Env): Promise<{ process: ConsumerProcess; fn: NotedFunction }> {
		const fn = await NotedFunction.start(t);
		const targets = JSON.stringify([{ function: "f", url: fn.url, group: "g", timeout: 30 }]);
		return { fn, process: new ConsumerProcess(t, "nats", { TRIGGER_TOPIC: "orders", TRIGGER_TARGETS: targets, ...env }) };
	}

	const accepted: [string, () => Env][] = [
		["a user and a password", () => ({ ...at(users), ...alice() })],
		["an nkey", () => ({ ...at(users), ...seed() })],
		["a user, a password, TLS and a client's certificate", () => ({ ...at(tls), ...alice(), ...trust(), ...client() })],
		["credentials with a JWT", () => ({ ...at(operated), NATS_CREDS: creds })],
	];
	for (const [how, env] of accepted) {
		test(`a message reaches the function: ${how}`, async (t) => {
			const { process, fn } = await consumer(t, env());
			await process.ready();
			const nats: NatsConnection = await connect(natsOptions(env(), "test"));
			nats.publish("orders", "m");
			await until("the call", () => fn.calls.some(({ id }) => id === "m"));
			await nats.close();
		});
	}

	const refused: [string, () => Env, RegExp][] = [
		[
			"the password is wrong",
			() => ({ ...at(users), ...alice("wrong") }),
			/the server refused the user\. Check NATS_USER and NATS_PASSWORD/,
		],
		["the key is unknown", () => ({ ...at(users), NATS_NKEY: text(nkeys.createUser().getSeed()) }), /the server refused the user\./],
		["the credentials are of another operator", () => ({ ...at(users), NATS_CREDS: creds }), /the server refused the user\./],
		[
			"the authority is unknown",
			() => ({ ...at(tls), ...alice(), ...client(), ...trust(certificates.otherCa) }),
			/signed by an unknown authority\. Set NATS_CACERTS/,
		],
		[
			"the certificate has another host name",
			() => ({ ...at(tls, "127.0.0.1"), ...alice(), ...client(), ...trust() }),
			/certificate is for DNS:localhost, not for 127\.0\.0\.1\. Use a name of the certificate in NATS_URL\./,
		],
		[
			"the client's certificate is missing",
			() => ({ ...at(tls), ...alice(), ...trust() }),
			/If it asks for a client's certificate, set NATS_CERT and NATS_KEY\./,
		],
		[
			"the server has no TLS",
			() => ({ ...at(users), ...alice(), ...trust() }),
			/the server does not use TLS at this port\. Correct NATS_URL\./,
		],
		["no server runs there", () => ({ NATS_URL: "nats://127.0.0.1:1" }), /the server cannot be reached.*Check NATS_URL/],
	];
	for (const [why, env, line] of refused) {
		test(`one line of the log has the cause and the cure, and /readyz fails, if ${why}`, async (t) => {
			const { process } = await consumer(t, env());
			await poll(
				() => line.test(process.output) || undefined,
				() => `no such line:\n${process.output}`,
			);
			assert.equal(await process.readiness(), 503);
			assert.equal(process.output.match(/trying again/g)?.length, 1, process.output);
			assert.doesNotMatch(process.output, /"stack"/);
			assert.equal(process.child.exitCode, null);
		});
	}
});
