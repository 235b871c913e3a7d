"use strict";

const { Writable } = require("node:stream");
const { CallError, unsendable } = require("../errors");

/** @import { Call } from "../call" */
/** @typedef {(error?: Error | null) => void} Done */

/** Headers of a connection, which the wire is not. */
const HOP_BY_HOP = /^(?:connection|keep-alive|transfer-encoding):.*\r\n/gim;
const CONTENT_LENGTH = /^content-length:.*\r\n/gim;

/**
 * Takes the place of a ServerResponse's socket: it is given HTTP and sends frames. A response that
 * is ended in the turn in which it was begun becomes one frame, else each write becomes a chunk.
 */
class Outlet extends Writable {
	/** @param {Call} call */
	constructor(call) {
		super({ decodeStrings: false });
		this.call = call;
		/** the caller's, as on any connection */
		this.remoteAddress = call.frame.address;
		/** @type {any} a Response, of which Node.js's own fields are used */
		this.response = null;
		this.stripped = false;
		this.ended = false;
		/** true: the worker closes the outlet, not the function */
		this.closing = false;
		/** true: the end of this response ends the answer */
		this.streaming = false;
		/**
		 * The first write, which may become the whole answer: its body, its length here, and its
		 * callback.
		 * @type {{ body: Buffer, length: number, done: Done } | null}
		 */
		this.first = null;
		/**
		 * @type {((error: Error | null) => void) | null} is called in the turn in which the function
		 * destroys the response
		 */
		this.onDestroyed = null;
		this.on("drain", () => this.response.finished || this.response.emit("drain"));
		this.on("finish", () => this.finished());
	}

	/**
	 * @param {any} chunk
	 * @param {any} [encoding]
	 * @param {any} [done]
	 * @override
	 */
	write(chunk, encoding, done) {
		const more = super.write(chunk, encoding, done);
		if (!more || !this.call.paused) return more;
		// A paused caller stops the function at once, not when the buffer is full. `drain` then comes
		// after `resume`.
		stateOf(this).needDrain = true;
		return false;
	}

	/**
	 * @param {any} chunk
	 * @param {BufferEncoding} encoding
	 * @param {Done} done
	 * @override
	 */
	_write(chunk, encoding, done) {
		this.take([{ chunk, encoding }], done);
	}

	/**
	 * @param {{ chunk: any, encoding: BufferEncoding }[]} items
	 * @param {Done} done
	 * @override
	 */
	_writev(items, done) {
		this.take(items, done);
	}

	/**
	 * @param {{ chunk: any, encoding: BufferEncoding }[]} items
	 * @param {Done} done
	 */
	take(items, done) {
		let length = 0;
		/** @type {Buffer[]} */
		const parts = [];
		for (const { chunk, encoding } of items) {
			length += chunk.length;
			const part = this.withoutHead(chunk);
			if (part.length > 0) parts.push(typeof part === "string" ? Buffer.from(part, encoding) : part);
		}
		const body = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
		if (this.call.headed) return this.call.write(body, done);
		this.first = { body, length, done };
		if (this.ended) this.complete();
		else process.nextTick(() => this.spill());
	}

	/**
	 * The first write begins with the header.
	 * @param {any} chunk
	 */
	withoutHead(chunk) {
		if (this.stripped) return chunk;
		this.stripped = true;
		return chunk.slice(this.response._header.length); // latin1: as many bytes as characters
	}

	/** The response was ended. Its last write may still be on its way here. */
	complete() {
		this.ended = true;
		if (this.first === null) return;
		const { body, length, done } = this.first;
		if (length !== stateOf(this).length) return this.spill();
		this.first = null;
		const { status, head } = this.lead();
		const { method } = this.call.frame;
		const bodiless = body.length === 0 && (method === "HEAD" || status === 304);
		if (status < 200) this.call.fail(informational(status));
		else this.call.result(status, bodiless ? head : head.replace(CONTENT_LENGTH, ""), body);
		done();
	}

	/** Sends the head and the first write. */
	spill() {
		if (this.first === null) return;
		const { body, done } = this.first;
		this.first = null;
		const { status, head } = this.lead();
		if (status < 200) return this.call.fail(informational(status));
		this.streaming = true;
		this.call.begin(status, head);
		this.call.write(body, done);
	}

	finished() {
		if (this.streaming) this.call.end();
		this.close();
	}

	/**
	 * Breaks the answer off, as the function closed the connection.
	 * @param {string} reason
	 */
	breakOff(reason) {
		const { status, head } = this.lead();
		this.call.begin(Math.max(status, 200), head);
		this.call.fail(new CallError(undefined, reason));
	}

	close() {
		this.first = null;
		this.closing = true;
		process.nextTick(() => this.destroy()); // not within its own last write, which would count as broken off
	}

	/**
	 * @param {Error} [error]
	 * @override
	 */
	destroy(error) {
		if (super.destroy !== undefined) return super.destroy(error);
		// Node.js 6
		if (Reflect.get(this, "destroyed")) return this;
		Reflect.set(this, "destroyed", true);
		this._destroy(error ?? null, () => {});
		return this;
	}

	/**
	 * @param {Error | null} error
	 * @param {Done} callback
	 * @override
	 */
	_destroy(error, callback) {
		this.onDestroyed?.(error);
		callback(error);
		if (stateOf(this).emitClose === undefined) process.nextTick(() => this.emit("close")); // Node.js 6 and 8 leave it out
	}

	/** Returns the status and the header lines of the response, which can no longer be changed. */
	lead() {
		const { response } = this;
		if (!response._header) response.writeHead(response.statusCode);
		/** @type {string} */
		const text = response._header;
		const head = text.slice(text.indexOf("\r\n") + 2, -2).replace(HOP_BY_HOP, "");
		/** @type {{ status: number, head: string }} */
		const lead = { status: response.statusCode, head };
		return lead;
	}

	// What http and functions do to a socket has no meaning on the wire.
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

/** @param {number} status */
function informational(status) {
	return unsendable(new RangeError(`a response with the status ${status}, which is no answer`));
}

/**
 * @param {Outlet} outlet
 * @returns {{ needDrain: boolean, length: number, emitClose?: boolean }}
 */
function stateOf(outlet) {
	return /** @type {any} */ (outlet)._writableState;
}

exports.Outlet = Outlet;
