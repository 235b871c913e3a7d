import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import type { Settings } from "../settings.ts";
import type { Source } from "../source.ts";
import { Group } from "./group.ts";
import { kafkaOptions } from "./options.ts";
import { KafkaPublisher } from "./publisher.ts";

/**
 * Consumes a Kafka topic: each function has a consumer group of its own, so a slow function does
 * not slow another.
 */
export function kafkaSource(settings: Settings, env: NodeJS.ProcessEnv, metrics: Metrics, log: Logger): Source {
	const options = kafkaOptions(env, `kubeless-trigger-${settings.namespace}-${settings.name}`);
	const publisher = new KafkaPublisher(options);
	const groups: Group[] = [];
	return {
		publish: (publication) => publisher.publish(publication),
		async run(deliveries) {
			for (const { target, deliver } of deliveries) {
				groups.push(new Group(options, settings, target, deliver, metrics, log.child({ function: target.function })));
			}
			await Promise.all(groups.map((group) => group.run()));
		},
		ready: () => groups.length > 0 && groups.every((group) => group.ready),
		async close() {
			await Promise.all(groups.map((group) => group.close()));
			await publisher.close();
		},
	};
}
