import { appendFileSync, closeSync, openSync, writeSync } from "node:fs";

/** The loader's last words: on standard error, and where Kubernetes shows them in the pod's status (at most 4096 `bytes` there). */
export function sayWhyItEnds(message: string, terminationLog: string): void {
	try {
		writeSync(2, `${message}\n`);
	} catch {
		// Nobody reads standard error: the exit code has to say it.
	}
	try {
		// Only a file that is there already: outside Kubernetes there is none, and none is made.
		const file = openSync(terminationLog, "r+");
		closeSync(file);
		appendFileSync(terminationLog, `${Buffer.from(message).subarray(0, 4000).toString()}\n`);
	} catch {
		// Not in a pod.
	}
}
