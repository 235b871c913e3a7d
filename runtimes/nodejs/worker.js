"use strict";

// Serves one function over the wire (../PROTOCOL.md). From here: take the wire, load the handler, say ready, call it.

const { MB, withData } = require("./body");
const { Call, Calls } = require("./call");
const { makeEvent, Context } = require("./event");
const { words } = require("./failure");
const { line } = require("./line");
const { load } = require("./load");
const { answer } = require("./result");
const { isThenable } = require("./stream");
const { Wire } = require("./wire");

const WIRE_FD = 3;
const { env } = process;
/** What a compressed body may become, in bytes: what one may have that was not compressed. */
const BODY_MAX = (Number(env.REQ_MB_LIMIT) || 100) * MB;
// Taken before the function can put its own in their place.
const exit = process.exit.bind(process);
const exitAtOnce = process.reallyExit.bind(process);

const wire = new Wire(WIRE_FD, onFrame, () => exitAtOnce(0)); // PROTOCOL 1.3
const calls = new Calls(wire, exit);
const { output } = calls;
let handler;
let facts;

output.replace();
// The loader decides when a worker ends: a terminal's ^C reaches all processes of its group.
process.on("SIGINT", () => {});
process.on("uncaughtException", (error) => output.print("stderr", `Uncaught exception: ${words(error)}\n`));
process.on("unhandledRejection", (reason) => output.print("stderr", `Unhandled rejection: ${words(reason)}\n`));
process.on("exit", (code) => {
	if (facts === undefined) output.print("stderr", `The function ended the process while it was being loaded, with exit code ${code}.\n`);
	output.settle();
	wire.flush();
});
load(env).then(ready, failed);

function ready(loaded) {
	handler = loaded.handler;
	facts = {
		name: env.FUNC_HANDLER || loaded.name,
		timeout: Number(env.FUNC_TIMEOUT) || 180, // Kubeless's default, in `s`
		runtime: env.FUNC_RUNTIME,
		memoryLimit: env.FUNC_MEMORY_LIMIT,
	};
	wire.write(`${line({ type: "ready", wire: 1, handler: loaded.name })}\n`, "", 0);
	wire.flush();
	if (loaded.asks) setImmediate(() => require("./exchange")); // while the first call is on its way
}

function failed({ code, message, more: { stack, handlers } }) {
	facts = null;
	wire.write(`${line({ type: "failed", code, message, stack, handlers })}\n`, "", 0);
	wire.end(() => exit(1));
}

function onFrame(frame, bytes, at) {
	if (frame.type === "call") return withData(new Call(calls, frame, bytes, at), BODY_MAX, run);
	if (frame.type === "stop") return calls.stop();
	const call = calls.get(frame.id);
	if (call === undefined) return;
	if (frame.type === "pause") call.pause();
	else if (frame.type === "resume") call.resume();
	else if (frame.type === "cancel") call.cancel();
}

/** Calls the handler. One that returns a plain value is answered before this returns. */
function run(call, data) {
	if (call.cancelled) return call.error("CANCELLED", "the caller has gone");
	let value;
	let later;
	try {
		value = output.within(call, handler, makeEvent(call, data), new Context(call, facts));
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
