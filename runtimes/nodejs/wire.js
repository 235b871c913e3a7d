"use strict";

const fs = require("fs");
const net = require("net");

// PROTOCOL 2.3, in bytes.
const LINE_MAX = 1024 * 1024;
const HEAD_MAX = 1024 * 1024;
const BODY_MAX = 1024 * 1024 * 1024;

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** Bytes up to this many join the text of a turn: copying them costs less than a part of their own in the write. */
const JOINED_MAX = 16 * 1024;

/** What is collected of a turn at most, in bytes. */
const TEXT_MAX = 256 * 1024;

/** How long an answer may wait for the others of its chunk, in `ms`: a slow handler must not hold back a fast one. */
const HELD_MAX = 1;

/**
 * One side of the wire (PROTOCOL 1 and 2). Frames that arrived in one chunk are handed on in one go, and what they are
 * answered within the turn leaves in one write: system calls, not JSON, are what a call costs most.
 */
class Wire {
	/** @param {(frame: object, bytes: Buffer, at: number) => void} onFrame gets the line, and where its head begins in bytes */
	constructor(fd, onFrame, onEnd) {
		this.onFrame = onFrame;
		/** written in this turn and not yet on the wire; latin1, so that a byte is a character */
		this.text = "";
		this.reading = false;
		this.scheduled = false;
		/** false: the socket is full, and `drain` will come */
		this.free = true;
		this.waiting = [];
		this.ended = false;
		/** a line that has begun */
		this.rest = NOTHING;
		/** a frame whose head and body are still coming */
		this.open = null;
		this.filled = 0;
		this.turned = () => {
			this.scheduled = false;
			this.flush();
		};

		this.socket = new net.Socket({ fd, readable: true, writable: true });
		this.socket.on("data", (chunk) => this.read(chunk));
		this.socket.on("drain", () => this.drained());
		this.socket.on("error", onEnd);
		this.socket.on("end", onEnd);
		this.socket.on("close", onEnd);
	}

	read(chunk) {
		this.reading = true;
		let at = 0;
		if (this.open !== null) at = this.fill(chunk);
		if (this.rest.length > 0) {
			chunk = Buffer.concat([this.rest, chunk]);
			this.rest = NOTHING;
		}
		let since = Date.now();
		while (at < chunk.length) {
			const newline = chunk.indexOf(NEWLINE, at);
			if (newline < 0 ? chunk.length - at > LINE_MAX : newline - at > LINE_MAX) broken("a line is longer than 1 MiB");
			if (newline < 0) {
				this.rest = chunk.slice(at);
				break;
			}
			const frame = parse(chunk.toString("latin1", at, newline)); // PROTOCOL 2.6: it is ASCII
			const start = newline + 1;
			const size = count(frame.head, HEAD_MAX) + count(frame.body, BODY_MAX);
			if (start + size > chunk.length) {
				this.open = { frame, bytes: Buffer.allocUnsafeSlow(size) };
				this.filled = chunk.copy(this.open.bytes, 0, start);
				break;
			}
			at = start + size;
			this.onFrame(frame, chunk, start);
			if (this.text === "") continue;
			const now = Date.now();
			if (now - since > HELD_MAX) {
				this.flush();
				since = now;
			}
		}
		this.reading = false;
		if (this.text !== "") this.flush();
	}

	/** Goes on with a frame that is longer than a chunk. Returns how much of the chunk was its. */
	fill(chunk) {
		const { frame, bytes } = this.open;
		const taken = chunk.copy(bytes, this.filled);
		this.filled += taken;
		if (this.filled === bytes.length) {
			this.open = null;
			this.onFrame(frame, bytes, 0);
		}
		return taken;
	}

	/**
	 * Writes a frame: its line with the line's end and the head, all of it latin1, and its body.
	 * @param {string | Buffer} body
	 * @param {number} size the body's length in bytes
	 */
	write(start, body, size) {
		if (typeof body === "string") {
			if (size === body.length) return this.add(start + body);
			body = Buffer.from(body);
		}
		if (size <= JOINED_MAX) return this.add(start + body.toString("latin1"));
		this.socket.cork();
		this.put(this.text + start);
		this.put(body);
		this.socket.uncork();
		this.text = "";
	}

	add(text) {
		this.text += text;
		if (this.text.length > TEXT_MAX) return this.flush();
		if (this.reading || this.scheduled) return;
		this.scheduled = true;
		setImmediate(this.turned);
	}

	flush() {
		if (this.text === "") return;
		const text = this.text;
		this.text = "";
		this.put(text);
	}

	put(bytes) {
		if (!this.ended && !this.socket.write(bytes, "latin1")) this.free = false;
	}

	/** Calls back in a later turn, once the socket takes more. */
	whenFree(callback) {
		if (this.free) setImmediate(callback);
		else this.waiting.push(callback);
	}

	drained() {
		this.free = true;
		const waiting = this.waiting;
		this.waiting = [];
		for (const callback of waiting) callback();
	}

	/** what the socket has not taken yet, in bytes */
	get backlog() {
		const { writableLength, bufferSize } = this.socket;
		return writableLength === undefined ? bufferSize : writableLength; // Node.js 8 has only the second
	}

	/** Writes what is left and calls back when the loader has it all. */
	end(callback) {
		this.flush();
		this.ended = true;
		this.socket.end(callback);
	}
}

function parse(line) {
	let frame;
	try {
		frame = JSON.parse(line);
	} catch (error) {
		broken(error.message);
	}
	if (frame === null || typeof frame !== "object" || Array.isArray(frame)) broken("a line is not an object");
	return frame;
}

function count(value, max) {
	if (value === undefined) return 0;
	if (!Number.isInteger(value) || value < 0 || value > max) broken(`${value} is not a length`);
	return value;
}

// PROTOCOL 2.7
function broken(what) {
	fs.writeSync(2, `The wire is broken: ${what}.\n`);
	process.reallyExit(70); // EX_SOFTWARE of sysexits.h; at once, whatever the function has to say to it
}

module.exports = { Wire };
