import type { Logger } from "pino";

/**
 * The first SIGTERM or SIGINT drains, the second ends at once. Returns when the first has come and all is done,
 * so that the caller can say its last words and exit.
 */
export function untilStopped(log: Logger, serving: { drain(): Promise<void>; kill(): void }): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	let stopping = false;
	const stop = (signal: NodeJS.Signals) => {
		if (stopping) {
			log.warn({ signal }, "told to stop at once");
			serving.kill();
			return resolve();
		}
		stopping = true;
		log.info({ signal }, "finishing the running calls, then stopping");
		serving.drain().then(resolve, resolve);
	};
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
	return promise;
}
