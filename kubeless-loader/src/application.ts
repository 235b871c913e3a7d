// The whole program behind both commands: loads the function, serves it, reloads it when its files change, and drains on
// a signal. container.ts and local/run.ts decide what is served and how it is announced.
import { setImmediate } from "node:timers/promises";
import type { Logger } from "pino";
import { roomForAnother } from "./cgroup.ts";
import type { Config } from "./config.ts";
import { drain, type StopSignals } from "./drain.ts";
import { StartError } from "./errors.ts";
import type { HandlerPlace } from "./handler.ts";
import type { LogStream } from "./log.ts";
import type { Manifest } from "./manifest.ts";
import { SUPERSEDED } from "./pool/generation.ts";
import { Pool } from "./pool/pool.ts";
import type { Serving } from "./serve.ts";
import { folderState, type IsWatched, watchFolder } from "./watch.ts";
import type { LoadFailure } from "./worker/contract.ts";
import { planWorkers } from "./worker/start.ts";

export interface Application {
	readonly config: Config;
	readonly manifest: Manifest;
	/** Finds the function; called for every load. Throws a StartError if it does not exist. */
	readonly locate: () => HandlerPlace;
	/** Installs dependencies before a load. Returns variables for the workers. */
	readonly install?: () => Promise<NodeJS.ProcessEnv>;
	/** the folder whose changes reload the function; undefined: changes are ignored */
	readonly watched: { readonly folder: string; readonly isWatched: IsWatched } | undefined;
	/** the command of a developer: logs for a person, loopback only, answers that show the function's errors */
	readonly local: boolean;
	readonly announce: Announcements;
}

/** What the log or the terminal shows of the function's life. */
export interface Announcements {
	serving(output: Output, port: number, file: string): void;
	reloaded(output: Output): void;
	/** @param message why the new state could not be loaded */
	reloadFailed(output: Output, code: string, message: string): void;
}

export interface Output {
	readonly log: Logger;
	readonly stream: LogStream;
}

/**
 * Returns when a signal has stopped the application.
 * @throws {StartError} if the function cannot be served
 */
export async function runApplication(application: Application, signals: StopSignals): Promise<void> {
	const { config, manifest, watched, local, announce } = application;
	const plan = planWorkers(config, manifest);
	const state = () => (watched ? folderState(watched.folder, watched.isWatched) : "");
	let loadedState = "";
	let place = application.locate();
	const pool = new Pool({
		...plan.processes,
		queueLength: config.queueLength,
		timeoutMs: config.timeoutMs,
		roomFor: (worker) => roomForAnother(worker.pid),
		isCurrent: () => state() === loadedState,
	});
	const load = async (found: HandlerPlace) => {
		place = found;
		const env = application.install ? await application.install() : {};
		const loading = pool.load(plan.starter(place, env));
		loadedState = state();
		await loading;
	};
	const loaded = load(place);
	loaded.catch(() => {}); // handled below, once there is a log
	const opened = Promise.withResolvers<Output>();
	const reload = async () => {
		const output = await opened.promise;
		try {
			await load(application.locate());
			announce.reloaded(output);
		} catch (failure) {
			const { code, message } = asStartError(failure, place);
			if (code !== SUPERSEDED) announce.reloadFailed(output, code, message);
		}
	};
	const watcher = watched && watchFolder(watched.folder, watched.isWatched, () => loaded.then(reload, () => {}));
	await setImmediate(); // the worker starts before the code of log and server is loaded
	const { createLogger, LogStream } = await import("./log.ts");
	const stream = local ? new (await import("./pretty.ts")).PrettyStream(1) : new LogStream(1);
	const log = createLogger(config.logLevel, stream);
	opened.resolve({ log, stream });
	let serving: Serving | undefined;
	process.on("uncaughtException", (error) => {
		log.error({ err: error }, "uncaught exception in the loader");
		serving?.exception();
	});
	try {
		const { serve } = await import("./serve.ts");
		serving = await serve({ config, pool, intake: plan.intake, log, stream, local });
		const { port } = serving;
		await Promise.race([signals.first, loaded.then(() => announce.serving({ log, stream }, port, place.file))]);
		await signals.first;
		watcher?.close();
		await drain(log, signals, serving);
	} catch (failure) {
		throw asStartError(failure, place);
	} finally {
		pool.kill();
		await stream.end();
	}
}

/** Returns the failure of a start or a load as one message for the user. */
function asStartError(failure: unknown, place: HandlerPlace): StartError {
	if (failure instanceof StartError) return failure;
	const { code, message, stack, handlers } = failure as LoadFailure;
	const lines = [`Cannot load ${place.file}: ${message}`];
	if (handlers && handlers.length > 0 && !handlers.every((name) => message.includes(name))) lines.push(`It has: ${handlers.join(", ")}.`);
	if (stack && !message.includes(stack)) lines.push(stack);
	return new StartError(code, lines.join("\n"));
}
