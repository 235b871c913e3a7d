import type { Worker } from "../worker/contract.ts";

/** What the pool notes of a worker. Times are in ms of performance.now(). */
export interface Slot {
	readonly worker: Worker;
	readonly startedAt: number;
	/** it was sent a call */
	used: boolean;
	/** it is out of service: it finishes the calls that it holds, and ends */
	isLeaving: boolean;
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
export const takesCalls = ({ worker, isLeaving, expiredCalls }: Slot): boolean => !isLeaving && expiredCalls === 0 && worker.open;

/** Returns how many workers have not loaded the function yet. */
export function countLoading(slots: Iterable<Slot>): number {
	let loading = 0;
	for (const { worker } of slots) if (worker.concurrency === 0) loading++;
	return loading;
}
