// Puts the parts of a running loader together: metrics, the HTTP server, the calls; and ends them
// in order.
import net from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import { containerMemory } from "./cgroup.ts";
import type { Config } from "./config.ts";
import { StartError } from "./errors.ts";
import { functionOutput } from "./function-output.ts";
import { ByteBudget } from "./invoke/body.ts";
import type { Call } from "./invoke/call.ts";
import { readWaiting, untilQuiet } from "./invoke/connection.ts";
import type { CallHost } from "./invoke/host.ts";
import { functionRoute } from "./invoke/route.ts";
import type { LogStream } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { Pool } from "./pool/pool.ts";
import { createServer } from "./server.ts";
import type { Intake } from "./worker/contract.ts";

export interface ServeParts {
	readonly config: Config;
	readonly pool: Pool;
	/** what the pool's workers take */
	readonly intake: Intake;
	readonly log: Logger;
	readonly stream: LogStream;
	/** listen on the loopback address only, and show the function's errors in answers */
	readonly local: boolean;
}

/** A function being served. */
export interface Serving {
	readonly port: number;
	/** Notes an uncaught exception: the loader's state is unknown, so /healthz fails from now on. */
	exception(): void;
	/** Accepts the connections and reads the requests that wait in the kernel. */
	readWaiting(): Promise<void>;
	/** Takes no more calls, finishes the running ones within SHUTDOWN_TIMEOUT, ends all workers. */
	drain(): Promise<void>;
	/** Ends all workers now; resolves when their calls were answered. */
	kill(): Promise<void>;
}

/** The part of the container's memory that bodies may take together. */
const BODIES_SHARE = 0.25;
const DRAIN_CHECK_MS = 10;
/** How long the last answers may take after all workers were killed, in ms. */
const LAST_ANSWERS_MS = 500;

/** Listens. Calls that come before the function is loaded wait for it. */
export async function serve(parts: ServeParts): Promise<Serving> {
	const { config, pool, intake, log, stream, local } = parts;
	const metrics = new Metrics(pool);
	const print = functionOutput(log, stream, local);
	stream.onDrop = (lines) => metrics.linesDropped(lines);
	pool.report({
		started: () => metrics.workerStarted(),
		ready: (worker, ms) => {
			metrics.workerReady(ms);
			log.debug({ pid: worker.pid, ms: Math.round(ms) }, "worker ready");
		},
		gone: (worker, reason, why) => {
			metrics.workerGone(reason);
			// A worker that was never ready was reported by the load, or as `failed`.
			const expected = worker.concurrency === 0 || reason === "stopped" || reason === "replaced" || reason === "idle";
			log[expected ? "debug" : "error"]({ code: "WORKER_GONE", reason, pid: worker.pid }, `worker exited: ${why}`);
		},
		reloaded: (result) => metrics.reloaded(result),
		failed: ({ code, message, stack }) => log.error({ code, stack }, message),
		line: (from, text, call, cut) => {
			const { sent, event } = (call as Call | undefined) ?? {};
			print(text, { stream: from, call: sent?.id, traceparent: event?.traceparent, cut });
		},
	});
	const host: CallHost = {
		pool,
		metrics,
		log,
		timeoutMs: config.timeoutMs,
		budget: new ByteBudget(Math.max(config.bodyLimit, Math.floor(containerMemory(config.memoryLimit) * BODIES_SHARE))),
		access: config.accessLog ? stream : undefined,
		showErrors: local,
		maxWebSockets: config.webSockets,
		draining: false,
		unsent: 0,
	};
	const fastify = createServer({
		call: functionRoute(host, { bodyLimit: config.bodyLimit, intake }),
		metrics,
		healthy: () => pool.healthy && metrics.exceptions === 0,
		ready: () => !host.draining && pool.ready > 0,
		draining: () => host.draining,
		access: host.access,
		bodyLimit: config.bodyLimit,
		upgrades: intake.upgrades,
	});
	await listen(fastify, config.port, local ? "127.0.0.1" : undefined);
	const address = fastify.server.address();

	return {
		port: typeof address === "object" && address ? address.port : config.port,
		exception: () => {
			metrics.exceptions++;
		},
		readWaiting: () => readWaiting(fastify.server),
		async drain() {
			host.draining = true;
			const deadline = performance.now() + config.shutdownTimeoutMs;
			const quiet = untilQuiet(fastify.server, config.shutdownTimeoutMs);
			// Not http's own close: it also ends connections whose answer is written but not sent yet.
			net.Server.prototype.close.call(fastify.server);
			while (host.unsent > 0 && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
			const stopped = new AbortController();
			setTimeout(Math.max(0, deadline - performance.now()), undefined, { signal: stopped.signal }).then(
				() => pool.kill(),
				() => {},
			);
			await pool.stop();
			stopped.abort();
			await quiet;
			fastify.server.closeAllConnections();
			await fastify.close();
		},
		async kill() {
			host.draining = true;
			pool.kill();
			// The calls of the killed workers are answered 502.
			const deadline = performance.now() + LAST_ANSWERS_MS;
			while (host.unsent > 0 && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
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
		// The machine has no IPv6.
		if (host === undefined && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL")) return listen(fastify, port, "0.0.0.0");
		await fastify.close();
		if (code === "EADDRINUSE")
			throw new StartError(
				"PORT_IN_USE",
				`Port ${port} is in use: stop what listens there, or choose another with FUNC_PORT (locally: --port).`,
			);
		if (code === "EACCES")
			throw new StartError("PORT_NOT_ALLOWED", `Port ${port} needs more rights than this user has: choose one above 1023 with FUNC_PORT.`);
		throw new StartError("LISTEN_FAILED", `Cannot listen at port ${port}: ${message}.`);
	}
}
