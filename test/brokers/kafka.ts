// A real Kafka broker (KRaft, one node), from Maven Central.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { cached, run } from "./download.ts";
import { BrokerProcess, freePort } from "./process.ts";

const POM = join(import.meta.dirname, "pom.xml");
const JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"] as const;
const CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ";

/** Starts a broker with an empty data folder. @param host the address that clients use */
export async function startKafka(owner: Owner, host = "127.0.0.1"): Promise<BrokerProcess> {
	const jars = cached("kafka", readFileSync(POM, "utf8"), (place) => {
		run("mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", `-DoutputDirectory=${place}`);
	});
	const [port, controller] = [await freePort(), await freePort()];
	const home = folder(owner);
	const properties = join(home, "server.properties");
	writeFileSync(properties, settings(`${host}:${port}`, controller, join(home, "data")));
	const classpath = `${jars}/*`;
	const [java, ...flags] = JAVA;
	run(java, ...flags, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties);
	const broker = new BrokerProcess(owner, port, [java, ...flags, "-cp", classpath, "kafka.Kafka", properties], host);
	await broker.start();
	return broker;
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
