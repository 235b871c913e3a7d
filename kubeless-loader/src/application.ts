// The whole program behind both commands: loads the function, serves it, reloads it when its files
// change, and drains on a signal. container.ts and local/run.ts decide what is served and how it is
// announced.
import { basename } from "node:path";
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
import { Reloads } from "./reload.ts";
import type { Serving } from "./serve.ts";
import { folderState, type IsWatched, watchFolder } from "./watch.ts";
import type { LoadFailure } from "./worker/contract.ts";
import { planWorkers } from "./worker/start.ts";

export interface Application {
	readonly config: Config;
	readonly manifest: Manifest;
	/** Finds the function; called for every load. Throws a StartError if it does not exist. */
	readonly locate: () => HandlerPlace;
	/** Installs dependencies before a load. */
	readonly prepare?: () => Promise<Preparation>;
	/** the folder whose changes reload the function; undefined: changes are ignored */
	readonly watched: { readonly folder: string; readonly isWatched: IsWatched } | undefined;
	/**
	 * the command of a developer: logs for a person, loopback only, answers that show the function's
	 * errors
	 */
	readonly local: boolean;
	/** a function that cannot be loaded at the start is loaded again when it is saved */
	readonly waitsForSave: boolean;
	readonly announce: Announcements;
}

/** The result of `prepare`: needed by a load besides the function. */
export interface Preparation {
	/** variables for the workers */
	readonly env: NodeJS.ProcessEnv;
	/**
	 * an installation under way that the function may need: if the load fails, it is tried again once
	 * this is fulfilled with true
	 */
	readonly later: Promise<boolean> | undefined;
}

/** How long a load takes, in ms, before the terminal shows that it is under way. */
const SLOW_LOAD_MS = 2000;

/** Each is one message in the log or at the terminal. */
export interface Announcements {
	serving(output: Output, port: number, file: string): void;
	/** A load takes long. */
	loading?(output: Output): void;
	/** A load failed; it is tried again when the installation under way is complete. */
	waiting?(output: Output): void;
	/** The function could not be loaded at the start; it is loaded again when it is saved. */
	startFailed?(output: Output, message: string): void;
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
	/** the digest of the files that serve */
	let loadedState: string | undefined;
	const isCurrent = () => state() === loadedState;
	let place = application.locate();
	const pool = new Pool({
		...plan.processes,
		queueLength: config.queueLength,
		timeoutMs: config.timeoutMs,
		roomFor: (worker) => roomForAnother(worker.pid),
		isCurrent,
		changed: () => reloads.request(),
	});
	const opened = Promise.withResolvers<Output>();
	let loads = 0;
	const load = async (found: HandlerPlace) => {
		place = found;
		const number = ++loads;
		const { env = {}, later } = (await application.prepare?.()) ?? {};
		const start = async () => {
			if (number !== loads) throw { code: SUPERSEDED, message: "a newer state is being loaded" } satisfies LoadFailure;
			const loading = pool.load(plan.starter(found, env));
			const files = state();
			await loading;
			loadedState = files;
		};
		const slow = setTimeout(() => opened.promise.then((output) => announce.loading?.(output)), SLOW_LOAD_MS);
		try {
			await start().finally(() => clearTimeout(slow));
		} catch (failure) {
			if (!later || (failure as LoadFailure).code === SUPERSEDED) throw failure;
			opened.promise.then((output) => announce.waiting?.(output));
			if (!(await later)) throw failure;
			await start();
		}
	};
	const loaded = load(place);
	loaded.catch(() => {}); // handled below, once there is a log
	let serving: Serving | undefined;
	let served = false;
	const announceServing = (output: Output) => {
		served = true;
		announce.serving(output, serving?.port ?? config.port, place.file);
	};
	const reloads = new Reloads({
		state,
		isCurrent,
		load: () => opened.promise.then(() => load(application.locate())),
		ended: async (failure, isRepeated) => {
			const output = await opened.promise;
			if (failure === undefined) return served ? announce.reloaded(output) : announceServing(output);
			const { code, message } = asStartError(failure, place, local);
			if (code === SUPERSEDED || isRepeated) return;
			if (served) announce.reloadFailed(output, code, message);
			else announce.startFailed?.(output, message);
		},
		retries: !local,
	});
	const request = () => reloads.request();
	const changed = () => loaded.then(request, application.waitsForSave ? request : () => {});
	const watcher = watched && watchFolder(watched.folder, watched.isWatched, changed);
	await setImmediate(); // the worker starts before the code of log and server is loaded
	const { createLogger, LogStream } = await import("./log.ts");
	const stream = local ? new (await import("./pretty.ts")).PrettyStream(1) : new LogStream(1);
	const log = createLogger(config.logLevel, stream);
	process.on("uncaughtException", (error) => {
		log.error({ err: error }, "uncaught exception in the loader");
		serving?.exception();
	});
	try {
		const { serve } = await import("./serve.ts");
		serving = await serve({ config, pool, intake: plan.intake, log, stream, local });
		const output = { log, stream };
		opened.resolve(output);
		const started = loaded.then(
			() => announceServing(output),
			(failure) => {
				const error = asStartError(failure, place, local);
				if (!application.waitsForSave || error.code === "LANGUAGE_MISSING") throw error;
				announce.startFailed?.(output, error.message);
			},
		);
		await Promise.race([signals.first, started]);
		await signals.first;
		watcher?.close();
		reloads.stop();
		await drain(log, signals, serving);
	} catch (failure) {
		throw asStartError(failure, place, local);
	} finally {
		pool.kill();
		await stream.end();
	}
}

/** Returns the failure of a start or a load as one message for the user. */
function asStartError(failure: unknown, { file, handler }: HandlerPlace, local: boolean): StartError {
	if (failure instanceof StartError) return failure;
	const { code, message, stack, handlers = [] } = failure as LoadFailure;
	if (code === "HANDLER_NOT_FOUND" && handlers.length > 1 && !handler) {
		const cure = local ? "name one with --handler (or FUNC_HANDLER)" : "set FUNC_HANDLER to one of them";
		return new StartError(code, `${basename(file)} has several handlers: ${handlers.join(", ")}. To choose, ${cure}.`);
	}
	const lines = [`Cannot load ${file}: ${message}`];
	if (handlers.length > 0 && !handlers.every((name) => message.includes(name))) lines.push(`It has: ${handlers.join(", ")}.`);
	if (stack && !message.includes(stack)) lines.push(stack);
	return new StartError(code, lines.join("\n"));
}
