"use strict";

const fs = require("node:fs");
const { Writable } = require("node:stream");
const { line } = require("./wire");

/** @import { Call } from "./call" */
/** @import { Calls } from "./calls" */
/** @typedef {"stdout" | "stderr"} StreamName */

/**
 * Log frames that may wait for the loader. Prints beyond that go to the descriptor itself, where
 * writing blocks: such a flood loses the call's id, but the worker's memory stays bounded.
 */
const MAX_WAITING_BYTES = 1024 * 1024;
/** How long a print waits for a full descriptor that does not block by itself. */
const MAX_WAIT_MS = 1000;
/** A longer line is sent before its end. */
const MAX_LINE_CHARS = 64 * 1024;
/** Encodings whose strings are bytes, not text. */
const BINARY = /^(?:hex|base64|base64url|latin1|binary|ucs-?2|utf-?16le)$/i;

/**
 * Sends what the function prints as log frames with the id of its call (PROTOCOL 7). A line is sent
 * at once: what was printed before an endless loop is what its author needs to see.
 */
class Output {
	/** @param {Calls} calls */
	constructor(calls) {
		this.calls = calls;
		/**
		 * Lines that have begun, of each call.
		 * @type {Record<StreamName, Map<Call | undefined, string>>}
		 */
		this.begun = { stdout: new Map(), stderr: new Map() };
	}

	/** Takes the place of process.stdout and process.stderr. */
	replace() {
		this.replaceStream(1, "stdout");
		this.replaceStream(2, "stderr");
	}

	/**
	 * @param {number} fd
	 * @param {StreamName} name
	 */
	replaceStream(fd, name) {
		const stream = new Printer(fd, (text) => this.print(name, text));
		Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true, writable: true });
		// Before Node.js 12, console took the streams when it was made; later ones read them at the first
		// print.
		const bound = Object.getOwnPropertyDescriptor(console, `_${name}`);
		if (bound !== undefined && "value" in bound) Object.assign(console, { [`_${name}`]: stream });
	}

	/**
	 * @param {StreamName} name
	 * @param {string} text
	 */
	print(name, text) {
		let call = this.calls.scopes.current();
		if (call?.over) call = undefined; // PROTOCOL 7.1: a log frame names no call whose answer has ended
		const lines = this.begun[name];
		if (lines.size > 0) {
			const start = lines.get(call);
			if (start !== undefined) {
				text = start + text;
				lines.delete(call);
			}
		}
		const end = text.length > MAX_LINE_CHARS ? text.length : text.lastIndexOf("\n") + 1;
		if (end < text.length) lines.set(call, text.slice(end));
		if (end > 0) this.send(name, text.slice(0, end), call);
	}

	/**
	 * @param {StreamName} name
	 * @param {string} text
	 * @param {Call | undefined} call
	 */
	send(name, text, call) {
		const { wire } = this.calls;
		if (wire.ended || wire.backlog > MAX_WAITING_BYTES) return writeDirectly(name === "stdout" ? 1 : 2, text);
		const body = Buffer.from(text);
		wire.write(line({ type: "log", stream: name, id: call?.id, body: body.length }), body, body.length);
		wire.flush();
	}

	/**
	 * Sends the lines that a call has begun, as its answer is about to end.
	 * @param {Call} call
	 */
	settle(call) {
		if (this.begun.stdout.size > 0) this.complete("stdout", call);
		if (this.begun.stderr.size > 0) this.complete("stderr", call);
	}

	/** Sends all lines that have begun, as the process is about to end. */
	settleAll() {
		for (const call of [...this.begun.stdout.keys()]) this.complete("stdout", call);
		for (const call of [...this.begun.stderr.keys()]) this.complete("stderr", call);
	}

	/**
	 * @param {StreamName} name
	 * @param {Call | undefined} call
	 */
	complete(name, call) {
		const text = this.begun[name].get(call);
		if (text === undefined) return;
		this.begun[name].delete(call);
		this.send(name, `${text}\n`, call);
	}
}

/**
 * Writes to the descriptor, no faster than its reader reads, but without waiting for ever.
 * @param {number} fd
 * @param {string} text
 */
function writeDirectly(fd, text) {
	const bytes = Buffer.from(text);
	for (let at = 0, waited = 0; at < bytes.length && waited < MAX_WAIT_MS; ) {
		try {
			at += fs.writeSync(fd, bytes, at);
		} catch (error) {
			// A closed descriptor must not end a function that prints.
			if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EAGAIN") return;
			waited += 1;
			sleepOneMs();
		}
	}
}

function sleepOneMs() {
	if (typeof SharedArrayBuffer !== "undefined") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
	else for (const end = Date.now() + 1; Date.now() <= end; ); // Node.js 6 can only spin
}

/** The part of process.stdout that functions and console use. */
class Printer extends Writable {
	/**
	 * @param {number} fd
	 * @param {(text: string) => void} print
	 */
	constructor(fd, print) {
		super({ decodeStrings: false });
		this.fd = fd;
		this.print = print;
	}

	/**
	 * Nothing waits here, so the queue of Writable is not used.
	 * @param {string | Uint8Array} chunk
	 * @param {BufferEncoding | ((error?: Error | null) => void)} [encoding]
	 * @param {(error?: Error | null) => void} [done]
	 * @override
	 */
	write(chunk, encoding, done) {
		if (typeof encoding === "function") done = encoding;
		const coding = typeof encoding === "string" && BINARY.test(encoding) ? encoding : undefined;
		if (typeof chunk !== "string") this.print(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString());
		else this.print(coding === undefined ? chunk : Buffer.from(chunk, coding).toString());
		if (typeof done === "function") process.nextTick(done);
		return true;
	}

	/**
	 * As in Node.js, a function cannot close what other code prints to.
	 * @override
	 */
	end() {
		return this;
	}

	/** @override */
	destroy() {
		return this;
	}
}

exports.Output = Output;
