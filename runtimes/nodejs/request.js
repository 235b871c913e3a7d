"use strict";

const http = require("http");
const { Readable } = require("stream");
const { MULTIPART } = require("./body");
const express = require("./express");

const CALL = Symbol("call");
const UNREAD = Symbol("unread");

/** Parsed when asked for, as few functions do. */
const LAZY_QUERY = {
	configurable: true,
	enumerable: true,
	get() {
		const { query } = this[CALL].frame;
		this.query = query ? express.app.get("query parser fn")(query) : {};
		return this.query;
	},
	set(value) {
		replace(this, "query", value);
	},
};

/** What Express gives a request, on a real http.IncomingMessage, whose connection is the wire. */
class Request extends http.IncomingMessage {
	/** @param {Writable} socket stands in for the caller's connection */
	constructor(call, socket) {
		super(socket);
		const { method, path, query, body } = call.frame;
		this[CALL] = call;
		// What is read is what was sent, as the headers describe it; body is what it means, and nothing of what multer reads.
		this[UNREAD] = call.body();
		const head = call.head();
		this.body = body === undefined || MULTIPART.test(head) ? {} : call.inflated || this[UNREAD];
		this.method = method;
		this.url = query === undefined ? path : `${path}?${query}`;
		this.originalUrl = this.url;
		this.baseUrl = "";
		this.params = { 0: path }; // of the one route there is, which fits all
		this.httpVersion = "1.1";
		this.httpVersionMajor = 1;
		this.httpVersionMinor = 1;
		// Its own and not its class's, for an Express application of the function's own takes the place of this class.
		this._read = readBody;
		this._destroy = destroyed;
		Object.defineProperty(this, "query", LAZY_QUERY);
		const raw = rawHeaders(head);
		this._addHeaderLines(raw, raw.length);
		this.complete = true; // what came after it would be taken for trailers
	}

	get app() {
		return express.app;
	}

	get res() {
		return this[CALL].exchange.touch();
	}

	set res(value) {
		replace(this, "res", value);
	}

	/** What Express does with an error that nobody else takes. */
	get next() {
		return (error) => this[CALL].exchange.next(error);
	}

	set next(value) {
		replace(this, "next", value);
	}

	destroy(error) {
		return Readable.prototype.destroy.call(this, error);
	}
}

Object.setPrototypeOf(Request.prototype, express.request);

function replace(request, name, value) {
	Object.defineProperty(request, name, { value, configurable: true, enumerable: true, writable: true });
}

function readBody() {
	const body = this[UNREAD];
	this[UNREAD] = undefined;
	if (body !== undefined && body.length > 0) this.push(body);
	this.push(null);
}

/** A function that is done with the request before its end has not thereby hung up on its caller. */
function destroyed(error, callback) {
	callback(error);
}

function rawHeaders(block) {
	const raw = [];
	for (const line of block.split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) raw.push(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	return raw;
}

module.exports = { Request };
