"use strict";

const fs = require("node:fs");
const net = require("node:net");

/** @import { LoaderFrame } from "./protocol" */

// PROTOCOL 2.3
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_HEAD_BYTES = 1024 * 1024;
const MAX_BODY_BYTES = 1024 * 1024 * 1024;

const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

/** Up to this size, copying a body costs less than a part of its own in the write. */
const MAX_JOINED_BYTES = 16 * 1024;

/** Collected text that is written before the turn ends. */
const MAX_TEXT_BYTES = 256 * 1024;

/**
 * Longest time an answer waits for the other calls of its chunk, so that a slow handler does not
 * delay a fast one.
 */
const MAX_HELD_MS = 1;

/**
 * The worker's end of the wire (PROTOCOL 1 and 2). All frames of one chunk are handed on together,
 * and all frames written in one turn leave in one write: system calls cost more than JSON.
 */
class Wire {
	/**
	 * @param {number} fd
	 * @param {(frame: LoaderFrame, bytes: Buffer, at: number) => void} onFrame gets the line, and the
	 *   offset of its head in the bytes
	 * @param {() => void} onEnd is called when the loader has closed the wire
	 */
	constructor(fd, onFrame, onEnd) {
		this.onFrame = onFrame;
		/** frames of this turn that are not written yet; latin1, so that one character is one byte */
		this.text = "";
		this.reading = false;
		this.scheduled = false;
		/** false: the socket is full, and `drain` will come */
		this.free = true;
		/** @type {(() => void)[]} */
		this.waiting = [];
		this.ended = false;
		/** the start of a line whose end has not arrived */
		this.rest = EMPTY;
		/**
		 * @type {{ frame: LoaderFrame, bytes: Buffer } | null} a frame whose head and body are still
		 * arriving
		 */
		this.open = null;
		this.filled = 0;
		this.onTurnEnd = () => {
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

	/** @param {Buffer} chunk */
	read(chunk) {
		this.reading = true;
		let at = 0;
		if (this.open !== null) at = this.fill(this.open, chunk);
		if (this.rest.length > 0) {
			chunk = Buffer.concat([this.rest, chunk]);
			this.rest = EMPTY;
		}
		let since = Date.now();
		while (at < chunk.length) {
			const newline = chunk.indexOf(NEWLINE, at);
			if ((newline < 0 ? chunk.length : newline) - at > MAX_LINE_BYTES) broken("a line is longer than 1 MiB");
			if (newline < 0) {
				this.rest = chunk.slice(at);
				break;
			}
			const frame = parse(chunk.toString("latin1", at, newline)); // PROTOCOL 2.6: the line is ASCII
			const start = newline + 1;
			const size = lengthOf(frame.head, MAX_HEAD_BYTES) + lengthOf(frame.body, MAX_BODY_BYTES);
			if (start + size > chunk.length) {
				this.open = { frame, bytes: Buffer.allocUnsafeSlow(size) };
				this.filled = chunk.copy(this.open.bytes, 0, start);
				break;
			}
			at = start + size;
			this.onFrame(frame, chunk, start);
			if (this.text === "") continue;
			const now = Date.now();
			if (now - since > MAX_HELD_MS) {
				this.flush();
				since = now;
			}
		}
		this.reading = false;
		if (this.text !== "") this.flush();
	}

	/**
	 * Continues a frame that is longer than a chunk. Returns how many bytes of the chunk belong to it.
	 * @param {{ frame: LoaderFrame, bytes: Buffer }} open
	 * @param {Buffer} chunk
	 */
	fill({ frame, bytes }, chunk) {
		const taken = chunk.copy(bytes, this.filled);
		this.filled += taken;
		if (this.filled === bytes.length) {
			this.open = null;
			this.onFrame(frame, bytes, 0);
		}
		return taken;
	}

	/**
	 * Writes a frame.
	 * @param {string} start the line with its line end, and the head; all of it latin1
	 * @param {string | Buffer} body
	 * @param {number} size the body's length in bytes
	 */
	write(start, body, size) {
		if (typeof body === "string") {
			if (size === body.length) return this.add(start + body);
			body = Buffer.from(body);
		}
		if (size <= MAX_JOINED_BYTES) return this.add(start + body.toString("latin1"));
		this.socket.cork();
		this.put(this.text + start);
		this.put(body);
		this.socket.uncork();
		this.text = "";
	}

	/** @param {string} text */
	add(text) {
		this.text += text;
		if (this.text.length > MAX_TEXT_BYTES) return this.flush();
		if (this.reading || this.scheduled) return;
		this.scheduled = true;
		setImmediate(this.onTurnEnd);
	}

	flush() {
		if (this.text === "") return;
		const text = this.text;
		this.text = "";
		this.put(text);
	}

	/** @param {string | Buffer} bytes */
	put(bytes) {
		if (this.ended) return;
		const free = typeof bytes === "string" ? this.socket.write(bytes, "latin1") : this.socket.write(bytes);
		if (!free) this.free = false;
	}

	/**
	 * Calls back in a later turn, once the socket takes more.
	 * @param {() => void} callback
	 */
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

	/** Bytes that the socket has not taken yet. */
	get backlog() {
		return this.socket.writableLength ?? this.socket.bufferSize; // Node.js 6 and 8 have only the second
	}

	/**
	 * Writes the rest, and calls back when the socket has taken all of it. The wire no longer keeps
	 * the process alive.
	 * @param {() => void} callback
	 */
	settle(callback) {
		this.flush();
		this.socket.unref();
		this.socket.write("", callback);
	}

	/**
	 * Writes the rest, ends the wire, and calls back when the loader can read all of it.
	 * @param {() => void} callback
	 */
	end(callback) {
		this.flush();
		this.ended = true;
		this.socket.end(callback);
	}
}

/**
 * Returns a frame's line as ASCII, as it is written in latin1 and a message may have any character
 * (PROTOCOL 2.1).
 * @param {object} fields
 */
function line(fields) {
	return `${JSON.stringify(fields).replace(/[\u007f-\uffff]/g, escapeCharacter)}\n`;
}

/** @param {string} character */
function escapeCharacter(character) {
	return `\\u${`000${character.charCodeAt(0).toString(16)}`.slice(-4)}`;
}

/**
 * @param {string} text
 * @returns {LoaderFrame & { head?: number, body?: number }}
 */
function parse(text) {
	let frame;
	try {
		frame = JSON.parse(text);
	} catch (error) {
		broken(/** @type {Error} */ (error).message);
	}
	if (frame === null || typeof frame !== "object" || Array.isArray(frame)) broken("a line is not an object");
	return frame;
}

/**
 * @param {number | undefined} value
 * @param {number} max
 */
function lengthOf(value, max) {
	if (value === undefined) return 0;
	if (!Number.isInteger(value) || value < 0 || value > max) broken(`${value} is not a length`);
	return value;
}

/**
 * Ends the process (PROTOCOL 2.7), whatever exit hooks the function has.
 * @param {string} reason
 * @returns {never}
 */
function broken(reason) {
	fs.writeSync(2, `The wire is broken: ${reason}.\n`);
	return process.reallyExit(70); // EX_SOFTWARE of sysexits.h
}

exports.Wire = Wire;
exports.line = line;
