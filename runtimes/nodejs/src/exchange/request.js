"use strict";

const http = require("node:http");
const { Readable } = require("node:stream");
const { MULTIPART } = require("../event/body");
const express = require("./express");

/** @import { Call } from "../call" */
/** @import { Outlet } from "./outlet" */

const CALL = Symbol("call");
const UNREAD = Symbol("unread");

/** Parsed when the function reads it, as few functions do. */
const LAZY_QUERY = {
	configurable: true,
	enumerable: true,
	/** @this {Request} */
	get() {
		const { query } = this[CALL].frame;
		const parsed = query ? express.app.get("query parser fn")(query) : {};
		replace(this, "query", parsed);
		return parsed;
	},
	/**
	 * @this {Request}
	 * @param {unknown} value
	 */
	set(value) {
		replace(this, "query", value);
	},
};

/** Express's request, on a real http.IncomingMessage whose connection is the wire. */
class Request extends http.IncomingMessage {
	/** @type {Call} */
	[CALL];
	/** @type {Buffer | undefined} */
	[UNREAD];

	/**
	 * @param {Call} call
	 * @param {Outlet} socket stands in for the caller's connection
	 */
	constructor(call, socket) {
		super(/** @type {any} */ (socket));
		const { method, path, query, body } = call.frame;
		this[CALL] = call;
		// As a stream the body is as it was sent. `body` is what the headers mean, and empty for a parser
		// such as multer.
		this[UNREAD] = call.body();
		const head = call.head();
		this.body = body === undefined || MULTIPART.test(head) ? {} : this[UNREAD];
		this.method = method;
		this.url = query === undefined ? path : `${path}?${query}`;
		this.originalUrl = this.url;
		this.baseUrl = "";
		this.params = { 0: path }; // as if one route matched all paths
		this.httpVersion = "1.1";
		this.httpVersionMajor = 1;
		this.httpVersionMinor = 1;
		// Own properties, as an Express application of the function's own replaces the prototype.
		this._read = readBody;
		this._destroy = destroyed;
		Object.defineProperty(this, "query", LAZY_QUERY);
		const raw = rawHeaders(head);
		/** @type {any} */ (this)._addHeaderLines(raw, raw.length);
		this.complete = true; // later header lines would be taken for trailers
	}

	get app() {
		return express.app;
	}

	get res() {
		return this[CALL].exchange?.touch();
	}

	set res(value) {
		replace(this, "res", value);
	}

	/** What Express does with an error that has no other handler. */
	get next() {
		return (/** @type {any} */ error) => this[CALL].exchange?.next(error);
	}

	set next(value) {
		replace(this, "next", value);
	}

	/**
	 * @param {Error} [error]
	 * @returns {this}
	 * @override
	 */
	destroy(error) {
		const { destroy } = Readable.prototype; // IncomingMessage's own would destroy the connection; Node.js 6 has no other
		return destroy === undefined ? this : /** @type {this} */ (destroy.call(this, error));
	}
}

Object.setPrototypeOf(Request.prototype, express.request);

/**
 * @param {object} request
 * @param {string} name
 * @param {unknown} value
 */
function replace(request, name, value) {
	Object.defineProperty(request, name, { value, configurable: true, enumerable: true, writable: true });
}

/** @this {Request} */
function readBody() {
	const body = this[UNREAD];
	this[UNREAD] = undefined;
	if (body !== undefined && body.length > 0) this.push(body);
	this.push(null);
}

/**
 * A function that has read enough of the request has not closed its caller's connection.
 * @param {Error | null} error
 * @param {(error?: Error | null) => void} callback
 */
function destroyed(error, callback) {
	callback(error);
}

/** @param {string} block */
function rawHeaders(block) {
	const raw = [];
	for (const line of block.split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) raw.push(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	return raw;
}

exports.Request = Request;
