import type { Worker } from "../worker/contract.ts";

/** What the pool notes of a worker. Times are in ms of performance.now(). */
export interface Slot {
	readonly worker: Worker;
	readonly startedAt: number;
	/** it was sent a call */
	used: boolean;
	/**
	 * calls that ran out of time and that it still holds, or may hold: while there are any, it gets no
	 * new calls
	 */
	expiredCalls: number;
	/**
	 * when it last ended a call, or got one while idle; only kept for workers that take calls ahead
	 */
	movedAt: number;
}

/** True if the worker may be sent calls. */
export const takesCalls = ({ worker, expiredCalls }: Slot): boolean => expiredCalls === 0 && worker.open;
