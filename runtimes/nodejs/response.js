"use strict";

const http = require("http");
const { Writable } = require("stream");
const express = require("./express");

/** Headers that belong to a connection, of which the wire is none. */
const HOP_BY_HOP = /^(?:connection|keep-alive|transfer-encoding):.*\r\n/gim;
const LENGTH = /^content-length:.*\r\n/gim;

/** http.Server clears the mark that ServerResponse would answer from; there is none here. */
const NEED_DRAIN = {
	get() {
		return this.outlet.writableNeedDrain === true && !this.finished;
	},
};

/** A function that passes on another server's headers asks for chunks, which are HTTP's, and not the wire's. */
const UNCHUNKED = { get: () => false, set() {} };

/** What Express gives a response, on a real http.ServerResponse. */
class Response extends http.ServerResponse {
	/** @param {Outlet} outlet */
	constructor(request, outlet) {
		super(request);
		Object.defineProperty(this, "outlet", { value: outlet });
		// Its own and not its class's, for an Express application of the function's own takes the place of this class.
		Object.defineProperty(this, "writableNeedDrain", NEED_DRAIN);
		Object.defineProperty(this, "chunkedEncoding", UNCHUNKED);
		this.req = request;
		this.locals = Object.create(null);
		this.useChunkedEncodingByDefault = false;
		this.sendDate = false;
		this._hasBody = true; // also for HEAD: who answers the caller tells its length, and leaves it out
		this.removeHeader("Connection"); // as it stands, ServerResponse adds one
		outlet.response = this;
		this.assignSocket(outlet);
		this.on("prefinish", () => outlet.complete());
		// What http.Server does here; the outlet is finished once it has passed on all that was written.
		this.on("finish", () => outlet.end());
	}

	get app() {
		return express.app;
	}

	// There is no frame for what comes before the answer.
	writeContinue(callback) {
		skipped(callback);
	}

	writeProcessing(callback) {
		skipped(callback);
	}

	writeEarlyHints(_hints, callback) {
		skipped(callback);
	}
}

Object.setPrototypeOf(Response.prototype, express.response);
Response.prototype.sendFile = busy(express.response.sendFile);
Response.prototype.render = busy(express.response.render);

function skipped(callback) {
	if (typeof callback === "function") process.nextTick(callback);
}

/** What answers later by itself: that the handler returns meanwhile does not end the response. */
function busy(method) {
	return function start(...values) {
		const { exchange } = this.outlet.call;
		const last = values[values.length - 1];
		exchange.busy += 1;
		if (typeof last === "function") {
			values[values.length - 1] = (...results) => {
				exchange.busy -= 1;
				last(...results);
				exchange.settle();
			};
		}
		return method.apply(this, values);
	};
}

/**
 * What a ServerResponse takes for its socket. It is given HTTP, and sends frames: one for a response that is ended in the
 * turn it was begun in, else a chunk for each write.
 */
class Outlet extends Writable {
	constructor(call) {
		super({ decodeStrings: false });
		this.call = call;
		/** the caller's, as on any connection */
		this.remoteAddress = call.frame.address;
		this.response = null;
		this.stripped = false;
		this.ended = false;
		/** true: it is the worker that closes it, and not the function */
		this.closing = false;
		/** true: it is for this response's end to end the answer */
		this.streaming = false;
		/** what was written first, and still may become the whole: its body, its length here, and who waits for it */
		this.first = null;
		this.on("drain", () => this.response.finished || this.response.emit("drain"));
		this.on("finish", () => this.finished());
	}

	write(chunk, encoding, done) {
		const more = super.write(chunk, encoding, done);
		if (!more || !this.call.paused) return more;
		// Said at once, and not when its own buffer is full; it makes `drain` come after `resume`.
		this._writableState.needDrain = true;
		return false;
	}

	_write(chunk, encoding, done) {
		this.take([{ chunk, encoding }], done);
	}

	_writev(items, done) {
		this.take(items, done);
	}

	take(items, done) {
		let length = 0;
		const parts = [];
		for (const { chunk, encoding } of items) {
			length += chunk.length;
			const part = this.strip(chunk);
			if (part.length > 0) parts.push(typeof part === "string" ? Buffer.from(part, encoding) : part);
		}
		const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
		if (this.call.headed) return this.call.write(body, done);
		this.first = { body, length, done };
		if (this.ended) this.complete();
		else process.nextTick(() => this.spill());
	}

	/** The first that is written begins with the header. */
	strip(chunk) {
		if (this.stripped) return chunk;
		this.stripped = true;
		return chunk.slice(this.response._header.length); // latin1: as many bytes as characters
	}

	/** The response was ended; what it wrote last may still be on its way here. */
	complete() {
		this.ended = true;
		if (this.first === null) return;
		const { body, length, done } = this.first;
		if (length !== this._writableState.length) return this.spill();
		this.first = null;
		const { status, head } = this.lead();
		const { method } = this.call.frame;
		const bodiless = body.length === 0 && (method === "HEAD" || status === 304);
		if (status < 200) this.call.invalid(new RangeError(`a response with the status ${status}, which is no answer`));
		else this.call.result(status, bodiless ? head : head.replace(LENGTH, ""), body);
		done();
	}

	/** Sends the head, and what was written with it. */
	spill() {
		if (this.first === null) return;
		const { body, done } = this.first;
		this.first = null;
		const { status, head } = this.lead();
		if (status < 200) return this.call.invalid(new RangeError(`a response with the status ${status}, which is no answer`));
		this.streaming = true;
		this.call.begin(status, head);
		this.call.write(body, done);
	}

	finished() {
		if (this.streaming) this.call.end();
		this.close();
	}

	close() {
		this.first = null;
		this.closing = true;
		process.nextTick(destroy, this); // not within its own last write, which would take it for cut off
	}

	_destroy(error, callback) {
		callback(error);
		if (this._writableState.emitClose === undefined) process.nextTick(emitClose, this); // Node.js 8 leaves it out
	}

	/** The status and the header lines of the response, which can be changed no more. */
	lead() {
		const { response } = this;
		if (!response._header) response.writeHead(response.statusCode);
		const text = response._header;
		const lines = text.slice(text.indexOf("\r\n") + 2, -2).replace(HOP_BY_HOP, "");
		return { status: response.statusCode, head: lines };
	}

	// What http and functions do to a socket, and has no meaning on the wire.
	setTimeout() {
		return this;
	}

	setNoDelay() {
		return this;
	}

	setKeepAlive() {
		return this;
	}
}

function destroy(outlet) {
	outlet.destroy();
}

function emitClose(outlet) {
	outlet.emit("close");
}

module.exports = { Outlet, Response };
