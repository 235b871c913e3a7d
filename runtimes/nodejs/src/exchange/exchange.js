"use strict";

const { STATUS_CODES } = require("node:http");
const { cancelled } = require("../errors");
const { whole, isResponse, sendSource } = require("../result/result");
const { Outlet } = require("./outlet");
const { Request } = require("./request");
const { Response } = require("./response");

/** @import { Readable } from "node:stream" */
/** @import { Call } from "../call" */

/** A call's request and response, and how they end when the handler has returned. */
class Exchange {
	/** @param {Call} call */
	constructor(call) {
		this.call = call;
		this.outlet = new Outlet(call);
		this.request = new Request(call, this.outlet);
		/** @type {any} an Express response, of which no types are here */
		this.response = null;
		/** @type {Set<Readable>} streams that are piped into the response */
		this.pipes = new Set();
		/** operations that will end the response themselves */
		this.busy = 0;
		/** the handler has returned and left the response to what it has begun */
		this.left = false;
		/**
		 * @type {Error | null | undefined} the function has destroyed the response, with this error or
		 * without one
		 */
		this.destroyed = undefined;
		call.onCancel = () => this.cancel();
		this.outlet.onDestroyed = (error) => this.onDestroyed(error);
		this.outlet.on("error", (error) => this.onDestroyed(error)).on("close", () => this.request.emit("close"));
	}

	/**
	 * The function, or its pipeline, has destroyed the response: nothing that it writes arrives any
	 * more.
	 * @param {Error | null} error
	 */
	onDestroyed(error) {
		if (this.outlet.closing) return;
		this.destroyed ??= error;
		// In a later turn: the handler may be about to throw the same error, with more of a message.
		setImmediate(() => this.call.over || this.endDestroyed(error));
	}

	/** @param {Error | null} error */
	endDestroyed(error) {
		const { call, outlet } = this;
		if (error !== null) return call.fail(error);
		this.touch();
		outlet.breakOff("the response was destroyed before its end");
	}

	/**
	 * The function has read the response: from then on, it sets the status and the headers of the
	 * answer.
	 */
	get touched() {
		return this.response !== null;
	}

	/** The function has ended the response, and its answer is on its way. */
	get ended() {
		return this.response?.finished === true && this.destroyed === undefined;
	}

	/** Returns the response. */
	touch() {
		if (this.response === null) {
			this.response = new Response(this.request, this.outlet);
			this.response.on("pipe", (/** @type {Readable} */ source) => this.piped(source));
			this.response.on("unpipe", (/** @type {Readable} */ source) => {
				this.pipes.delete(source);
				this.settle();
			});
		}
		return this.response;
	}

	/**
	 * Ends the call if the source breaks, as pipe() does not report that to its target.
	 * @param {Readable} source
	 */
	piped(source) {
		this.pipes.add(source);
		/** @param {Error} error */
		const broke = (error) => setImmediate(() => this.pipes.has(source) && !this.ended && this.call.fail(error));
		source.on("error", (error) => {
			// A function with a listener of its own answers by itself.
			if (source.listenerCount("error") === 1) broke(error);
		});
		source.on("close", () => broke(new Error("the stream that was piped into the response was closed before its end")));
	}

	/**
	 * Ends the call when the handler has returned and has touched the response.
	 * @param {unknown} value
	 */
	conclude(value) {
		const { call, response } = this;
		if (call.over || this.ended) return;
		if (call.cancelled) return call.fail(cancelled());
		call.calls.hold(call);
		if (this.destroyed !== undefined) return; // onDestroyed ends it
		if (value === undefined || value === response || value === this.request) {
			this.left = true;
			if (this.pipes.size === 0 && this.busy === 0) response.end();
			return;
		}
		for (const source of this.pipes) source.unpipe(response);
		const result = whole(value);
		if (result === undefined) return this.stream(value);
		if (result.type !== "" && !response.headersSent && !response.getHeader("Content-Type")) {
			response.setHeader("Content-Type", result.type);
		}
		response.end(result.body);
	}

	/**
	 * Sends the returned stream under the response's status and headers.
	 * @param {any} value
	 */
	stream(value) {
		const { call, response, outlet } = this;
		if (response.headersSent) throw new Error("a stream, when the response had already begun to be written");
		let source = value;
		if (isResponse(value)) {
			response.statusCode = value.status;
			value.headers.forEach((text, name) => {
				response.append(name, text);
			});
			source = value.body;
			if (!source) return response.end();
		}
		const { status, head } = outlet.lead();
		sendSource(call, source, { status, head, typed: response.getHeader("Content-Type") !== undefined || source !== value });
		outlet.close();
	}

	/** Ends the response when everything that was begun is over and has not ended it. */
	settle() {
		if (!this.left) return;
		setImmediate(() => {
			if (this.pipes.size === 0 && this.busy === 0 && !this.ended && !this.call.over) this.response.end();
		});
	}

	/**
	 * What Express calls with an error that has no other handler, and without one if nothing was
	 * found.
	 * @param {any} error
	 */
	next(error) {
		const status = error ? error.status : 404;
		if (!(status >= 400 && status < 500) || this.touch().headersSent) return this.call.fail(error);
		this.response.status(status).end(STATUS_CODES[status]);
	}

	cancel() {
		Object.assign(this.request, { aborted: true });
		this.request.emit("aborted");
		this.outlet.close();
		if (this.left || this.ended) this.call.fail(cancelled());
	}

	/** The call ends with an error, whatever was written. */
	abandon() {
		this.outlet.close();
	}
}

exports.Exchange = Exchange;
