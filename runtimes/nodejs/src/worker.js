"use strict";

// Serves one function over the wire (../../PROTOCOL.md): takes the wire, loads the handler, sends
// ready, runs the calls.

const { readData } = require("./event/body");
const { makeEvent, Context } = require("./event/event");
const { Call } = require("./call");
const { Calls } = require("./calls");
const { cancelled, logText } = require("./errors");
const { load } = require("./handler/handler");
const { answer } = require("./result/result");
const { isThenable } = require("./result/stream");
const { shutDown } = require("./shutdown");
const { Wire, line } = require("./wire");

/** @import { LoadError } from "./errors" */
/** @import { Facts } from "./event/event" */
/** @import { Loaded, LoaderFrame } from "./protocol" */

const WIRE_FD = 3;
/** Kubeless's default. */
const DEFAULT_TIMEOUT_S = 180;
const { env } = process;
// Taken before the function can replace them.
const exit = process.exit.bind(process);
const reallyExit = process.reallyExit.bind(process);

const wire = new Wire(WIRE_FD, onFrame, () => reallyExit(0)); // PROTOCOL 1.3
const calls = new Calls(wire, () => shutDown(wire, output, exit));
const { output, scopes } = calls;
/** @type {Loaded["handler"]} */
let handler;
/** @type {Facts | null | undefined} undefined while the function is being loaded */
let facts;

output.replace();
// The loader decides when a worker ends, but ^C in a terminal reaches all processes of its group.
process.on("SIGINT", () => {});
process.on("uncaughtException", (error) => output.print("stderr", `Uncaught exception: ${logText(error)}\n`));
process.on("unhandledRejection", (reason) => output.print("stderr", `Unhandled rejection: ${logText(reason)}\n`));
process.on("exit", (code) => {
	if (facts === undefined) output.print("stderr", `The function ended the process while it was being loaded, with exit code ${code}.\n`);
	output.settleAll();
	wire.flush();
});
load(env).then(ready, failed);

/** @param {Loaded} loaded */
function ready(loaded) {
	handler = loaded.handler;
	facts = {
		name: env["FUNC_HANDLER"] || loaded.name,
		timeout: Number(env["FUNC_TIMEOUT"]) || DEFAULT_TIMEOUT_S,
		runtime: env["FUNC_RUNTIME"],
		memoryLimit: env["FUNC_MEMORY_LIMIT"],
	};
	wire.write(line({ type: "ready", wire: 1, handler: loaded.name, envelopes: true }), "", 0);
	wire.flush();
	if (loaded.asks) setImmediate(() => require("./exchange/exchange")); // while the first call is on its way
}

/** @param {LoadError} error */
function failed({ code, message, more: { stack, handlers } }) {
	facts = null;
	wire.write(line({ type: "failed", code, message, stack, handlers }), "", 0);
	wire.end(() => exit(1));
}

/**
 * @param {LoaderFrame} frame
 * @param {Buffer} bytes
 * @param {number} at
 */
function onFrame(frame, bytes, at) {
	if (frame.type === "call") return run(new Call(calls, frame, bytes, at));
	if (frame.type === "stop") return calls.stop();
	const call = calls.get(frame.id);
	if (call === undefined) return;
	if (frame.type === "pause") call.pause();
	else if (frame.type === "resume") call.resume();
	else if (frame.type === "cancel") call.cancel();
}

/**
 * Calls the handler. If it returns a plain value, the call is answered before this returns.
 * @param {Call} call
 */
function run(call) {
	if (call.cancelled) return call.fail(cancelled());
	let value;
	let later;
	try {
		const event = makeEvent(call, readData(call));
		value = scopes.run(call, handler, event, new Context(call, /** @type {Facts} */ (facts)));
		later = isThenable(value);
	} catch (thrown) {
		return call.fail(thrown);
	}
	if (!later) return answer(call, value);
	calls.hold(call);
	Promise.resolve(value).then(
		(result) => answer(call, result),
		(thrown) => call.fail(thrown),
	);
}
