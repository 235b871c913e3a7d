"use strict";

const fs = require("fs");
const { Writable } = require("stream");
const { AsyncLocalStorage } = require("async_hooks");
const { line } = require("./line");

/**
 * Log frames that may wait for the loader, in bytes. What a flood of prints has beyond that goes to the descriptor
 * itself, where writing blocks: it loses the call's name, and the worker its memory not.
 */
const WAITING_MAX = 1024 * 1024;
/** How long a print waits for a full descriptor that does not block by itself, in `ms`. */
const TRIES_MAX = 1000;
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));
/** A line this long, in characters, is not waited for. */
const LINE_MAX = 64 * 1024;

/**
 * What the function prints, as log frames that name the call (PROTOCOL 7). A print is sent at once: what was printed
 * before an endless loop is what its author needs to see.
 */
class Output {
	/** @param {Calls} calls */
	constructor(calls) {
		this.calls = calls;
		this.storage = AsyncLocalStorage === undefined ? new OneAtATime(calls) : new AsyncLocalStorage();
		/** lines that have begun: [text, call] */
		this.begun = { stdout: null, stderr: null };
	}

	/** Runs a function so that what it prints, now and later, is known to be the call's. */
	within(call, callback, first, second) {
		return this.storage.run(call, callback, first, second);
	}

	/** Puts itself in the place of process.stdout and process.stderr. */
	replace() {
		for (const [fd, name] of [
			[1, "stdout"],
			[2, "stderr"],
		]) {
			const stream = new Printer(fd, (text) => this.print(name, text));
			Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true, writable: true });
			// The console of Node.js 8 and 10 took hold of the first ones; a later one asks when it first prints.
			const bound = Object.getOwnPropertyDescriptor(console, `_${name}`);
			if (bound !== undefined && "value" in bound) console[`_${name}`] = stream;
		}
	}

	print(name, text) {
		const call = this.storage.getStore();
		const begun = this.begun[name];
		if (begun !== null) {
			if (begun.call === call) text = begun.text + text;
			else this.send(name, `${begun.text}\n`, begun.call);
			this.begun[name] = null;
		}
		const end = text.length > LINE_MAX ? text.length : text.lastIndexOf("\n") + 1;
		if (end < text.length) this.begun[name] = { text: text.slice(end), call };
		if (end > 0) this.send(name, text.slice(0, end), call);
	}

	send(name, text, call) {
		const { wire } = this.calls;
		if (wire.ended || wire.backlog > WAITING_MAX) return direct(name, text);
		const body = Buffer.from(text);
		const id = call === undefined || call.over ? undefined : call.id; // PROTOCOL 7.1: no call whose answer has ended
		wire.write(`${line({ type: "log", stream: name, id, body: body.length })}\n`, body, body.length);
		wire.flush();
	}

	/** Sends the lines that a call has begun, whose answer is about to end; without a call, all of them. */
	settle(call) {
		if (this.begun.stdout !== null) this.complete("stdout", call);
		if (this.begun.stderr !== null) this.complete("stderr", call);
	}

	complete(name, call) {
		const begun = this.begun[name];
		if (call !== undefined && begun.call !== call) return;
		this.begun[name] = null;
		this.send(name, `${begun.text}\n`, begun.call);
	}
}

/** Waits for who reads it, so that a flood is no faster than its reader; but not for ever. */
function direct(name, text) {
	const bytes = Buffer.from(text);
	for (let at = 0, tries = 0; at < bytes.length && tries < TRIES_MAX; ) {
		try {
			at += fs.writeSync(name === "stdout" ? 1 : 2, bytes, at);
		} catch (error) {
			if (error.code !== "EAGAIN") return; // nobody reads it any more, and a print does not end a function
			tries += 1;
			Atomics.wait(SLEEPER, 0, 0, 1);
		}
	}
}

/** As much of process.stdout as functions and console use. */
class Printer extends Writable {
	constructor(fd, print) {
		super({ decodeStrings: false });
		this.fd = fd;
		this.print = print;
	}

	/** Not by Writable's own path: nothing is ever kept waiting here. */
	write(chunk, encoding, done) {
		if (typeof encoding === "function") done = encoding;
		if (typeof chunk === "string") this.print(isText(encoding) ? chunk : Buffer.from(chunk, encoding).toString());
		else this.print(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString());
		if (typeof done === "function") process.nextTick(done);
		return true;
	}

	// As Node.js has it: a function cannot close what others print to.
	end() {
		return this;
	}

	destroy() {
		return this;
	}
}

function isText(encoding) {
	return typeof encoding !== "string" || !/^(hex|base64|base64url|latin1|binary|ucs-?2|utf-?16le)$/i.test(encoding);
}

/** Before Node.js 12.17: the call that runs is known while it runs, and after that as long as it is the only one. */
class OneAtATime {
	constructor(calls) {
		this.calls = calls;
		this.running = undefined;
	}

	run(call, callback, first, second) {
		const before = this.running;
		this.running = call;
		try {
			return callback(first, second);
		} finally {
			this.running = before;
		}
	}

	getStore() {
		if (this.running !== undefined) return this.running;
		return this.calls.held.size === 1 ? this.calls.held.values().next().value : undefined;
	}
}

module.exports = { Output };
