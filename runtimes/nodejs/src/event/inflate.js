"use strict";

// Opens compressed request bodies. To remove it: delete this file, `inflated` in worker.js (the require and its use in
// onFrame), `Call.inflated`, and its uses in event/body.js and exchange/request.js.

const { CallError } = require("../errors");

/** @import { Transform } from "node:stream" */
/** @import { Call } from "../call" */

const MB = 1024 * 1024;
/** What a body may be inflated to, in bytes: as much as a body that was not compressed. */
const MAX_BODY_BYTES = (Number(process.env["REQ_MB_LIMIT"]) || 100) * MB;
const ENCODING = /(?:^|\n)content-encoding:[ \t]*([^\r\n]*)/i;

/**
 * Inflates the call's body if it is compressed, and then runs the call.
 * @param {Call} call
 * @param {(call: Call) => void} run
 * @returns {boolean} false: the body is not compressed, and the call is still to be run
 */
function inflated(call, run) {
	if (!call.frame.body || call.frame.head === undefined) return false;
	const found = ENCODING.exec(call.head());
	if (found === null || /^(identity)?[ \t]*$/i.test(found[1] ?? "")) return false;
	inflate(call.body(), (found[1] ?? "").trim().toLowerCase(), (error, bytes) => {
		if (error) return call.fail(new CallError("BODY_MALFORMED", error.message));
		call.inflated = bytes;
		run(call);
	});
	call.calls.hold(call);
	return true;
}

/**
 * @param {Buffer} bytes
 * @param {string} encoding
 * @param {(error: Error | null, bytes: Buffer | null) => void} callback
 */
function inflate(bytes, encoding, callback) {
	const stream = decoder(encoding);
	if (stream === undefined) return callback(new Error(`the body's Content-Encoding, ${encoding}, is not known here`), null);
	/** @type {Buffer[]} */
	const parts = [];
	let size = 0;
	let settled = false;
	/** @param {Error} [error] the first one counts: a stream that is destroyed may report another */
	const settle = (error) => {
		if (settled) return;
		settled = true;
		if (error) callback(new Error(`the body cannot be inflated (${encoding}): ${error.message}`), null);
		else callback(null, Buffer.concat(parts, size));
	};
	stream.on("data", (part) => {
		size += part.length;
		parts.push(part);
		if (size <= MAX_BODY_BYTES) return;
		settle(new Error(`it is larger than REQ_MB_LIMIT allows, ${MAX_BODY_BYTES / MB} MB`));
		parts.length = 0;
		stream.destroy?.();
	});
	stream.on("error", settle);
	stream.on("end", () => settle());
	stream.end(bytes);
}

/**
 * @param {string} encoding
 * @returns {Transform | undefined}
 */
function decoder(encoding) {
	const zlib = require("node:zlib"); // most requests are not compressed
	if (encoding === "gzip" || encoding === "x-gzip") return zlib.createGunzip();
	if (encoding === "deflate") return zlib.createInflate();
	if (encoding === "br" && zlib.createBrotliDecompress !== undefined) return zlib.createBrotliDecompress();
	return undefined;
}

module.exports = { inflated };
