"use strict";

const http = require("node:http");
const express = require("./express");

/** @import { Outlet } from "./outlet" */
/** @import { Request } from "./request" */

/** http.Server clears the field that ServerResponse would answer from; there is no server here. */
const NEED_DRAIN = {
	/** @this {Response} */
	get() {
		return this.outlet.writableNeedDrain === true && !this.finished;
	},
};

/**
 * A function that copies another server's headers asks for chunks, which are HTTP's and not the
 * wire's.
 */
const UNCHUNKED = { get: () => false, set() {} };

/** Express's response, on a real http.ServerResponse. */
class Response extends http.ServerResponse {
	/**
	 * @param {Request} request
	 * @param {Outlet} outlet
	 */
	constructor(request, outlet) {
		super(request);
		this.outlet = outlet;
		Object.defineProperty(this, "outlet", { enumerable: false });
		// Own properties, as an Express application of the function's own replaces the prototype.
		Object.defineProperty(this, "writableNeedDrain", NEED_DRAIN);
		Object.defineProperty(this, "chunkedEncoding", UNCHUNKED);
		Object.assign(this, {
			req: request,
			locals: Object.create(null),
			useChunkedEncodingByDefault: false,
			sendDate: false,
			_hasBody: true, // also for HEAD: the loader leaves the body out, and needs its length
		});
		this.removeHeader("Connection"); // else ServerResponse adds one
		outlet.response = this;
		this.assignSocket(/** @type {any} */ (outlet));
		this.on("prefinish", () => outlet.complete());
		// What http.Server does here. The outlet finishes when it has passed on all writes.
		this.on("finish", () => outlet.end());
	}

	get app() {
		return express.app;
	}

	// No frame carries what HTTP sends before the answer.

	/**
	 * @param {() => void} [callback]
	 * @override
	 */
	writeContinue(callback) {
		skipped(callback);
	}

	/**
	 * @param {() => void} [callback]
	 * @override
	 */
	writeProcessing(callback) {
		skipped(callback);
	}

	/**
	 * @param {unknown} _hints
	 * @param {() => void} [callback]
	 * @override
	 */
	writeEarlyHints(_hints, callback) {
		skipped(callback);
	}
}

Object.setPrototypeOf(Response.prototype, express.response);
Object.assign(Response.prototype, {
	sendFile: busyDuring(express.response.sendFile),
	render: busyDuring(express.response.render),
});

/** @param {unknown} callback */
function skipped(callback) {
	if (typeof callback === "function") process.nextTick(/** @type {() => void} */ (callback));
}

/**
 * Returns the method, which ends the response later, when the handler may have returned.
 * @param {(...values: any[]) => unknown} method
 */
function busyDuring(method) {
	/**
	 * @this {Response}
	 * @param {any[]} values
	 */
	return function start(...values) {
		const exchange = this.outlet.call.exchange;
		const last = values[values.length - 1];
		if (exchange === null) return undefined;
		exchange.busy += 1;
		if (typeof last === "function") {
			values[values.length - 1] = (/** @type {any[]} */ ...results) => {
				exchange.busy -= 1;
				last(...results);
				exchange.settle();
			};
		}
		return method.apply(this, values);
	};
}

exports.Response = Response;
