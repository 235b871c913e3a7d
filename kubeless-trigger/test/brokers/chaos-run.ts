// One run: messages are delivered while consumers, the function and the broker are killed with
// SIGKILL, and one of ten calls fails. Executions are counted by id, from the function's file.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../../test/brokers/process.ts";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { CALLS, type System } from "./chaos-systems.ts";
import { ConsumerProcess } from "./consumer.ts";
import { random } from "./random.ts";

export interface Plan {
	readonly mode: "at-most-once" | "at-least-once";
	readonly messages: number;
	/** Kills of consumers. The function is killed half as often, the broker `brokerKills` times. */
	readonly kills: number;
	readonly brokerKills: number;
	readonly seed: number;
}

export interface Counts {
	readonly executed: number;
	readonly twice: number;
	readonly lost: string[];
	readonly consumerKills: number;
	readonly functionKills: number;
	readonly brokerKills: number;
	/** Messages that these kills may lose at most once. */
	readonly bound: number;
}

/** The function as a process, and the file with its executions. */
class CountingFunction {
	readonly #port: number;
	readonly #file: string;
	readonly #executions = new Map<string, number>();
	readonly #succeeded = new Set<string>();
	#child: ChildProcess | undefined;
	#read = 0;
	#rest = "";
	#starts = 0;

	private constructor(port: number, file: string) {
		this.#port = port;
		this.#file = file;
	}

	static async start(owner: Owner, seed: number): Promise<CountingFunction> {
		const file = join(folder(owner), "executions");
		writeFileSync(file, "");
		const fn = new CountingFunction(await freePort(), file);
		owner.after(() => fn.kill());
		fn.start(seed);
		return fn;
	}

	get url(): string {
		return `http://127.0.0.1:${this.#port}`;
	}

	/** How often each message was executed. */
	get executions(): ReadonlyMap<string, number> {
		this.#update();
		return this.#executions;
	}

	get succeeded(): ReadonlySet<string> {
		this.#update();
		return this.#succeeded;
	}

	start(seed: number): void {
		const program = join(import.meta.dirname, "counting-function.ts");
		this.#child = spawn(process.execPath, [program, String(this.#port), this.#file, String(seed + this.#starts++)], { stdio: "inherit" });
	}

	async kill(): Promise<void> {
		const child = this.#child;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		child.kill("SIGKILL");
		await once(child, "exit");
	}

	#update(): void {
		const buffer = Buffer.alloc(1 << 20);
		const file = openSync(this.#file, "r");
		for (let bytes = 0; ; this.#read += bytes) {
			bytes = readSync(file, buffer, 0, buffer.length, this.#read);
			if (bytes === 0) break;
			const lines = (this.#rest + buffer.toString("latin1", 0, bytes)).split("\n");
			this.#rest = lines.pop() ?? "";
			for (const line of lines) {
				const [id, result] = line.split(" ") as [string, string];
				this.#executions.set(id, (this.#executions.get(id) ?? 0) + 1);
				if (result === "OK") this.#succeeded.add(id);
			}
		}
		closeSync(file);
	}
}

export async function runChaos(owner: Owner, source: "kafka" | "nats", system: System, plan: Plan): Promise<Counts> {
	const { mode, messages, seed } = plan;
	const chance = random(seed);
	const fn = await CountingFunction.start(owner, seed);
	const ids = Array.from({ length: messages }, (_, index) => `e${index}`);
	await system.produce(ids);
	const env = {
		...system.env,
		TRIGGER_TARGETS: JSON.stringify([{ function: "f", url: fn.url, group: "chaos", timeout: 30 }]),
		TRIGGER_START: "earliest",
		TRIGGER_DELIVERY: mode,
		TRIGGER_MAX_ATTEMPTS: "100",
		TRIGGER_MAX_BACKOFF_SECONDS: "1",
		TRIGGER_CONCURRENCY: String(CALLS),
	};
	const start = (): ConsumerProcess => new ConsumerProcess(owner, source, env);
	const consumers = [start(), start()];
	const done = (): boolean => (mode === "at-least-once" ? fn.succeeded.size : fn.executions.size) >= messages;
	let [consumerKills, functionKills, brokerKills] = [0, 0, 0];
	for (let step = 0; step < plan.kills && !done(); step++) {
		const before = fn.executions.size;
		// The next kill follows some progress, so that a slow machine sees as many kills within the
		// messages as a fast one.
		await poll(
			() => fn.executions.size >= before + messages / (plan.kills * 2) || done() || undefined,
			() => `no progress after ${step} kills:\n${consumers.map(({ output }) => output.slice(-1500)).join("\n")}`,
			300_000,
		);
		if (step % 2 === 1) {
			await fn.kill();
			functionKills++;
			fn.start(seed);
		}
		if (brokerKills < plan.brokerKills && step >= Math.floor((plan.kills * (brokerKills + 1)) / (plan.brokerKills + 1))) {
			await system.broker.kill();
			brokerKills++;
			await system.broker.start();
		}
		const victim = Math.floor(chance() * 2);
		await consumers[victim]?.kill();
		consumerKills++;
		consumers[victim] = start();
	}
	await system.settled(() => new Set(fn.executions.keys()));
	const executions = new Map([...fn.executions].filter(([id]) => id.startsWith("e") && !id.startsWith("end")));
	const seen = mode === "at-least-once" ? fn.succeeded : executions;
	return {
		executed: executions.size,
		twice: [...executions.values()].filter((count) => count > 1).length,
		lost: ids.filter((id) => !seen.has(id)),
		consumerKills,
		functionKills,
		brokerKills,
		// A kill of the function loses the calls that it had not noted yet, of both consumers.
		bound: (consumerKills + 2 * brokerKills) * system.lossPerKill + functionKills * 2 * CALLS,
	};
}
