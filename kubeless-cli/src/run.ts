// kubeless run: kubeless-loader serves a function file here; with --kafka or --nats the consumer of
// kubeless-trigger calls it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { CliError, UsageError } from "./errors.ts";
import type { Shell } from "./session.ts";
import { moduleOf } from "./source.ts";

interface RunFlags {
	readonly kafka?: string;
	readonly nats?: string;
}

export function addRun(program: Command, shell: Shell): void {
	program
		.command("run")
		.description("serve a function file here, without a cluster, and reload it when it changes")
		.argument("<file>", "the function's file")
		.argument("[options...]", "options of kubeless-loader run: --handler, --port, --runtime, --env, --manifest, --no-watch")
		.option("--kafka <brokers/topic>", "call it with the messages of a topic, such as localhost:9092/orders")
		.option("--nats <url/subject>", "call it with the messages of a subject, such as nats://localhost:4222/orders")
		.allowUnknownOption()
		.action(async (file: string, options: string[], flags: RunFlags) => {
			const consumers = consumersOf(file, flags, portOf(options, shell.env));
			const children = [start([loaderProgram(), "run", file, ...options], shell.env)];
			for (const { source, env } of consumers) children.push(start([triggerProgram(), source], { ...shell.env, ...env }));
			process.exitCode = await firstExit(children);
		});
}

export interface Consumer {
	readonly source: "kafka" | "nats";
	readonly env: Readonly<Record<string, string>>;
}

/** Returns the consumers for --kafka and --nats. */
export function consumersOf(file: string, { kafka, nats }: RunFlags, port: number): Consumer[] {
	const name = moduleOf(file.replace(/^.*[/\\]/, ""));
	const common = (topic: string): Record<string, string> => ({
		TRIGGER_TOPIC: topic,
		TRIGGER_NAME: name,
		TRIGGER_NAMESPACE: "local",
		TRIGGER_TARGETS: JSON.stringify([{ function: name, url: `http://localhost:${port}`, group: `local_${name}_${topic}`, timeout: 180 }]),
		TRIGGER_PORT: "0",
	});
	if (port === 0 && (kafka ?? nats) !== undefined)
		throw new UsageError("--kafka and --nats call the function at its port, so it must be known. Give --port 8080.");
	const consumers: Consumer[] = [];
	if (kafka !== undefined) {
		const [, brokers, topic] = /^([^/\s]+:\d+)\/([^/\s]+)$/.exec(kafka) ?? [];
		if (!brokers || !topic) throw new UsageError(`--kafka ${kafka} is not BROKERS/TOPIC. Give one such as localhost:9092/orders.`);
		consumers.push({ source: "kafka", env: { KAFKA_BROKERS: brokers, ...common(topic) } });
	}
	if (nats !== undefined) {
		const [, url, subject] = /^((?:[a-z]+:\/\/)?[^/\s]+)\/([^/\s]+)$/.exec(nats) ?? [];
		if (!url || !subject) throw new UsageError(`--nats ${nats} is not URL/SUBJECT. Give one such as nats://localhost:4222/orders.`);
		consumers.push({ source: "nats", env: { NATS_URL: url, ...common(subject) } });
	}
	return consumers;
}

function portOf(options: readonly string[], env: Shell["env"]): number {
	const at = options.findIndex((option) => option === "--port" || option.startsWith("--port="));
	const given = options[at]?.startsWith("--port=") ? options[at].slice("--port=".length) : options[at + 1];
	return Number((at >= 0 && given) || env["FUNC_PORT"] || 8080);
}

function loaderProgram(): string {
	try {
		return join(dirname(createRequire(import.meta.url).resolve("kubeless-loader/package.json")), "bin.mjs");
	} catch {
		throw new CliError("kubeless-loader is not installed, and it serves local functions. Install it with: npm install -g kubeless-loader");
	}
}

/** Returns the consumer: a part of the package, or the source of a checkout. */
function triggerProgram(): string {
	const built = fileURLToPath(new URL("./trigger.mjs", import.meta.url));
	return existsSync(built) ? built : fileURLToPath(new URL("../../kubeless-trigger/src/main.ts", import.meta.url));
}

const start = (args: readonly string[], env: Shell["env"]): ChildProcess =>
	spawn(process.execPath, args, { stdio: "inherit", env: env as NodeJS.ProcessEnv });

/** Stops all children when one of them ends. Resolves with its exit code when all have ended. */
async function firstExit(children: readonly ChildProcess[]): Promise<number> {
	const stop = (signal: NodeJS.Signals): void => {
		for (const child of children) child.kill(signal);
	};
	// A terminal sends SIGINT to the children, too.
	const interrupt = (): void => (process.stdin.isTTY ? undefined : stop("SIGINT"));
	process.on("SIGINT", interrupt).on("SIGTERM", stop);
	try {
		const ends = children.map(
			(child) => new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)).once("error", () => resolve(1))),
		);
		const first = await Promise.race(ends);
		stop("SIGTERM");
		await Promise.all(ends);
		return first;
	} finally {
		process.off("SIGINT", interrupt).off("SIGTERM", stop);
	}
}
