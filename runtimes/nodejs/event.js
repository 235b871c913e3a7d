"use strict";

const { inspect } = require("util");

/** Symbols, so that neither JSON nor a loop over the keys meets them. */
const CALL = Symbol("call");

/** What `event.extensions` is: the caller's CloudEvents attributes, and an Express request and response, made when asked for. */
class Extensions {
	constructor(call, attributes) {
		this[CALL] = call;
		if (attributes !== undefined) merge(this, attributes);
	}

	get request() {
		return exchange(this[CALL]).request;
	}

	set request(value) {
		replace(this, "request", value);
	}

	get response() {
		return exchange(this[CALL]).touch();
	}

	set response(value) {
		replace(this, "response", value);
	}

	[inspect.custom](_depth, options) {
		const { [CALL]: _, ...attributes } = this;
		return inspect(Object.assign(attributes, { request: "[made when asked for]", response: "[made when asked for]" }), options);
	}
}

/** An attribute of the caller's must not stand before what a function relies on. */
function merge(extensions, attributes) {
	for (const name of Object.keys(attributes)) {
		if (name !== "request" && name !== "response" && name !== "__proto__") extensions[name] = attributes[name];
	}
}

function replace(extensions, name, value) {
	Object.defineProperty(extensions, name, { value, configurable: true, enumerable: true, writable: true });
}

function exchange(call) {
	if (call.exchange === null) {
		const { Exchange } = require("./exchange"); // http and Express are loaded by the first function that looks
		call.exchange = new Exchange(call);
	}
	return call.exchange;
}

function makeEvent(call, data) {
	const { frame } = call;
	return {
		data,
		"event-id": frame["event-id"],
		"event-type": frame["event-type"],
		"event-time": frame["event-time"],
		"event-namespace": frame["event-namespace"],
		extensions: new Extensions(call, frame.extensions),
	};
}

/** What `context` is: one for each call, so that no function can spoil another's. */
class Context {
	constructor(call, { name, timeout, runtime, memoryLimit }) {
		this["function-name"] = name;
		this.timeout = timeout;
		this.runtime = runtime;
		this["memory-limit"] = memoryLimit;
		this[CALL] = call;
	}

	/** An AbortSignal, aborted when nobody waits for the call any more; undefined before Node.js 15. */
	get signal() {
		if (typeof AbortController === "undefined") return undefined;
		const call = this[CALL];
		if (call.abort === null) {
			call.abort = new AbortController();
			if (call.cancelled) call.abort.abort();
		}
		return call.abort.signal;
	}

	[inspect.custom](_depth, options) {
		const { [CALL]: _, ...own } = this;
		return inspect(own, options);
	}
}

module.exports = { makeEvent, Context };
