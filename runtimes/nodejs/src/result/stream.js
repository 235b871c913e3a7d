"use strict";

const { Readable } = require("node:stream");
const { cancelled, unsendable } = require("../errors");
const { isBytes, toBuffer } = require("./bytes");

/** @import { Call } from "../call" */
/** @import { AnyIterator, AnyReadable, Lead } from "../protocol" */

/**
 * Items taken in one turn of the event loop, so that a source that never waits does not block other
 * calls.
 */
const MAX_ITEMS_PER_TURN = 64;

/**
 * Sends what a source gives, one item at a time. The head goes with the first item, so that a
 * source that fails before it can still be answered with an error.
 */
class Sender {
	/**
	 * @param {Call} call
	 * @param {Lead} lead
	 */
	constructor(call, lead) {
		this.call = call;
		this.lead = lead;
		this.left = MAX_ITEMS_PER_TURN;
		call.calls.hold(call);
	}

	/**
	 * @param {unknown} item
	 * @param {() => void} then is called when the next item may come: at once if the wire and the
	 *   caller take more
	 */
	send(item, then) {
		const { call, lead } = this;
		const body = bodyOf(item);
		if (!call.headed) call.begin(lead.status, lead.typed ? lead.head : lead.head + typeOf(item));
		this.left -= 1;
		if (this.left > 0) return call.write(body, then);
		this.left = MAX_ITEMS_PER_TURN;
		call.write(body, () => call.whenFree(then));
	}

	end() {
		const { call, lead } = this;
		if (call.headed) call.end();
		else call.result(lead.status, lead.head, "");
	}
}

/**
 * Returns text and bytes as they are, anything else as a line of JSON.
 * @param {unknown} item
 * @returns {string | Buffer}
 */
function bodyOf(item) {
	if (typeof item === "string") return item;
	if (isBytes(item)) return toBuffer(item);
	/** @type {string | undefined} */
	const text = JSON.stringify(item);
	return text === undefined ? "" : `${text}\n`;
}

/** @param {unknown} item */
function typeOf(item) {
	if (typeof item === "string") return "";
	return `Content-Type: ${isBytes(item) ? "application/octet-stream" : "application/x-ndjson"}\r\n`;
}

/**
 * Streams an iterator's items. The iterator may be async. It is closed when the caller goes.
 * @param {Call} call
 * @param {AnyIterator} iterator
 * @param {Lead} lead
 */
function sendIterator(call, iterator, lead) {
	const { scopes } = call.calls;
	const sender = new Sender(call, lead);
	let looping = false;
	let again = false;
	let closed = false;

	// A loop, not a recursion: a source may have a million items ready.
	const pump = () => {
		again = true;
		if (looping) return;
		looping = true;
		while (again) {
			again = false;
			if (call.cancelled) close();
			else pull();
		}
		looping = false;
	};
	const pull = () => {
		let step;
		try {
			step = scopes.run(call, next, iterator);
		} catch (thrown) {
			return call.fail(thrown);
		}
		if (isThenable(step)) Promise.resolve(step).then(take, (thrown) => call.fail(thrown));
		else take(step);
	};
	/** @param {any} step */
	const take = (step) => {
		if (call.cancelled) return close();
		if (step === null || typeof step !== "object") return call.fail(unsendable(new TypeError("an iterator gave no object")));
		if (step.done) return sender.end();
		if (isThenable(step.value)) Promise.resolve(step.value).then(send, reject);
		else send(step.value);
	};
	/** @param {unknown} item */
	const send = (item) => {
		try {
			// A copy, as a generator may refill its Buffer while the item waits for the wire.
			sender.send(isBytes(item) ? Buffer.from(toBuffer(item)) : item, pump);
		} catch (error) {
			stop();
			call.fail(unsendable(error));
		}
	};
	/** @param {unknown} thrown */
	const reject = (thrown) => {
		stop();
		call.fail(thrown);
	};
	/** Ends the call when the source's finally blocks have run. */
	const close = () => {
		if (closed) return;
		const over = () => call.fail(cancelled());
		Promise.resolve(stop()).then(over, over);
	};
	const stop = () => {
		closed = true;
		try {
			if (typeof iterator.return === "function") return scopes.run(call, finish, iterator);
		} catch {
			// The call ends for another reason, which is reported.
		}
		return undefined;
	};
	call.onCancel = close;
	pump();
}

/** @param {AnyIterator} iterator */
function next(iterator) {
	return iterator.next();
}

/** @param {AnyIterator} iterator */
function finish(iterator) {
	return iterator.return?.();
}

/**
 * Streams a Readable, or a stream of the kind before it. The stream is destroyed when the caller
 * goes.
 * @param {Call} call
 * @param {AnyReadable} stream
 * @param {Lead} lead
 */
function sendReadable(call, stream, lead) {
	/** @type {AnyReadable} */
	const source = typeof stream.read === "function" ? stream : new Readable().wrap(stream);
	if (source.readableEnded) return call.result(lead.status, lead.head, "");
	if (source.destroyed) return call.fail(source.errored || new Error("the stream that was returned is destroyed"));
	const sender = new Sender(call, lead);
	// A stream's end may come while its last item still waits to be sent.
	let waits = false;
	let ended = false;
	const proceed = () => {
		if (!waits) return;
		waits = false;
		if (ended) sender.end();
		else source.resume();
	};
	/** @param {unknown} reason */
	const quit = (reason) => {
		call.fail(reason);
		if (typeof stream.destroy === "function") stream.destroy();
	};
	source.on("data", (item) => {
		waits = true;
		let sent = false;
		try {
			sender.send(item, () => {
				sent = true;
				proceed();
			});
		} catch (error) {
			return quit(unsendable(error));
		}
		if (!sent) source.pause();
	});
	source.on("end", () => {
		ended = true;
		if (!waits) sender.end();
	});
	source.on("error", quit);
	source.on("close", () => {
		// In a later turn: the end of a stream and its close may come in either order.
		setImmediate(() => call.over || ended || call.fail(new Error("the stream that was returned was closed before its end")));
	});
	call.onCancel = () => quit(cancelled());
}

/**
 * @param {any} value
 * @returns {value is PromiseLike<unknown>}
 */
function isThenable(value) {
	return value !== null && (typeof value === "object" || typeof value === "function") && typeof value.then === "function";
}

module.exports = { sendIterator, sendReadable, isThenable };
