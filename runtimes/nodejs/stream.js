"use strict";

const { Readable } = require("stream");
const { isBytes, toBuffer } = require("./bytes");

/** Items taken in one turn of the event loop: a source that never waits must not keep other calls from theirs. */
const TURN_MAX = 64;

/**
 * Sends what a source gives, an item at a time, as the body of a call: the head with the first item, so that a source
 * that fails before it can still be answered with an error.
 */
class Sender {
	/** @param {{status: number, head: string, typed: boolean}} lead what the answer begins with; typed: it has a Content-Type */
	constructor(call, lead) {
		this.call = call;
		this.lead = lead;
		this.left = TURN_MAX;
		call.calls.hold(call);
	}

	/** Calls back when the next item may come: at once where nothing stands in the way. */
	send(item, then) {
		const { call } = this;
		const body = bodyOf(item);
		if (!call.headed) call.begin(this.lead.status, this.lead.typed ? this.lead.head : this.lead.head + typeOf(item));
		this.left -= 1;
		if (this.left > 0) return call.write(body, then);
		this.left = TURN_MAX;
		call.write(body, () => call.whenFree(then));
	}

	end() {
		const { call, lead } = this;
		if (call.headed) call.end();
		else call.result(lead.status, lead.head, "");
	}
}

/** Text and bytes as they are, anything else as a line of JSON. */
function bodyOf(item) {
	if (typeof item === "string") return item;
	if (isBytes(item)) return toBuffer(item);
	const text = JSON.stringify(item);
	return text === undefined ? "" : `${text}\n`;
}

function typeOf(item) {
	if (typeof item === "string") return "";
	return `Content-Type: ${isBytes(item) ? "application/octet-stream" : "application/x-ndjson"}\r\n`;
}

/** Streams an iterator's items, of either kind. It is closed when the caller goes. */
function sendIterator(call, iterator, lead) {
	const sender = new Sender(call, lead);
	let looping = false;
	let again = false;
	let closed = false;

	// A loop and not a recursion: a source may have a million items at hand.
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
			step = call.calls.output.within(call, next, iterator);
		} catch (thrown) {
			return call.fail(thrown);
		}
		if (isThenable(step)) Promise.resolve(step).then(take, (thrown) => call.fail(thrown));
		else take(step);
	};
	const take = (step) => {
		if (call.cancelled) return close();
		if (step === null || typeof step !== "object") return call.invalid(new TypeError("an iterator gave no object"));
		if (step.done) return sender.end();
		if (isThenable(step.value)) Promise.resolve(step.value).then(send, reject);
		else send(step.value);
	};
	const send = (item) => {
		try {
			// A generator may fill the same Buffer again, while what it gave waits for the wire.
			sender.send(isBytes(item) ? Buffer.from(toBuffer(item)) : item, pump);
		} catch (error) {
			stop();
			call.invalid(error);
		}
	};
	const reject = (thrown) => {
		stop();
		call.fail(thrown);
	};
	/** Lets the source run its finally blocks; the call is over when they are. */
	const close = () => {
		if (closed) return;
		const over = () => call.error("CANCELLED", "the caller has gone");
		Promise.resolve(stop()).then(over, over);
	};
	const stop = () => {
		closed = true;
		try {
			if (typeof iterator.return === "function") return call.calls.output.within(call, finish, iterator);
		} catch (_) {
			// It is being left for another reason, which is told.
		}
		return undefined;
	};
	call.onCancel = close;
	pump();
}

function next(iterator) {
	return iterator.next();
}

function finish(iterator) {
	return iterator.return();
}

/** Streams a Readable, a new one or one of the oldest kind. It is destroyed when the caller goes. */
function sendReadable(call, stream, lead) {
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
	const quit = (tell) => {
		tell();
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
			return quit(() => call.invalid(error));
		}
		if (!sent) source.pause();
	});
	source.on("end", () => {
		ended = true;
		if (!waits) sender.end();
	});
	source.on("error", (error) => quit(() => call.fail(error)));
	source.on("close", () => {
		// In a later turn: the end of a stream and its close may come in either order.
		setImmediate(() => call.over || ended || call.fail(new Error("the stream that was returned was closed before its end")));
	});
	call.onCancel = () => quit(() => call.error("CANCELLED", "the caller has gone"));
}

function isThenable(value) {
	return value !== null && (typeof value === "object" || typeof value === "function") && typeof value.then === "function";
}

module.exports = { sendIterator, sendReadable, isThenable };
