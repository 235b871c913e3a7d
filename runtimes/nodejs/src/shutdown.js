"use strict";

const { logText } = require("./errors");

/** @import { Output } from "./output" */
/** @import { Wire } from "./wire" */

/**
 * Ends the process after `stop` (PROTOCOL 6.2), when no call is open. A function's SIGTERM
 * listeners run first, as they do in a process of its own. Listeners that return promises are
 * awaited. After other listeners the process ends by itself, when nothing keeps it alive, or when
 * the function calls process.exit(). The loader bounds the time.
 * @param {Wire} wire
 * @param {Output} output
 * @param {(code: number) => void} exit
 */
function shutDown(wire, output, exit) {
	const listeners = process.listeners("SIGTERM");
	const end = () => wire.end(() => exit(0));
	if (listeners.length === 0) return end();
	wire.settle(() => {
		/** @type {unknown[]} */
		const results = [];
		for (const listener of listeners) {
			try {
				results.push(Reflect.apply(listener, process, ["SIGTERM", 15]));
			} catch (thrown) {
				output.print("stderr", `A SIGTERM listener threw: ${logText(thrown)}\n`);
			}
		}
		if (!results.every(isPromise)) return;
		const settled = results.map((result) =>
			Promise.resolve(result).catch((thrown) => output.print("stderr", `A SIGTERM listener failed: ${logText(thrown)}\n`)),
		);
		Promise.all(settled).then(end);
	});
}

/** @param {unknown} value */
function isPromise(value) {
	return value instanceof Promise;
}

module.exports = { shutDown };
