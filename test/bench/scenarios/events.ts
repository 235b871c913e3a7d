import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Admin, Producer } from "@platformatic/kafka";
import { startKafka } from "../../brokers/kafka.ts";
import { startNats } from "../../brokers/nats.ts";
import type { Owner } from "../../support/owner.ts";
import { poll } from "../../support/poll.ts";
import { keep, killTree } from "../children.ts";
import { type Figure, figure } from "../figure.ts";
import { cpuSeconds } from "../processes.ts";
import { interleave } from "../rounds.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { type Server, start } from "../servers.ts";

/**
 * Calls at once, and the topic's partitions: the trigger calls one message of a partition at a
 * time.
 */
const CALLS = 8;
const BODY = JSON.stringify({ order: 7, text: "x".repeat(180) });
/** The first messages are not measured: the consumer connects, and compiles its code. */
const WARM_UP = 0.2;
/** Messages that a bare consumer calls in one second, at most. */
const MAX_PER_SECOND = 12_000;
const MODES = ["at-most-once", "at-least-once"] as const;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Sample {
	/** messages per second, and per second of the consumer's processor time */
	readonly rate: number;
	readonly perCpu: number;
}

/** A broker with a topic full of messages. */
interface Source {
	readonly name: "kafka" | "nats";
	readonly servers: string;
	readonly topic: string;
}

/** kubeless-trigger against a consumer of the same client library that only posts the messages. */
export const events: Scenario = {
	name: "events",
	title: `messages of Kafka and JetStream posted to a function, ${CALLS} calls at once, bare is a consumer that only posts`,
	async run(bench): Promise<Figure[]> {
		const clears: (() => void | Promise<void>)[] = [];
		const owner: Owner = { after: (clear) => void clears.push(clear) };
		try {
			const fn = await start({ name: "function", command: [process.execPath, here("../events/function.mjs")], env: {}, probe: "/" });
			clears.push(() => fn.stop());
			const messages = Math.round(bench.options.duration * MAX_PER_SECOND);
			const figures: Figure[] = [];
			for (const open of [kafka, nats]) {
				bench.report("starting a broker");
				const source = await open(owner, messages);
				for (const mode of MODES) figures.push(...(await compared(bench, source, mode, fn, messages)));
			}
			return figures;
		} finally {
			for (const clear of clears.reverse()) await clear();
		}
	},
};

async function kafka(owner: Owner, messages: number): Promise<Source> {
	const { port } = await startKafka(owner);
	const options = { clientId: "bench", bootstrapBrokers: [`127.0.0.1:${port}`], retries: 5 };
	const admin = new Admin(options);
	await admin.createTopics({ topics: ["bench"], partitions: CALLS, replicas: 1 });
	await admin.close();
	const producer = new Producer(options);
	const value = Buffer.from(BODY);
	for (let at = 0; at < messages; at += 1000) {
		const batch = Array.from({ length: 1000 }, (_, index) => ({ topic: "bench", partition: index % CALLS, value }));
		await producer.send({ messages: batch as never, acks: -1 });
	}
	await producer.close();
	return { name: "kafka", servers: `127.0.0.1:${port}`, topic: "bench" };
}

async function nats(owner: Owner, messages: number): Promise<Source> {
	const { port } = await startNats(owner);
	const servers = `nats://127.0.0.1:${port}`;
	const connection = await connect({ servers });
	await (await jetstreamManager(connection)).streams.add({ name: "bench", subjects: ["bench"] });
	for (let at = 0; at < messages; at++) {
		connection.publish("bench", BODY);
		if (at % 1000 === 999) await connection.flush();
	}
	await connection.drain();
	return { name: "nats", servers, topic: "bench" };
}

async function compared(bench: Bench, source: Source, mode: string, fn: Server, messages: number): Promise<Figure[]> {
	const { rounds } = bench.options;
	const samples = await interleave(["bare", "trigger"] as const, rounds, (who, round) => {
		bench.report(`${source.name}, ${mode}, round ${round} of ${rounds}: ${who}`);
		return measured(source, mode, who, `${mode}-${who}-${round}`, fn, messages);
	});
	const of = (who: "bare" | "trigger", value: keyof Sample): number[] => (samples.get(who) ?? []).map((sample) => sample[value]);
	const rows = [
		["messages per second", "rate"],
		["messages per CPU second", "perCpu"],
	] as const;
	return rows.map(([what, value]) =>
		figure({
			what: `${source.name}, ${mode}, ${what}`,
			of: "trigger",
			unit: "calls/s",
			samples: of("trigger", value),
			against: { samples: of("bare", value), as: "ratio" },
			target: "events",
		}),
	);
}

async function measured(
	source: Source,
	mode: string,
	who: "bare" | "trigger",
	group: string,
	fn: Server,
	messages: number,
): Promise<Sample> {
	const url = `http://127.0.0.1:${fn.port}`;
	await fetch(url, { method: "DELETE" });
	const [program, ...args] =
		who === "bare" ? [here("../events/bare.mjs")] : [here("../../../kubeless-trigger/dist/trigger.mjs"), source.name];
	const env = who === "bare" ? bareEnv(source, mode, group, url) : triggerEnv(source, mode, group, url);
	const child = keep(
		spawn(process.execPath, [program as string, ...args], { env: { PATH: process.env["PATH"], ...env }, stdio: "ignore" }),
	);
	const reached = (count: number): Promise<number> =>
		poll(
			async () => {
				if (child.exitCode !== null) throw new Error(`the consumer (${who}, ${source.name}) exited with ${child.exitCode}`);
				const calls = Number(await (await fetch(url)).text());
				return calls >= count ? calls : undefined;
			},
			() => `the consumer (${who}, ${source.name}, ${mode}) does not call the function`,
		);
	try {
		const first = await reached(messages * WARM_UP);
		const [at, cpu] = [performance.now(), cpuSeconds(child.pid as number)];
		const last = await reached(messages);
		const [seconds, busy] = [(performance.now() - at) / 1000, cpuSeconds(child.pid as number) - cpu];
		return { rate: (last - first) / seconds, perCpu: (last - first) / busy };
	} finally {
		killTree(child);
	}
}

const bareEnv = ({ name, servers, topic }: Source, mode: string, group: string, url: string): Record<string, string> => {
	return { SOURCE: name, SERVERS: servers, TOPIC: topic, GROUP: group, URL: url, CALLS: String(CALLS), MODE: mode };
};

const triggerEnv = ({ name, servers, topic }: Source, mode: string, group: string, url: string): Record<string, string> => ({
	[name === "kafka" ? "KAFKA_BROKERS" : "NATS_URL"]: servers,
	TRIGGER_TOPIC: topic,
	TRIGGER_TARGETS: JSON.stringify([{ function: "f", url, group, timeout: 30 }]),
	TRIGGER_DELIVERY: mode,
	TRIGGER_CONCURRENCY: String(CALLS),
	TRIGGER_START: "earliest",
	TRIGGER_PORT: "0",
});
