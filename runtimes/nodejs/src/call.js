"use strict";

const { describe, isBadHeader, logText, cancelled, unsendable, CallError } = require("./errors");
const { line } = require("./wire");

/** @import { AsyncResource } from "node:async_hooks" */
/** @import { Calls } from "./calls" */
/** @import { Exchange } from "./exchange/exchange" */
/** @import { CallFrame } from "./protocol" */

/** A larger result is sent in chunks (PROTOCOL 5.2). */
const MAX_RESULT_BYTES = 256 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;
/** PROTOCOL 2.3 */
const MAX_HEAD_BYTES = 1024 * 1024;

const CONTENT_LENGTH = /^content-length:[ \t]*(\d+)[ \t]*\r\n/im;

const OPEN = 0;
const HEADED = 1;
const OVER = 2;

/**
 * One call of the handler and its answer, in the frames of PROTOCOL 4. Frames after the answer's
 * end are dropped, so a function that answers twice does not break the wire.
 */
class Call {
	/**
	 * @param {Calls} calls
	 * @param {CallFrame} frame
	 * @param {Buffer} bytes hold the frame's head and body
	 * @param {number} at where the head begins
	 */
	constructor(calls, frame, bytes, at) {
		this.calls = calls;
		this.id = frame.id;
		this.frame = frame;
		this.bytes = bytes;
		this.at = at;
		this.state = OPEN;
		this.paused = false;
		this.cancelled = false;
		/**
		 * @type {number | null} bytes of the Content-Length that are not sent yet; null without a
		 * Content-Length
		 */
		this.promised = null;
		/** @type {(() => void) | null} is called at `resume` */
		this.waiting = null;
		/** @type {(() => void) | null} stops the work */
		this.onCancel = null;
		/** @type {AbortController | null} made when the function reads context.signal */
		this.abort = null;
		/** @type {Exchange | null} the request and response, made when the function reads one of them */
		this.exchange = null;
		/** @type {AsyncResource | null} see scopes.js */
		this.resource = null;
	}

	get over() {
		return this.state === OVER;
	}

	/** The status has been sent. */
	get headed() {
		return this.state !== OPEN;
	}

	/** Returns the request's header lines. */
	head() {
		const { at, frame } = this;
		return frame.head === undefined ? "" : this.bytes.toString("latin1", at, at + frame.head);
	}

	/** Returns the request's body as it was sent: a view of its chunk, not a copy. */
	body() {
		const { head = 0, body = 0, envelope = body } = this.frame;
		const end = this.at + head + body;
		return this.bytes.slice(end - envelope, end);
	}

	/**
	 * Returns the bytes of the event's data: the body, or what was in the envelope; null without a
	 * body.
	 */
	data() {
		const { head = 0, body, envelope, data } = this.frame;
		const length = envelope === undefined ? body : data;
		if (length === undefined) return null;
		const start = this.at + head;
		return this.bytes.slice(start, start + length);
	}

	/**
	 * Sends the whole answer.
	 * @param {number} status
	 * @param {string} head header lines, latin1
	 * @param {string | Buffer} body
	 * @returns {void}
	 */
	result(status, head, body) {
		if (this.state !== OPEN) return;
		if (head.length > MAX_HEAD_BYTES) return this.refuse(head);
		const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
		if (size > MAX_RESULT_BYTES) return this.resultInChunks(status, head, typeof body === "string" ? Buffer.from(body) : body);
		this.finish();
		this.calls.wire.write(
			`{"type":"result","id":${this.id}${status === 200 ? "" : `,"status":${status}`}${
				head === "" ? "" : `,"head":${head.length}`
			}${size === 0 ? "" : `,"body":${size}`}}\n${head}`,
			body,
			size,
		);
	}

	/**
	 * @param {number} status
	 * @param {string} head
	 * @param {Buffer} bytes
	 */
	resultInChunks(status, head, bytes) {
		head += `Content-Length: ${bytes.length}\r\n`;
		if (this.frame.method === "HEAD") return this.result(status, head, "");
		this.begin(status, head);
		this.write(bytes, () => this.end());
	}

	/**
	 * Sends the head of an answer whose body comes in chunks.
	 * @param {number} status
	 * @param {string} head header lines, latin1
	 */
	begin(status, head) {
		if (this.state !== OPEN) return;
		if (head.length > MAX_HEAD_BYTES) return this.refuse(head);
		const length = CONTENT_LENGTH.exec(head);
		if (length !== null && this.frame.method === "HEAD")
			head = head.replace(CONTENT_LENGTH, ""); // the body is not sent
		else if (length !== null) this.promised = Number(length[1]);
		this.state = HEADED;
		this.calls.hold(this);
		this.calls.wire.write(`{"type":"head","id":${this.id},"status":${status},"head":${head.length}}\n${head}`, "", 0);
	}

	/**
	 * Sends a part of the body, in as many chunks as it takes.
	 * @param {string | Buffer} body
	 * @param {() => void} then is called when more may be sent: at once if the wire and the caller
	 *   take more
	 */
	write(body, then) {
		if (this.state !== HEADED) return;
		const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
		if (size > MAX_CHUNK_BYTES) return this.chunks(typeof body === "string" ? Buffer.from(body) : body, 0, then);
		if (size > 0) this.chunk(body, size);
		if (this.paused || !this.calls.wire.free) this.whenFree(then);
		else then();
	}

	/**
	 * @param {Buffer} bytes
	 * @param {number} at
	 * @param {() => void} then
	 */
	chunks(bytes, at, then) {
		if (this.state !== HEADED) return;
		if (this.cancelled || at >= bytes.length) return then();
		const piece = bytes.slice(at, at + MAX_CHUNK_BYTES); // in Node.js 6, subarray() gives no Buffer
		this.chunk(piece, piece.length);
		this.whenFree(() => this.chunks(bytes, at + MAX_CHUNK_BYTES, then));
	}

	/**
	 * @param {string | Buffer} body
	 * @param {number} size
	 */
	chunk(body, size) {
		if (this.promised !== null) {
			if (size > this.promised) return this.fail(new CallError(undefined, "the function wrote more than the Content-Length it had set"));
			this.promised -= size;
		}
		this.calls.wire.write(`{"type":"chunk","id":${this.id},"body":${size}}\n`, body, size);
	}

	end() {
		if (this.state !== HEADED) return;
		if (this.cancelled) return this.fail(cancelled()); // the body may not be complete
		if (this.promised) return this.fail(new CallError(undefined, "the function wrote less than the Content-Length it had set"));
		this.finish();
		this.calls.wire.write(`{"type":"end","id":${this.id}}\n`, "", 0);
	}

	/**
	 * Ends the call with an error. After the answer it is only logged.
	 * @param {unknown} thrown by the function, or a CallError
	 */
	fail(thrown) {
		const own = thrown instanceof CallError;
		if (this.over || (!own && this.exchange?.ended)) {
			if (!own) this.calls.output.print("stderr", `After it had answered, the function threw: ${logText(thrown)}\n`);
			return;
		}
		const error = !own && this.exchange !== null && isBadHeader(thrown) ? unsendable(thrown) : thrown;
		const { code, message, stack } = describe(error);
		this.finish();
		const fields = { type: "error", id: this.id, code: code ?? (this.cancelled && !own ? "CANCELLED" : undefined), message, stack };
		this.calls.wire.write(line(fields), "", 0);
		if (this.exchange !== null) this.exchange.abandon();
	}

	/**
	 * Ends the call and stops its work, as its headers are too long to be sent.
	 * @param {string} head
	 */
	refuse(head) {
		this.fail(unsendable(new RangeError(`${head.length} bytes of headers, and the limit is ${MAX_HEAD_BYTES}`)));
		this.calls.scopes.run(this, stop, this);
	}

	/** Is called before the last frame is written. */
	finish() {
		this.calls.output.settle(this); // PROTOCOL 7.1: log frames come before the answer's end
		this.state = OVER;
		this.calls.release(this);
	}

	/**
	 * Calls back in a later turn, once the wire and the caller take more.
	 * @param {() => void} callback
	 */
	whenFree(callback) {
		if (this.cancelled) setImmediate(callback);
		else if (this.paused) this.waiting = callback;
		else this.calls.wire.whenFree(() => (this.paused && !this.cancelled ? this.whenFree(callback) : callback()));
	}

	pause() {
		this.paused = true;
	}

	resume() {
		this.paused = false;
		const callback = this.waiting;
		this.waiting = null;
		if (callback !== null) callback();
	}

	/**
	 * Stops a stream and aborts `context.signal` (PROTOCOL 6.1). A handler that is awaited does not
	 * block other calls: the call ends without it, and what it returns later is dropped.
	 */
	cancel() {
		if (this.cancelled) return;
		this.cancelled = true;
		this.calls.scopes.run(this, stop, this);
		this.resume();
		// In a later turn, so that a handler that reacts to the signal can end the call with its own
		// error.
		setImmediate(() => this.fail(cancelled()));
	}
}

/** @param {Call} call */
function stop(call) {
	if (call.abort !== null) call.abort.abort();
	if (call.onCancel !== null) call.onCancel();
}

exports.Call = Call;
