// A consumer without any of what kubeless-trigger adds: the same client library, and each message
// is posted with undici. At most once stores the position before the call, at least once after it;
// both as the library does by itself, which keeps neither promise when the consumer is killed.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Consumer } from "@platformatic/kafka";
import { Pool } from "undici";

const { SOURCE, SERVERS, TOPIC, GROUP, URL: url, CALLS, MODE } = process.env;
const limit = Number(CALLS);
const pool = new Pool(url, { connections: limit, pipelining: 1 });
const headers = { "content-type": "application/json" };
let running = 0;
let wake;

async function post(body) {
	const { body: answer } = await pool.request({ method: "POST", path: "/", headers, body });
	await answer.dump();
}

/** Calls the function, and resolves when a further call may begin. */
function begin(body, done) {
	running++;
	post(body).then(() => {
		running--;
		done?.();
		wake?.();
		wake = undefined;
	});
	return running < limit
		? undefined
		: new Promise((resolve) => {
				wake = resolve;
			});
}

if (SOURCE === "kafka") {
	const consumer = new Consumer({ clientId: "bare", groupId: GROUP, bootstrapBrokers: [SERVERS] });
	const stream = await consumer.consume({ topics: [TOPIC], mode: "committed", fallbackMode: "earliest", autocommit: 500 });
	for await (const { value } of stream) await begin(value);
} else {
	const nats = await connect({ servers: SERVERS });
	const { consumers } = await jetstreamManager(nats);
	await consumers.add(TOPIC, { durable_name: GROUP, ack_policy: "explicit", max_ack_pending: limit * 4 });
	const messages = await (await jetstream(nats).consumers.get(TOPIC, GROUP)).consume({ max_messages: limit * 2 });
	for await (const message of messages) {
		if (MODE === "at-most-once") message.ack();
		await begin(Buffer.from(message.data), MODE === "at-most-once" ? undefined : () => message.ack());
	}
}
