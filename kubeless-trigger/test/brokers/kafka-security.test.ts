import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type Certificates, makeCertificates } from "../../../test/brokers/certificates.ts";
import { type SecurePorts, startSecureKafka, USER } from "../../../test/brokers/kafka.ts";
import { missing } from "../../../test/support/needs.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { NotedFunction } from "./functions.ts";
import { KafkaTools } from "./kafka-tools.ts";

type Env = Record<string, string>;

describe("kubeless-trigger kafka, to a broker with TLS and SASL", { concurrency: 3, skip: missing("openssl") }, () => {
	const owner = suiteOwner();
	let certificates: Certificates;
	let ports: SecurePorts;
	let tools: KafkaTools;
	before(async () => {
		certificates = makeCertificates(owner);
		const started = await startSecureKafka(owner, certificates);
		ports = started.ports;
		tools = new KafkaTools(() => `127.0.0.1:${started.broker.port}`);
	});

	const at = (port: keyof SecurePorts, host = "localhost"): Env => ({ KAFKA_BROKERS: `${host}:${ports[port]}` });
	const tls = (ca = certificates.ca): Env => ({ KAFKA_ENABLE_TLS: "true", KAFKA_CACERTS: ca });
	const client = (): Env => ({ KAFKA_CERT: certificates.client.certificate, KAFKA_KEY: certificates.client.key });
	const user = (mechanism: string, password = USER.password): Env => {
		return { KAFKA_ENABLE_SASL: "true", KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: USER.name, KAFKA_PASSWORD: password };
	};

	const accepted: [string, () => Env][] = [
		["TLS", () => ({ ...at("tls"), ...tls() })],
		["TLS, with an unverified certificate", () => ({ ...at("tls", "127.0.0.1"), KAFKA_ENABLE_TLS: "true", KAFKA_INSECURE: "true" })],
		["TLS with a client's certificate", () => ({ ...at("mtls"), ...tls(), ...client() })],
		["SASL PLAIN", () => ({ ...at("plain"), ...user("PLAIN") })],
		["SASL SCRAM-SHA-256 and TLS", () => ({ ...at("scram"), ...tls(), ...user("SCRAM-SHA-256") })],
		["SASL SCRAM-SHA-512 and TLS", () => ({ ...at("scram"), ...tls(), ...user("SCRAM-SHA-512") })],
	];
	for (const [how, env] of accepted) {
		test(`a message reaches the function, and its answer the reply topic: ${how}`, async (t) => {
			const [topic, reply] = [await tools.newTopic(), await tools.newTopic()];
			const fn = await NotedFunction.start(t);
			fn.answer = (_call, response) =>
				void response.writeHead(200, { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/f" }).end("answer");
			await tools.produce(topic, ["m"]);
			await tools.consumer(t, topic, [fn], { ...env(), TRIGGER_REPLY: reply }).ready();
			const [answer] = await tools.consumed(reply, 1);
			assert.equal(answer?.value, "answer");
			assert.deepEqual(
				fn.calls.map(({ id }) => id),
				["m"],
			);
		});
	}

	const refused: [string, () => Env, RegExp][] = [
		[
			"the password is wrong (PLAIN)",
			() => ({ ...at("plain"), ...user("PLAIN", "wrong") }),
			/the broker refused user \\"alice\\"\. Check KAFKA_USERNAME, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM \(PLAIN\)\./,
		],
		[
			"the password is wrong (SCRAM)",
			() => ({ ...at("scram"), ...tls(), ...user("SCRAM-SHA-512", "wrong") }),
			/the broker refused user \\"alice\\"\. Check KAFKA_USERNAME, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM \(SCRAM-SHA-512\)\./,
		],
		[
			"the mechanism is not offered",
			() => ({ ...at("plain"), ...user("SCRAM-SHA-256") }),
			/the broker does not offer SASL SCRAM-SHA-256 at this port\. Set KAFKA_SASL_MECHANISM/,
		],
		["there is no password", () => at("plain"), /the broker closed the connection\. If it asks for a password, set KAFKA_ENABLE_SASL/],
		[
			"the authority is unknown",
			() => ({ ...at("tls"), ...tls(certificates.otherCa) }),
			/certificate is signed by an unknown authority\. Set KAFKA_CACERTS to the authority's certificate\./,
		],
		[
			"the certificate has another host name",
			() => ({ ...at("tls", "127.0.0.1"), ...tls() }),
			/certificate is for DNS:localhost, not for 127\.0\.0\.1\. Use a name of the certificate in KAFKA_BROKERS\./,
		],
		[
			"the client's certificate is missing",
			() => ({ ...at("mtls"), ...tls() }),
			/the broker closed the connection\. If it asks for a client's certificate, set KAFKA_CERT and KAFKA_KEY\./,
		],
		["TLS is missing", () => at("tls"), /the broker uses TLS at this port\. Set KAFKA_ENABLE_TLS to true\./],
		[
			"the broker has no TLS at this port",
			() => ({ ...at("plain"), ...tls() }),
			/does not use TLS at this port\. Remove KAFKA_ENABLE_TLS, or correct KAFKA_BROKERS\./,
		],
		["no broker runs there", () => ({ KAFKA_BROKERS: "127.0.0.1:1" }), /cannot be reached \(.*127\.0\.0\.1:1\)\. Check KAFKA_BROKERS/],
	];
	for (const [why, env, line] of refused) {
		test(`one line of the log has the cause and the cure, and /readyz fails, if ${why}`, async (t) => {
			const consumer = tools.consumer(t, "any", [await NotedFunction.start(t)], env());
			await poll(
				() => line.test(consumer.output) || undefined,
				() => `no such line:\n${consumer.output}`,
			);
			assert.equal(await consumer.readiness(), 503);
			assert.equal(consumer.output.match(/trying again/g)?.length, 1, consumer.output);
			assert.doesNotMatch(consumer.output, /"stack"/);
			assert.equal(consumer.child.exitCode, null);
		});
	}
});
