import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { StartError } from "./errors.ts";
import type { HandlerPlace } from "./handler.ts";
import { ByteBudget } from "./invoke/body.ts";
import type { Call, CallHost } from "./invoke/call.ts";
import { Deadlines } from "./invoke/deadlines.ts";
import { functionRoute } from "./invoke/route.ts";
import type { LogStream } from "./log.ts";
import { type Concurrency, expand, type Manifest } from "./manifest.ts";
import { containerMemory, roomForAnother } from "./memory.ts";
import { Metrics } from "./metrics.ts";
import { createServer } from "./server.ts";
import type { LoadFailure } from "./worker/contract.ts";
import { Pool, type StartWorker } from "./worker/pool.ts";
import { ProcessWorker } from "./worker/process.ts";

export interface ServeParts {
	readonly config: Config;
	readonly manifest: Manifest;
	readonly log: Logger;
	readonly stream: LogStream;
	/** the address to listen at; undefined: all of them */
	readonly host?: string;
	readonly tellErrors?: boolean;
}

/** A function being served. */
export interface Serving {
	readonly port: number;
	/** Loads the function anew and, when that went well, gives it the calls to come. @throws {LoadFailure} */
	load(place: HandlerPlace, extraEnv?: NodeJS.ProcessEnv): Promise<void>;
	/** Takes no more calls, finishes those it has within the time the configuration gives, ends all workers. */
	drain(): Promise<void>;
	/** Ends everything now. */
	kill(): void;
}

/** Calls at once, where neither the user nor the worker says how many. */
const CALLS_AT_ONCE: Record<Concurrency, number> = { async: 100, threads: 10, single: 1 };
/** Processes at the most, where a worker takes one call at a time and the user says nothing. */
const SINGLE_PROCESSES = 10;
/** Bodies held at once may take this part of the container's memory. */
const BODIES_SHARE = 0.25;
const DRAIN_CHECK_MS = 10;

/** Listens; calls that come before the first `load` has ended wait for it. */
export async function serve(parts: ServeParts): Promise<Serving> {
	const { config, manifest, log, stream } = parts;
	const metrics: Metrics = new Metrics(() => pool);
	stream.onDrop = (lines) => metrics.linesDropped(lines);
	const single = manifest.concurrency === "single";
	const least = config.workers || availableParallelism();
	const pool: Pool = new Pool({
		least,
		most: single ? Math.max(least, config.concurrency ?? SINGLE_PROCESSES) : least,
		queueLength: config.queueLength,
		roomFor: (worker) => roomForAnother(worker.pid),
		events: {
			started: () => metrics.workerStarted(),
			ready: (worker, ms) => {
				metrics.workerReady(ms);
				log.debug({ pid: worker.pid, ms: Math.round(ms) }, "worker ready");
			},
			gone: (worker, reason, why) => {
				metrics.workerGone(reason);
				const expected = reason === "stopped" || reason === "replaced" || reason === "idle";
				log[expected ? "debug" : "error"]({ code: "WORKER_GONE", reason, pid: worker.pid }, `the worker is gone: ${why}`);
			},
			failed: ({ code, message, stack }) => log.error({ code, stack }, message),
			line: (from, text, call) => {
				const known = call as Call | undefined;
				log.info({ stream: from, call: known?.id, traceparent: known?.traceparent }, text);
			},
		},
	});
	const host: CallHost = {
		pool,
		metrics,
		log,
		deadlines: new Deadlines(config.timeoutMs),
		budget: new ByteBudget(Math.max(config.bodyLimit, Math.floor(containerMemory() * BODIES_SHARE))),
		access: config.accessLog ? stream : undefined,
		tellErrors: parts.tellErrors ?? false,
		draining: false,
	};
	const fastify = createServer({
		call: functionRoute(host, config),
		metrics,
		healthy: () => pool.healthy,
		ready: () => !host.draining && pool.ready > 0,
		bodyLimit: config.bodyLimit,
	});
	await listen(fastify, config.port, parts.host);
	const address = fastify.server.address();

	return {
		port: typeof address === "object" && address ? address.port : config.port,
		load: (place, extraEnv) => pool.load(workerStarter(config, manifest, place, extraEnv)),
		async drain() {
			host.draining = true;
			const deadline = performance.now() + config.shutdownTimeoutMs;
			const closed = fastify.close();
			while (metrics.inFlight > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
			const killer = setTimeout(() => pool.kill(), Math.max(0, deadline - performance.now()));
			await pool.stop();
			clearTimeout(killer);
			fastify.server.closeAllConnections();
			await closed;
		},
		kill: () => {
			pool.kill();
			fastify.server.closeAllConnections();
			void fastify.close();
		},
	};
}

async function listen(fastify: ReturnType<typeof createServer>, port: number, host: string | undefined): Promise<void> {
	try {
		await fastify.listen({ port, host: host ?? "::" });
	} catch (cause) {
		const { code, message } = cause as NodeJS.ErrnoException;
		// A machine without IPv6.
		if (host === undefined && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL")) return listen(fastify, port, "0.0.0.0");
		await fastify.close();
		if (code === "EADDRINUSE")
			throw new StartError("PORT_IN_USE", `Port ${port} is in use: stop what listens there, or choose another with FUNC_PORT.`);
		if (code === "EACCES")
			throw new StartError("PORT_NOT_ALLOWED", `Port ${port} needs more rights than this user has: choose one above 1023 with FUNC_PORT.`);
		throw new StartError("LISTEN_FAILED", `Cannot listen at port ${port}: ${message}.`);
	}
}

/** How to start workers for one state of the function. */
function workerStarter(config: Config, manifest: Manifest, place: HandlerPlace, extraEnv: NodeJS.ProcessEnv = {}): StartWorker {
	const env: NodeJS.ProcessEnv = {
		...config.env,
		MOD_NAME: place.modName,
		FUNC_HANDLER: place.handler ?? "",
		FUNC_TIMEOUT: config.timeoutText,
		FUNC_RUNTIME: config.runtime,
		FUNC_MEMORY_LIMIT: config.memoryLimit,
		KUBELESS_INSTALL_VOLUME: config.installVolume,
		KUBELESS_HANDLER_FILE: place.file,
		RUNTIME_DIR: manifest.folder,
		...extraEnv,
	};
	env["RUNTIME_LIBRARIES"] ??= join(manifest.folder, "libraries");
	// The runtime's own variables come last, as in a pod that Kubeless's controller makes.
	for (const [name, value] of Object.entries(manifest.env ?? {})) env[name] = expand(value, env);
	const spec = {
		command: manifest.worker.map((word) => expand(word, env)),
		env,
		cwd: dirname(place.file),
		loadTimeoutMs: config.loadTimeoutMs,
		concurrency: CALLS_AT_ONCE[manifest.concurrency],
		// Where a worker takes one call at a time, FUNC_CONCURRENCY is the number of processes.
		concurrencyLimit: manifest.concurrency === "single" ? 1 : config.concurrency,
	};
	return (events) => new ProcessWorker(spec, events);
}

/** A load failure as one message for the user. */
export function describeFailure({ message, stack, handlers }: LoadFailure, place: HandlerPlace): string {
	const lines = [`Cannot load ${place.file}: ${message}`];
	if (handlers && handlers.length > 0 && !handlers.every((name) => message.includes(name))) lines.push(`It has: ${handlers.join(", ")}.`);
	if (stack && !message.includes(stack)) lines.push(stack);
	return lines.join("\n");
}
