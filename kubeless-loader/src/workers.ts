import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "./config.ts";
import { StartError } from "./errors.ts";
import type { HandlerPlace } from "./handler.ts";
import { type Concurrency, expand, type Manifest } from "./manifest.ts";
import { roomForAnother } from "./memory.ts";
import type { LoadFailure } from "./worker/contract.ts";
import type { Command } from "./worker/group.ts";
import { HttpWorker } from "./worker/http.ts";
import { fixedPort, freePort, freshSocket, type Place } from "./worker/place.ts";
import { Pool, type StartWorker } from "./worker/pool.ts";
import { ProcessWorker } from "./worker/process.ts";
import { StdioWorker } from "./worker/stdio.ts";

/** Calls at once, where neither the user nor the worker says how many. */
const CALLS_AT_ONCE: Record<Concurrency, number> = { async: 100, threads: 10, single: 1 };
/** Processes at the most, where a worker takes one call at a time and the user says nothing. */
const SINGLE_PROCESSES = 10;

/** The pool for a runtime, as the configuration wants it; it has no worker before its first `load`. */
export function createPool(config: Config, manifest: Manifest, isCurrent: () => boolean): Pool {
	const least = processes(config, manifest);
	const grows = manifest.concurrency === "single" && manifest.speaks !== "stdio" && manifest.http?.port === undefined;
	return new Pool({
		least,
		most: grows ? Math.max(least, config.concurrency ?? SINGLE_PROCESSES) : least,
		queueLength: config.queueLength,
		roomFor: (worker) => roomForAnother(worker.pid),
		isCurrent,
	});
}

function processes(config: Config, { speaks, http }: Manifest): number {
	// A command has a process a call, so one worker runs them all; of a fixed port there is one.
	if (speaks === "stdio" || http?.port !== undefined) return 1;
	return config.workers || availableParallelism();
}

/** How to start workers for one state of the function. */
export function workerStarter(config: Config, manifest: Manifest, place: HandlerPlace, extraEnv: NodeJS.ProcessEnv = {}): StartWorker {
	const env: NodeJS.ProcessEnv = {
		...config.env,
		MOD_NAME: place.modName,
		FUNC_HANDLER: place.handler ?? "",
		FUNC_TIMEOUT: config.timeoutText,
		FUNC_RUNTIME: config.runtime,
		FUNC_MEMORY_LIMIT: config.memoryLimit,
		KUBELESS_INSTALL_VOLUME: config.installVolume,
		KUBELESS_HANDLER_FILE: manifest.suffixes.length > 0 ? place.file : undefined,
		RUNTIME_DIR: manifest.folder,
		...extraEnv,
	};
	env["RUNTIME_LIBRARIES"] ??= join(manifest.folder, "libraries");
	const command = (own: Readonly<Record<string, string>> = {}): Command => {
		const all = { ...env, ...own };
		// The runtime's own variables come last, as in a pod that Kubeless's controller makes.
		for (const [name, value] of Object.entries(manifest.env ?? {})) all[name] = expand(value, all);
		return { command: manifest.worker.map((word) => expand(word, all)), env: all, cwd: dirname(place.file) };
	};
	const limits = {
		loadTimeoutMs: config.loadTimeoutMs,
		concurrency: CALLS_AT_ONCE[manifest.concurrency],
		// Where a worker takes one call at a time, FUNC_CONCURRENCY is the number of processes.
		concurrencyLimit: manifest.concurrency === "single" ? 1 : config.concurrency,
	};
	switch (manifest.speaks) {
		case "wire": {
			const told = command();
			return (events) => new ProcessWorker(told, limits, events);
		}
		case "http": {
			const { listen, port, ready } = manifest.http ?? {};
			const findPlace = port !== undefined ? () => fixedPort(port) : listen === "socket" ? freshSocket : freePort;
			const server = { at: ({ env }: Place) => command(env), findPlace, ready, timeoutMs: config.timeoutMs };
			return (events) => new HttpWorker(server, { ...limits, concurrency: limits.concurrencyLimit ?? limits.concurrency }, events);
		}
		case "stdio": {
			const told = command();
			const concurrency = config.concurrency ?? CALLS_AT_ONCE[manifest.concurrency];
			return (events) => new StdioWorker(told, { concurrency, output: manifest.stdio?.output ?? "body" }, events);
		}
	}
}

/** What a start or a load failed with, as one message for the user. */
export function asStartError(failure: unknown, place: HandlerPlace): StartError {
	if (failure instanceof StartError) return failure;
	const { code, message, stack, handlers } = failure as LoadFailure;
	const lines = [`Cannot load ${place.file}: ${message}`];
	if (handlers && handlers.length > 0 && !handlers.every((name) => message.includes(name))) lines.push(`It has: ${handlers.join(", ")}.`);
	if (stack && !message.includes(stack)) lines.push(stack);
	return new StartError(code, lines.join("\n"));
}
