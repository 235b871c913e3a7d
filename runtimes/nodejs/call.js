"use strict";

const { describe, isBadHeader, words } = require("./failure");
const { line } = require("./line");
const { Output } = require("./output");

/** A result over this many bytes goes in chunks (PROTOCOL 5.2). */
const WHOLE_MAX = 256 * 1024;
const CHUNK_MAX = 64 * 1024;

const LENGTH = /^content-length:[ \t]*(\d+)[ \t]*\r\n/im;

const OPEN = 0;
const HEADED = 1;
const OVER = 2;

/**
 * One call of the handler and its answer, in the frames of PROTOCOL 4. What comes after the answer's end is dropped, so
 * that a function that answers twice does not break the wire.
 */
class Call {
	/**
	 * @param {Calls} calls
	 * @param {object} frame the line of its `call` frame
	 * @param {Buffer} bytes where its head and body are
	 * @param {number} at where its head begins in them
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
		/** bytes that the head has promised and that are not sent yet; null where it has not said */
		this.promised = null;
		/** who waits for `resume` */
		this.waiting = null;
		/** what stops the work, once there is something to stop */
		this.onCancel = null;
		/** made when the function asks for context.signal */
		this.abort = null;
		/** the request and response, made when the function asks for one of them */
		this.exchange = null;
	}

	get over() {
		return this.state === OVER;
	}

	/** true once the caller has been told a status */
	get headed() {
		return this.state !== OPEN;
	}

	/** The request's header block. */
	head() {
		const { at, frame } = this;
		return frame.head === undefined ? "" : this.bytes.toString("latin1", at, at + frame.head);
	}

	/** The request's body as it was sent: a view of the chunk it came in, and not a copy. */
	body() {
		const start = this.at + (this.frame.head || 0);
		return this.bytes.slice(start, start + (this.frame.body || 0));
	}

	/**
	 * The whole answer.
	 * @param {string} head header lines, latin1
	 * @param {string | Buffer} body
	 */
	result(status, head, body) {
		if (this.state !== OPEN) return;
		const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
		if (size > WHOLE_MAX) return this.large(status, head, typeof body === "string" ? Buffer.from(body) : body);
		this.finish();
		this.calls.wire.write(
			`{"type":"result","id":${this.id}${status === 200 ? "" : `,"status":${status}`}${
				head === "" ? "" : `,"head":${head.length}`
			}${size === 0 ? "" : `,"body":${size}`}}\n${head}`,
			body,
			size,
		);
	}

	large(status, head, bytes) {
		head += `Content-Length: ${bytes.length}\r\n`;
		if (this.frame.method === "HEAD") return this.result(status, head, "");
		this.begin(status, head);
		this.write(bytes, () => this.end());
	}

	/** The head of an answer whose body comes in pieces. */
	begin(status, head) {
		if (this.state !== OPEN) return;
		const length = LENGTH.exec(head);
		if (length !== null && this.frame.method === "HEAD")
			head = head.replace(LENGTH, ""); // said of a body that is not sent
		else if (length !== null) this.promised = Number(length[1]);
		this.state = HEADED;
		this.calls.hold(this);
		this.calls.wire.write(`{"type":"head","id":${this.id},"status":${status},"head":${head.length}}\n${head}`, "", 0);
	}

	/**
	 * A piece of the body, in as many chunks as it takes.
	 * @param {string | Buffer} body
	 * @param {() => void} then is called when more may come, which is at once where nothing stands in the way
	 */
	write(body, then) {
		if (this.state !== HEADED) return;
		const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
		if (size > CHUNK_MAX) return this.pieces(typeof body === "string" ? Buffer.from(body) : body, 0, then);
		if (size > 0) this.chunk(body, size);
		if (this.paused || !this.calls.wire.free) this.whenFree(then);
		else then();
	}

	pieces(bytes, at, then) {
		if (this.state !== HEADED) return;
		if (this.cancelled || at >= bytes.length) return then();
		const piece = bytes.subarray(at, at + CHUNK_MAX);
		this.chunk(piece, piece.length);
		this.whenFree(() => this.pieces(bytes, at + CHUNK_MAX, then));
	}

	chunk(body, size) {
		if (this.promised !== null) {
			if (size > this.promised) return this.error(undefined, "the function wrote more than the Content-Length it had set");
			this.promised -= size;
		}
		this.calls.wire.write(`{"type":"chunk","id":${this.id},"body":${size}}\n`, body, size);
	}

	end() {
		if (this.state !== HEADED) return;
		if (this.cancelled) return this.error("CANCELLED", "the caller has gone"); // less than all may have been sent
		if (this.promised) return this.error(undefined, "the function wrote less than the Content-Length it had set");
		this.finish();
		this.calls.wire.write(`{"type":"end","id":${this.id}}\n`, "", 0);
	}

	error(code, message, stack) {
		if (this.state === OVER) return;
		this.finish();
		this.calls.wire.write(`${line({ type: "error", id: this.id, code, message, stack })}\n`, "", 0);
		if (this.exchange !== null) this.exchange.abandon();
	}

	/** The function threw, or its promise was rejected. */
	fail(thrown) {
		if (this.over || (this.exchange !== null && this.exchange.ended)) {
			return this.calls.output.print("stderr", `After it had answered, the function threw: ${words(thrown)}\n`);
		}
		if (this.exchange !== null && isBadHeader(thrown)) return this.invalid(thrown);
		const { message, stack } = describe(thrown);
		this.error(this.cancelled ? "CANCELLED" : undefined, message, stack);
	}

	/** What the function returned cannot be sent. */
	invalid(error) {
		const { message, stack } = describe(error);
		this.error("RESULT_INVALID", `the handler returned what cannot be sent: ${message}`, stack);
	}

	/** The last frame is about to be written. */
	finish() {
		this.calls.output.settle(this); // PROTOCOL 7.1: what was printed comes before the answer's end
		this.state = OVER;
		this.calls.release(this);
	}

	/** Calls back in a later turn, once the wire and the caller take more. */
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
	 * PROTOCOL 6.1: who streams stops, and who waits for AbortSignal is told. A handler that is awaited does not stand in
	 * the way of others: it is left behind, and what it still comes to is dropped.
	 */
	cancel() {
		if (this.cancelled) return;
		this.cancelled = true;
		this.calls.output.within(this, stop, this);
		this.resume();
		// In a later turn: a handler that heeds the signal ends the call in its own words.
		setImmediate(() => this.error("CANCELLED", "the caller has gone"));
	}
}

function stop(call) {
	if (call.abort !== null) call.abort.abort();
	if (call.onCancel !== null) call.onCancel();
}

/** The calls that outlive the turn they came in, and what all of them write to. */
class Calls {
	constructor(wire, exit) {
		this.wire = wire;
		this.exit = exit;
		this.output = new Output(this);
		this.held = new Map();
		this.stopping = false;
		this.left = false;
	}

	hold(call) {
		if (call.state !== OVER) this.held.set(call.id, call);
	}

	release(call) {
		this.held.delete(call.id);
		if (this.stopping) this.leave();
	}

	get(id) {
		return this.held.get(id);
	}

	/** PROTOCOL 6.2 */
	stop() {
		this.stopping = true;
		this.leave();
	}

	leave() {
		if (this.held.size > 0 || this.left) return;
		this.left = true;
		// In a later turn: the frame that ends the last call is not written yet.
		setImmediate(() => this.wire.end(() => this.exit(0)));
	}
}

module.exports = { Call, Calls };
