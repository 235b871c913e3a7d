import type { FaultCode } from "../errors.ts";
import type { SentCall, WorkerCall } from "../worker/contract.ts";

/** A call as the pool sees it. */
export interface PoolCall extends WorkerCall {
	/** it waits in the queue */
	readonly queued: boolean;
	/** when it was submitted, in ms of performance.now() */
	readonly queuedAt: number;
	/** when it was last sent to a worker, in ms of performance.now() */
	readonly sentAt: number;
	/** what its worker returned for it; undefined before it is sent */
	sent: SentCall | undefined;
	/** It has to wait, or it has come back from a worker that did not begin it. */
	toQueue(): void;
	/** It is about to be sent to a worker. */
	toWorker(): void;
	/** It gets no worker. */
	refuse(code: FaultCode): void;
}
