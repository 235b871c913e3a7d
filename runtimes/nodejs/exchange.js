"use strict";

const { STATUS_CODES } = require("http");
const { Request } = require("./request");
const { Outlet, Response } = require("./response");
const { whole, isResponse, sendSource } = require("./result");

/** A call's request and response, and what becomes of them when the handler has returned. */
class Exchange {
	constructor(call) {
		this.call = call;
		this.outlet = new Outlet(call);
		this.request = new Request(call, this.outlet);
		this.response = null;
		/** streams that are piped into the response */
		this.pipes = new Set();
		/** things under way that will end the response themselves */
		this.busy = 0;
		/** true once the handler has returned and left the rest to what it has begun */
		this.left = false;
		call.onCancel = () => this.cancel();
		this.outlet
			.on("error", (error) => this.destroyed(error))
			.on("close", () => {
				this.request.emit("close");
				this.destroyed(new Error("the response was destroyed before its end"));
			});
	}

	/** The function, or a pipeline of its, has given the response up. */
	destroyed(error) {
		// In a later turn: the handler itself may be about to throw the same, and say more of it.
		if (!this.outlet.closing) setImmediate(() => this.call.over || this.call.fail(error));
	}

	/** true once the function has looked at the response: from then on it decides the answer's status and headers */
	get touched() {
		return this.response !== null;
	}

	get ended() {
		return this.response !== null && this.response.finished;
	}

	touch() {
		if (this.response === null) {
			this.response = new Response(this.request, this.outlet);
			this.response.on("pipe", (source) => this.piped(source));
			this.response.on("unpipe", (source) => {
				this.pipes.delete(source);
				this.settle();
			});
		}
		return this.response;
	}

	/** A pipe does not tell its end that it has broken. */
	piped(source) {
		this.pipes.add(source);
		const broke = (error) => setImmediate(() => this.pipes.has(source) && !this.ended && this.call.fail(error));
		source.on("error", (error) => {
			// A function that listens too has its own answer to it.
			if (source.listenerCount("error") === 1) broke(error);
		});
		source.on("close", () => broke(new Error("the stream that was piped into the response was closed before its end")));
	}

	/** The handler has returned, and has seen the response. */
	conclude(value) {
		const { call, response } = this;
		if (call.over || this.ended) return;
		if (call.cancelled) return call.error("CANCELLED", "the caller has gone");
		call.calls.hold(call);
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

	/** Sends what was returned under the response's status and headers. */
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

	/** What was begun may be over without having ended the response. */
	settle() {
		if (!this.left) return;
		setImmediate(() => {
			if (this.pipes.size === 0 && this.busy === 0 && !this.ended && !this.call.over) this.response.end();
		});
	}

	/** What Express calls with an error that nobody else takes, and without one when it has found nothing to answer. */
	next(error) {
		const status = error ? error.status : 404;
		if (!(status >= 400 && status < 500) || this.touch().headersSent) return this.call.fail(error);
		this.response.status(status).end(STATUS_CODES[status]);
	}

	cancel() {
		this.request.aborted = true;
		this.request.emit("aborted");
		this.outlet.close();
		if (this.left || this.ended) this.call.error("CANCELLED", "the caller has gone");
	}

	/** The call is answered by an error, whatever was written. */
	abandon() {
		this.outlet.close();
	}
}

module.exports = { Exchange };
