"use strict";

const { inspect } = require("node:util");

/** @import { Call } from "../call" */
/**
 * @typedef {{ name: string, timeout: number, runtime: string | undefined, memoryLimit: string |
 * undefined }} Facts
 */

/** A symbol, so that JSON and loops over the keys leave it out. */
const CALL = Symbol("call");
const LAZY = ["request", "response"];

/**
 * `event.extensions`: the caller's CloudEvents attributes, and an Express request and response that
 * are made when the function reads them.
 */
class Extensions {
	/** @type {Call} */
	[CALL];

	/** @param {Call} call */
	constructor(call) {
		this[CALL] = call;
		const attributes = call.frame.extensions;
		if (attributes !== undefined) merge(this, attributes);
	}

	get request() {
		return exchangeOf(this[CALL]).request;
	}

	set request(value) {
		replace(this, "request", value);
	}

	get response() {
		return exchangeOf(this[CALL]).touch();
	}

	set response(value) {
		replace(this, "response", value);
	}

	/** The request and the response hold each other, which JSON cannot. */
	toJSON() {
		return attributesOf(this);
	}

	/**
	 * @param {number} _depth
	 * @param {object} options
	 */
	[inspect.custom](_depth, options) {
		return inspect({ ...attributesOf(this), request: "[made when asked for]", response: "[made when asked for]" }, options);
	}
}

/**
 * Lists the request and the response among the keys, so that a copy by spread has them. Own
 * properties would do the same, but defining two of them takes 0.4 µs a call, twenty times as long
 * as this.
 * @type {ProxyHandler<Extensions>}
 */
const LISTED = {
	ownKeys(extensions) {
		return [...new Set([...Reflect.ownKeys(extensions), ...LAZY])].filter((name) => name !== CALL);
	},
	getOwnPropertyDescriptor(extensions, name) {
		const own = Object.getOwnPropertyDescriptor(extensions, name);
		if (own !== undefined || !LAZY.includes(/** @type {string} */ (name))) return own;
		return Object.assign({}, Object.getOwnPropertyDescriptor(Extensions.prototype, name), { enumerable: true });
	},
};

/**
 * Copies the caller's attributes, but none that would hide what a function relies on.
 * @param {Extensions} extensions
 * @param {Readonly<Record<string, string>>} attributes
 */
function merge(extensions, attributes) {
	for (const name of Object.keys(attributes)) {
		if (!LAZY.includes(name) && name !== "toJSON" && name !== "__proto__") Object.assign(extensions, { [name]: attributes[name] });
	}
}

/**
 * Returns what is set, without making the request or the response.
 * @param {object} extensions
 */
function attributesOf(extensions) {
	/** @type {Record<string, unknown>} */
	const attributes = {};
	for (const name of Object.keys(extensions)) {
		const { get, value } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(extensions, name));
		if (get === undefined) attributes[name] = value;
	}
	return attributes;
}

/**
 * @param {object} extensions
 * @param {string} name
 * @param {unknown} value
 */
function replace(extensions, name, value) {
	Object.defineProperty(extensions, name, { value, configurable: true, enumerable: true, writable: true });
}

/** @param {Call} call */
function exchangeOf(call) {
	if (call.exchange === null) {
		const { Exchange } = require("../exchange/exchange"); // http and Express are loaded for the first function that needs them
		call.exchange = new Exchange(call);
	}
	return call.exchange;
}

/**
 * @param {Call} call
 * @param {unknown} data
 */
function makeEvent(call, data) {
	const { frame } = call;
	return {
		data,
		"event-id": frame["event-id"],
		"event-type": frame["event-type"],
		"event-time": frame["event-time"],
		"event-namespace": frame["event-namespace"],
		extensions: new Proxy(new Extensions(call), LISTED),
	};
}

/** `context`: one for each call, so that no call can change another's. */
class Context {
	/** @type {Call} */
	[CALL];

	/**
	 * @param {Call} call
	 * @param {Facts} facts
	 */
	constructor(call, { name, timeout, runtime, memoryLimit }) {
		this["function-name"] = name;
		this.timeout = timeout;
		this.runtime = runtime;
		this["memory-limit"] = memoryLimit;
		this[CALL] = call;
	}

	/** An AbortSignal that is aborted when the call is cancelled; undefined before Node.js 15. */
	get signal() {
		if (typeof AbortController === "undefined") return undefined;
		const call = this[CALL];
		if (call.abort === null) {
			call.abort = new AbortController();
			if (call.cancelled) call.abort.abort();
		}
		return call.abort.signal;
	}

	/**
	 * @param {number} _depth
	 * @param {object} options
	 */
	[inspect.custom](_depth, options) {
		const { [CALL]: _, ...own } = this;
		return inspect(own, options);
	}
}

module.exports = { makeEvent, Context };
