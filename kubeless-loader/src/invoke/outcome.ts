// How a call ended, for those who look at the function: its failure in the log, its figures in the
// metrics.
import type { Logger } from "pino";
import { FAULTS, type FaultCode } from "../errors.ts";
import type { MethodSeries, Metrics } from "../metrics.ts";
import type { Call } from "./call.ts";

/** Faults that end a call before the function has ended. */
const CUT: ReadonlySet<FaultCode> = new Set(["CALLER_GONE", "FUNCTION_TIMED_OUT", "WORKER_DIED", "WIRE_BROKEN", "BODY_TOO_LARGE"]);

/** True if the function may still run, or would have run longer. */
export const isCut = (fault: FaultCode): boolean => CUT.has(fault);

/**
 * Returns the seconds of a Retry-After header: when the calls that wait now will have been served.
 */
export const retryAfter = (waitMs: number): number => Math.max(1, Math.ceil(waitMs / 1000));

/** Logs a failure that is not the caller's. `message` and `stack` are the function's. */
export function logFault(log: Logger, code: FaultCode, call: Call, message: string, stack: string | undefined): void {
	const { sent, method, url, event } = call;
	const { blame } = FAULTS[code];
	log.error({ code, blame, call: sent?.id, method, path: url, traceparent: event.traceparent, stack }, message);
}

/**
 * Counts a call that a worker has held for `ms`, after a wait of `waitMs` in the queue. The
 * parameters are single values, because an object would be one allocation per call.
 */
export function countRun(
	metrics: Metrics,
	series: MethodSeries,
	fault: FaultCode | undefined,
	ms: number,
	waitMs: number,
	requestBytes: number,
	status: number,
	responseBytes: number,
): void {
	series.calls++;
	if (fault === undefined && status >= 200) metrics.answered(status);
	if (fault !== undefined && FAULTS[fault].blame === "function") series.failures++;
	series.duration.observe(ms / 1000);
	metrics.wait.observe(waitMs / 1000);
	metrics.requestBytes.observe(requestBytes);
	metrics.responseBytes.observe(responseBytes);
}
