// Runs only the loader's bookkeeping of a call (metrics, access line, time limit, size limits) in a
// loop. Prints its CPU time in µs per call, one figure per line. A separate program, so that it
// does not share the heap or compiled functions of the bench.

import { openSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { accessLine } from "../../kubeless-loader/src/invoke/access-log.ts";
import { ByteBudget } from "../../kubeless-loader/src/invoke/body.ts";
import { readHead } from "../../kubeless-loader/src/invoke/event.ts";
import { LogStream } from "../../kubeless-loader/src/log.ts";
import { type MethodSeries, Metrics } from "../../kubeless-loader/src/metrics.ts";
import type { Pool } from "../../kubeless-loader/src/pool/pool.ts";

const SAMPLES = 7;
const CALLS = 200_000;
/** The number of concurrent calls, and of calls that begin in one turn of the event loop. */
const AT_ONCE = 32;
const BODY = 64;
const ANSWER = 11;

// A caller like curl. The address is a constant here; a socket requests it from the system once per
// connection.
const REQUEST = {
	method: "POST",
	url: "/path?query=1",
	httpVersion: "1.1",
	rawHeaders: ["Host", "127.0.0.1:8080", "User-Agent", "curl/8.0.0", "Accept", "*/*", "Content-Length", String(BODY)],
	socket: { remoteAddress: "127.0.0.1" },
} as unknown as IncomingMessage;

const HEAD = readHead(REQUEST.rawHeaders);

// Only a scrape reads the pool, and nothing scrapes here.
const metrics = new Metrics({} as Pool);
const TIMEOUT_MS = 180_000;
const budget = new ByteBudget(1024 * 1024);
const log = new LogStream(openSync("/dev/null", "w"));

const expire = (call: Kept): void => call.expire();

class Kept {
	timer: NodeJS.Timeout | undefined;
	readonly series: MethodSeries = metrics.of(REQUEST.method as string);
	queuedAt = 0;
	sentAt = 0;

	begin(): void {
		metrics.inFlight++;
		if (!budget.reserve(BODY)) throw new Error("the budget holds all calls");
		this.queuedAt = performance.now();
		this.timer = setTimeout(expire, TIMEOUT_MS, this);
		this.sentAt = performance.now();
	}

	finish(): void {
		clearTimeout(this.timer);
		budget.release(BODY);
		metrics.inFlight--;
		log.write(accessLine(REQUEST, HEAD, 200, ANSWER));
		this.series.calls++;
		this.series.duration.observe((performance.now() - this.sentAt) / 1000);
		metrics.wait.observe((this.sentAt - this.queuedAt) / 1000);
		metrics.requestBytes.observe(BODY);
		metrics.responseBytes.observe(ANSWER);
	}

	expire(): void {}
}

async function run(calls: number): Promise<number> {
	const before = process.cpuUsage();
	for (let done = 0; done < calls; done += AT_ONCE) {
		const batch = Array.from({ length: AT_ONCE }, () => new Kept());
		for (const call of batch) call.begin();
		for (const call of batch) call.finish();
		// Writes the log between turns, like the loader.
		await new Promise((resolve) => setImmediate(resolve));
	}
	const { user, system } = process.cpuUsage(before);
	return (user + system) / calls;
}

await run(CALLS);
for (let sample = 0; sample < SAMPLES; sample++) console.log(await run(CALLS));
process.exit();
