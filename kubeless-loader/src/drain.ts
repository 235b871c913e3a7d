import type { Logger } from "pino";

/** One Ctrl-C comes from the terminal, from npm and from whoever else passes it on: within so many `ms` it is one. */
const SAME_PRESS_MS = 250;

/**
 * The first SIGTERM or SIGINT drains, the second ends at once. Returns when the first has come and all is done,
 * so that the caller can say its last words and exit.
 */
export function untilStopped(log: Logger, serving: { drain(): Promise<void>; kill(): void }): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	let stopping = 0;
	const stop = (signal: NodeJS.Signals) => {
		const now = performance.now();
		if (stopping > 0) {
			if (now - stopping < SAME_PRESS_MS) return;
			log.warn({ signal }, "told to stop at once");
			serving.kill();
			return resolve();
		}
		stopping = now;
		log.info({ signal }, "finishing the running calls, then stopping");
		serving.drain().then(resolve, resolve);
	};
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
	return promise;
}
