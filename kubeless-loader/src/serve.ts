import net from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { StartError } from "./errors.ts";
import { ByteBudget } from "./invoke/body.ts";
import type { Call, CallHost } from "./invoke/call.ts";
import { Deadlines } from "./invoke/deadlines.ts";
import { functionRoute } from "./invoke/route.ts";
import type { LogStream } from "./log.ts";
import type { Speaks } from "./manifest.ts";
import { containerMemory } from "./memory.ts";
import { Metrics } from "./metrics.ts";
import { createServer } from "./server.ts";
import type { Pool } from "./worker/pool.ts";

export interface ServeParts {
	readonly config: Config;
	readonly pool: Pool;
	/** what the pool's workers speak */
	readonly speaks: Speaks;
	readonly log: Logger;
	readonly stream: LogStream;
	/** the address to listen at; undefined: all of them */
	readonly host?: string;
	readonly tellErrors?: boolean;
}

export { PrettyStream } from "./desk/pretty.ts";
export { createLogger, LogStream } from "./log.ts";

/** A function being served. */
export interface Serving {
	readonly port: number;
	/** Takes no more calls, finishes those it has within the time the configuration gives, ends all workers. */
	drain(): Promise<void>;
	/** Ends everything now. */
	kill(): void;
}

/** Bodies held at once may take this part of the container's memory. */
const BODIES_SHARE = 0.25;
const DRAIN_CHECK_MS = 10;

/** Listens; calls that come before the pool has loaded the function wait for it. */
export async function serve(parts: ServeParts): Promise<Serving> {
	const { config, pool, speaks, log, stream } = parts;
	const metrics = new Metrics(pool);
	stream.onDrop = (lines) => metrics.linesDropped(lines);
	pool.report({
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
		reloaded: (result) => metrics.reloaded(result),
		failed: ({ code, message, stack }) => log.error({ code, stack }, message),
		line: (from, text, call) => {
			const known = call as Call | undefined;
			log.info({ stream: from, call: known?.id, traceparent: known?.requestHead.traceparent }, text);
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
		unsent: 0,
	};
	const fastify = createServer({
		call: functionRoute(host, { ...config, speaks }),
		metrics,
		healthy: () => pool.healthy,
		ready: () => !host.draining && pool.ready > 0,
		bodyLimit: config.bodyLimit,
		upgrades: speaks === "http",
	});
	await listen(fastify, config.port, parts.host);
	const address = fastify.server.address();

	return {
		port: typeof address === "object" && address ? address.port : config.port,
		async drain() {
			host.draining = true;
			const deadline = performance.now() + config.shutdownTimeoutMs;
			// Not http's own close: it also ends connections whose answer is handed over but not sent yet.
			net.Server.prototype.close.call(fastify.server);
			while (host.unsent > 0 && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
			const impatience = new AbortController();
			setTimeout(Math.max(0, deadline - performance.now()), undefined, impatience).then(
				() => pool.kill(),
				() => {},
			);
			await pool.stop();
			impatience.abort();
			fastify.server.closeAllConnections();
			await fastify.close();
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
			throw new StartError(
				"PORT_IN_USE",
				`Port ${port} is in use: stop what listens there, or choose another with FUNC_PORT (at a desk, --port).`,
			);
		if (code === "EACCES")
			throw new StartError("PORT_NOT_ALLOWED", `Port ${port} needs more rights than this user has: choose one above 1023 with FUNC_PORT.`);
		throw new StartError("LISTEN_FAILED", `Cannot listen at port ${port}: ${message}.`);
	}
}
