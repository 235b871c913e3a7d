"use strict";

/** @import { Call, Calls } from "./calls" */
/** @typedef {typeof import("node:async_hooks")} AsyncHooks */

const { AsyncLocalStorage, AsyncResource } = asyncHooks();

// The async context of each call. It names the call for what the function prints, and it keeps what one call stores with
// AsyncLocalStorage.enterWith() from the next call.

const RESOURCE = { requireManualDestroy: true };

/** @returns {AsyncHooks} */
function asyncHooks() {
	try {
		return require("node:async_hooks");
	} catch {
		return /** @type {any} */ ({}); // Node.js 6
	}
}

/** From Node.js 24 on, run() restores all storages of the process when it returns. */
class StorageScopes {
	constructor() {
		/** @type {import("node:async_hooks").AsyncLocalStorage<Call>} */
		this.storage = new AsyncLocalStorage();
	}

	/**
	 * Runs the callback as a part of the call.
	 * @template A, B, R
	 * @param {Call} call
	 * @param {(first: A, second: B) => R} callback
	 * @param {A} [first]
	 * @param {B} [second]
	 * @returns {R}
	 */
	run(call, callback, first, second) {
		return this.storage.run(call, callback, /** @type {A} */ (first), /** @type {B} */ (second));
	}

	/** Returns the call that the running code belongs to, if there is one. */
	current() {
		return this.storage.getStore();
	}
}

/** Before Node.js 24, calls that arrive in one chunk share an async resource, so each call gets its own. */
class ResourceScopes extends StorageScopes {
	/**
	 * @template A, B, R
	 * @param {Call} call
	 * @param {(first: A, second: B) => R} callback
	 * @param {A} [first]
	 * @param {B} [second]
	 * @returns {R}
	 * @override
	 */
	run(call, callback, first, second) {
		call.resource ??= new AsyncResource("KubelessCall", RESOURCE);
		// @ts-expect-error: the types lose the callback's result
		return call.resource.runInAsyncScope(this.enter, this, call, callback, first, second);
	}

	/**
	 * @template A, B, R
	 * @param {Call} call
	 * @param {(first: A, second: B) => R} callback
	 * @param {A} first
	 * @param {B} second
	 */
	enter(call, callback, first, second) {
		this.storage.enterWith(call);
		return callback(first, second);
	}
}

/** Before Node.js 12.17: the call is known while it runs, and after that as long as it is the only one. */
class SynchronousScopes {
	/** @param {Calls} calls */
	constructor(calls) {
		this.calls = calls;
		/** @type {Call | undefined} */
		this.running = undefined;
	}

	/**
	 * @template A, B, R
	 * @param {Call} call
	 * @param {(first: A, second: B) => R} callback
	 * @param {A} [first]
	 * @param {B} [second]
	 * @returns {R}
	 */
	run(call, callback, first, second) {
		const before = this.running;
		this.running = call;
		try {
			return callback(/** @type {A} */ (first), /** @type {B} */ (second));
		} finally {
			this.running = before;
		}
	}

	current() {
		if (this.running !== undefined) return this.running;
		return this.calls.held.size === 1 ? this.calls.held.values().next().value : undefined;
	}
}

/**
 * @param {Calls} calls
 * @returns {StorageScopes | SynchronousScopes}
 */
function makeScopes(calls) {
	if (AsyncLocalStorage === undefined) return new SynchronousScopes(calls);
	const probe = new AsyncLocalStorage();
	const other = new AsyncLocalStorage();
	probe.run(true, () => other.enterWith(true));
	const leaks = other.getStore() === true;
	probe.disable();
	other.disable();
	return leaks ? new ResourceScopes() : new StorageScopes();
}

module.exports = { makeScopes };
