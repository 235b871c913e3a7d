// A real Kafka broker (KRaft, one node), from Maven Central.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import type { Certificates } from "./certificates.ts";
import { cached, run } from "./download.ts";
import { BrokerProcess, freePort } from "./process.ts";

const POM = join(import.meta.dirname, "pom.xml");
const JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"] as const;
const CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ";

/** The user of the listeners that authenticate. */
export const USER = { name: "alice", password: 'open "sesame"' };

/** Ports of listeners on `localhost`, beside the one without security. */
export interface SecurePorts {
	readonly tls: number;
	/** TLS that asks for a client's certificate. */
	readonly mtls: number;
	/** SASL PLAIN without TLS. */
	readonly plain: number;
	/** SASL SCRAM-SHA-256 and SCRAM-SHA-512 with TLS. */
	readonly scram: number;
}

/** Starts a broker with an empty data folder. @param host the address that clients use */
export async function startKafka(owner: Owner, host = "127.0.0.1"): Promise<BrokerProcess> {
	return startBroker(owner, host, "", []);
}

/** Starts a broker with further listeners that use TLS and SASL. */
export async function startSecureKafka(owner: Owner, certificates: Certificates): Promise<{ broker: BrokerProcess; ports: SecurePorts }> {
	const ports = { tls: await freePort(), mtls: await freePort(), plain: await freePort(), scram: await freePort() };
	const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => {
		return ["--add-scram", `${mechanism}=[name="${USER.name}",password="${USER.password}"]`];
	});
	return { broker: await startBroker(owner, "127.0.0.1", security(ports, certificates), users), ports };
}

async function startBroker(owner: Owner, host: string, further: string, format: readonly string[]): Promise<BrokerProcess> {
	const jars = cached("kafka", readFileSync(POM, "utf8"), (place) => {
		run("mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", `-DoutputDirectory=${place}`);
	});
	const [port, controller] = [await freePort(), await freePort()];
	const home = folder(owner);
	const properties = join(home, "server.properties");
	writeFileSync(properties, merged(`${settings(`${host}:${port}`, controller, join(home, "data"))}${further}`));
	const classpath = `${jars}/*`;
	const [java, ...flags] = JAVA;
	run(java, ...flags, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties, ...format);
	const broker = new BrokerProcess(owner, port, [java, ...flags, "-cp", classpath, "kafka.Kafka", properties], host);
	await broker.start();
	return broker;
}

/** Joins the values of a property that is given twice, with a comma. */
function merged(text: string): string {
	const values = new Map<string, string>();
	for (const line of text.split("\n").filter((one) => one !== "")) {
		const at = line.indexOf("=");
		const [name, value] = [line.slice(0, at), line.slice(at + 1)];
		values.set(name, values.has(name) ? `${values.get(name)},${value}` : value);
	}
	return [...values].map(([name, value]) => `${name}=${value}\n`).join("");
}

const settings = (address: string, controller: number, data: string): string => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://${address},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://${address}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;

const quoted = (text: string): string => `"${text.replaceAll('"', '\\\\"')}"`;

const security = ({ tls, mtls, plain, scram }: SecurePorts, { ca, server }: Certificates): string => `
listeners=TLS://127.0.0.1:${tls},MTLS://127.0.0.1:${mtls},PLAIN://127.0.0.1:${plain},SCRAM://127.0.0.1:${scram}
advertised.listeners=TLS://localhost:${tls},MTLS://localhost:${mtls},PLAIN://localhost:${plain},SCRAM://localhost:${scram}
listener.security.protocol.map=TLS:SSL,MTLS:SSL,PLAIN:SASL_PLAINTEXT,SCRAM:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=${server.both}
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
listener.name.mtls.ssl.client.auth=required
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER.name}=${quoted(USER.password)};
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.scram.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
`;
