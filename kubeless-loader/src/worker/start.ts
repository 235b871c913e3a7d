// Which kind of worker a manifest asks for, and how one is started. Only this file asks what a
// worker speaks.
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "../config.ts";
import type { HandlerPlace } from "../handler.ts";
import { DEFAULT_CONCURRENCY, expand, type Manifest } from "../manifest.ts";
import { COMMAND_INTAKE, CommandWorker } from "./command/worker.ts";
import type { Intake, StartWorker } from "./contract.ts";
import { type Endpoint, fixedPort, freePort, freshSocket } from "./http/endpoint.ts";
import { HTTP_INTAKE, HttpWorker } from "./http/worker.ts";
import type { WorkerLimits } from "./process/child.ts";
import type { Command } from "./process/process-group.ts";
import { WIRE_INTAKE, WireWorker } from "./wire/worker.ts";

/** The workers of a function, not started yet. */
export interface WorkerPlan {
	readonly intake: Intake;
	/** processes that always run, and at most */
	readonly processes: { readonly min: number; readonly max: number };
	/**
	 * Returns how to start workers for one state of the function; `extraEnv` is added to their
	 * environment.
	 */
	starter(place: HandlerPlace, extraEnv: NodeJS.ProcessEnv): StartWorker;
}

/** Returns a worker's command; `env` is added to its environment. */
type CommandWith = (env?: Readonly<Record<string, string>>) => Command;

/** Processes at most, where a worker takes one call at a time and FUNC_CONCURRENCY is not set. */
const MAX_SINGLE_PROCESSES = 10;

export function planWorkers(config: Config, manifest: Manifest): WorkerPlan {
	const { min, max, intake, start } = kindOf(config, manifest);
	return {
		intake,
		processes: { min, max },
		starter: (place, extraEnv) => start(commandFor(config, manifest, place, extraEnv)),
	};
}

interface Kind {
	readonly intake: Intake;
	readonly min: number;
	readonly max: number;
	readonly start: (command: CommandWith) => StartWorker;
}

function kindOf(config: Config, manifest: Manifest): Kind {
	const isSingle = manifest.concurrency === "single";
	const limits: WorkerLimits = {
		loadTimeoutMs: config.loadTimeoutMs,
		concurrency: DEFAULT_CONCURRENCY[manifest.concurrency],
		// Where a worker takes one call at a time, FUNC_CONCURRENCY is the number of processes.
		maxConcurrency: isSingle ? 1 : config.concurrency,
	};
	const min = config.workers || availableParallelism();
	const max = isSingle ? Math.max(min, config.concurrency ?? MAX_SINGLE_PROCESSES) : min;
	switch (manifest.speaks) {
		case "wire":
			return {
				intake: WIRE_INTAKE,
				min,
				max,
				start: (command) => (events) => new WireWorker(command(), limits, events),
			};
		case "http": {
			const { listen, port, ready } = manifest.http ?? {};
			const findEndpoint = port !== undefined ? () => fixedPort(port) : listen === "socket" ? freshSocket : freePort;
			const httpLimits = { ...limits, concurrency: limits.maxConcurrency ?? limits.concurrency };
			return {
				intake: HTTP_INTAKE,
				// Only one process can listen at a fixed port.
				...(port !== undefined ? { min: 1, max: 1 } : { min, max }),
				start: (command) => {
					const spec = { commandAt: ({ env }: Endpoint) => command(env), findEndpoint, ready, timeoutMs: config.timeoutMs };
					return (events) => new HttpWorker(spec, httpLimits, events);
				},
			};
		}
		case "command": {
			const concurrency = config.concurrency ?? DEFAULT_CONCURRENCY[manifest.concurrency];
			const output = manifest.command?.output ?? "body";
			return {
				intake: COMMAND_INTAKE,
				// One worker runs all processes: each call has one.
				min: 1,
				max: 1,
				start: (command) => (events) => new CommandWorker(command(), { concurrency, output }, events),
			};
		}
	}
}

/**
 * The environment has the user's variables, then the loader's, then the runtime's own, as in a pod
 * of Kubeless's controller.
 */
function commandFor(config: Config, manifest: Manifest, place: HandlerPlace, extraEnv: NodeJS.ProcessEnv): CommandWith {
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
	return (own = {}) => {
		const all = { ...env, ...own };
		for (const [name, value] of Object.entries(manifest.env ?? {})) all[name] = expand(value, all);
		return { command: manifest.worker.map((word) => expand(word, all)), env: all, cwd: dirname(place.file) };
	};
}
