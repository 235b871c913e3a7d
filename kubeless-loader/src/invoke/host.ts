import type { Logger } from "pino";
import type { LogStream } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Pool } from "../pool/pool.ts";
import type { ByteBudget } from "./body.ts";

/** What all calls of a loader share. */
export interface CallHost {
	readonly pool: Pool;
	readonly metrics: Metrics;
	readonly budget: ByteBudget;
	readonly log: Logger;
	/** how long a call may wait and run, in ms */
	readonly timeoutMs: number;
	/** where access lines go; undefined: none are written */
	readonly access: LogStream | undefined;
	/** the caller is the function's author: answers show its errors */
	readonly showErrors: boolean;
	/** connections at most whose protocol was switched */
	readonly maxWebSockets: number;
	/** no new calls are taken, and connections end with the answer in progress */
	draining: boolean;
	/** answers whose last byte was not yet sent */
	unsent: number;
}
