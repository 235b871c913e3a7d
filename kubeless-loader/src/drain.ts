import type { Logger } from "pino";

/** One Ctrl-C comes from the terminal, from npm and from whoever else passes it on: within so many `ms` it is one. */
const SAME_PRESS_MS = 250;

/** The two times a process can be told to stop. */
export interface StopSignals {
	/** the first SIGTERM, SIGINT or SIGHUP: finish */
	readonly first: Promise<NodeJS.Signals>;
	/** another one: at once */
	readonly second: Promise<NodeJS.Signals>;
}

/** Listens from now on: what is started after this is ended in order, whenever the signal comes. */
export function stopSignals(): StopSignals {
	const first = Promise.withResolvers<NodeJS.Signals>();
	const second = Promise.withResolvers<NodeJS.Signals>();
	let since: number | undefined;
	const told = (signal: NodeJS.Signals) => {
		const now = performance.now();
		if (since === undefined) {
			since = now;
			first.resolve(signal);
		} else if (now - since > SAME_PRESS_MS) second.resolve(signal);
	};
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, told);
	return { first: first.promise, second: second.promise };
}

/** Drains what is served; a second signal ends it at once. */
export async function drain(log: Logger, signals: StopSignals, serving: { drain(): Promise<void>; kill(): void }): Promise<void> {
	log.info({ signal: await signals.first }, "finishing the running calls, then stopping");
	const atOnce = signals.second.then((signal) => {
		log.warn({ signal }, "told to stop at once");
		serving.kill();
	});
	await Promise.race([serving.drain(), atOnce]);
}
