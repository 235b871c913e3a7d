import type { Logger } from "pino";

/** npm and the terminal both forward Ctrl-C: signals within this many ms count as one. */
const SAME_PRESS_MS = 250;

/** The signals that stop the loader. */
export interface StopSignals {
	/** the first SIGTERM, SIGINT or SIGHUP: finish the running calls */
	readonly first: Promise<NodeJS.Signals>;
	/** a further one: stop at once */
	readonly second: Promise<NodeJS.Signals>;
}

/** Listens from now on, so that everything started later is ended in order. */
export function stopSignals(): StopSignals {
	const first = Promise.withResolvers<NodeJS.Signals>();
	const second = Promise.withResolvers<NodeJS.Signals>();
	let since: number | undefined;
	const received = (signal: NodeJS.Signals) => {
		const now = performance.now();
		if (since === undefined) {
			since = now;
			first.resolve(signal);
		} else if (now - since > SAME_PRESS_MS) second.resolve(signal);
	};
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, received);
	return { first: first.promise, second: second.promise };
}

/** Drains on the first signal; a second one ends everything at once. */
export async function drain(
	log: Logger,
	signals: StopSignals,
	serving: { readWaiting(): Promise<void>; drain(): Promise<void>; kill(): Promise<void> },
): Promise<void> {
	const signal = await signals.first;
	await serving.readWaiting();
	log.info({ signal }, "finishing the running calls, then stopping");
	const atOnce = signals.second.then((signal) => {
		log.warn({ signal }, "stopping at once");
		return serving.kill();
	});
	await Promise.race([serving.drain(), atOnce]);
}
