import { Agent, request } from "undici";

/** What became of a call of an open loop. */
export interface Arrival {
	/** when it was sent, and when its answer was whole, in `ms` since the first was due */
	readonly at: number;
	readonly done: number;
	/** 0: there was no answer */
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** How long an answer may take, in `ms`. */
const PATIENCE_MS = 60_000;

/**
 * Sends `perSecond` POSTs of `body` a second for `seconds`, however long their answers take:
 * callers that do not know of each other arrive like this. Resolves when all have ended, in the
 * order of their arrival.
 */
export async function arrivals(port: number, perSecond: number, seconds: number, body: string, path = "/"): Promise<Arrival[]> {
	const agent = new Agent({ pipelining: 1, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
	const start = performance.now();
	const since = (): number => performance.now() - start;
	const one = async (): Promise<Arrival> => {
		const at = since();
		try {
			const {
				statusCode,
				headers,
				body: answer,
			} = await request(`http://127.0.0.1:${port}${path}`, {
				method: "POST",
				body,
				dispatcher: agent,
			});
			await answer.dump();
			return { at, done: since(), status: statusCode, headers };
		} catch {
			return { at, done: since(), status: 0, headers: {} };
		}
	};
	const all: Promise<Arrival>[] = [];
	const total = Math.round(perSecond * seconds);
	while (all.length < total) {
		// A late timer must not lower the rate: all that are due by now are sent.
		const due = Math.min(total, Math.floor((since() / 1000) * perSecond) + 1);
		while (all.length < due) all.push(one());
		await new Promise((resolve) => setTimeout(resolve, Math.max(1, (all.length * 1000) / perSecond - since())));
	}
	const ended = await Promise.all(all);
	await agent.close();
	return ended;
}
