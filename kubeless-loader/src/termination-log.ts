import { appendFileSync, closeSync, openSync, writeSync } from "node:fs";

/** Bytes of the message that are written; Kubernetes reads at most 4096. */
const MAX_BYTES = 4000;

/**
 * Writes why the loader ends to standard error and to the file whose content Kubernetes shows in
 * the pod's status.
 */
export function writeTerminationMessage(message: string, terminationLog: string): void {
	try {
		writeSync(2, `${message}\n`);
	} catch {
		// Standard error is closed: the exit code remains.
	}
	try {
		// The file is never created: outside Kubernetes it does not exist.
		const file = openSync(terminationLog, "r+");
		closeSync(file);
		appendFileSync(terminationLog, `${Buffer.from(message).subarray(0, MAX_BYTES).toString()}\n`);
	} catch {
		// Not in a pod.
	}
}
