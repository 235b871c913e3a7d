// kubeless-trigger kafka|nats: calls functions with the messages of a topic. All settings are
// environment variables.
import process from "node:process";
import { pino } from "pino";
import { Delivery } from "./delivery.ts";
import { kafkaSource } from "./kafka/source.ts";
import { Metrics } from "./metrics.ts";
import { natsSource } from "./nats/source.ts";
import { serveOperations } from "./operations.ts";
import { readSettings, SettingsError } from "./settings.ts";
import { FunctionClient } from "./target.ts";

const SOURCES = { kafka: kafkaSource, nats: natsSource };
/**
 * Calls that run at SIGTERM may take this long. Kubernetes kills the pod after its own grace
 * period. In ms.
 */
const MAX_DRAIN_MS = 10 * 60_000;

try {
	await main(process.argv[2], process.env);
} catch (error) {
	if (!(error instanceof SettingsError)) throw error;
	console.error(error.message);
	process.exit(1); // connections may be open already
}

async function main(word: string | undefined, env: NodeJS.ProcessEnv): Promise<void> {
	if (word !== "kafka" && word !== "nats") {
		console.error(`${word === undefined ? "No source is given" : `Unknown source "${word}"`}. Usage: kubeless-trigger kafka|nats`);
		process.exitCode = 2;
		return;
	}
	const settings = readSettings(word, env);
	const log = pino({ level: settings.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
	const metrics = new Metrics();
	const source = SOURCES[word](settings, env, metrics, log);
	const clients = settings.targets.map((target) => new FunctionClient(target, settings.concurrency));
	const deliveries = settings.targets.map((target, index) => {
		const delivery = new Delivery(settings, clients[index] as FunctionClient, source.publish, metrics, log);
		return { target, deliver: delivery.deliver.bind(delivery) };
	});
	let broken = false;
	const operations = await serveOperations(settings.port, metrics.registry, () => ({ broken, ready: source.ready() }));
	const address = operations.address();
	log.info({ topic: settings.topic, delivery: settings.mode, port: typeof address === "object" ? address?.port : undefined }, "consuming");

	const stop = async (): Promise<void> => {
		log.info("stopping");
		setTimeout(() => process.exit(1), MAX_DRAIN_MS).unref();
		await source.close();
		await Promise.all(clients.map((client) => client.close()));
		process.exit(0);
	};
	process.once("SIGTERM", stop).once("SIGINT", stop);
	process.on("uncaughtException", (error) => {
		broken = true;
		log.fatal({ err: error }, "uncaught exception, /healthz fails from now on");
	});
	await source.run(deliveries);
}
