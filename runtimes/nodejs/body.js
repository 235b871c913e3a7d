"use strict";

const MB = 1024 * 1024;
const ENCODING = /(?:^|\n)content-encoding:[ \t]*([^\r\n]*)/i;
const MULTIPART = /(?:^|\n)content-type:[ \t]*multipart\//i;

/**
 * Makes `event.data` of a call's body and runs the call with it, or answers BODY_MALFORMED. Only a compressed body
 * makes it wait.
 * @param {number} limit what a body may inflate to, in bytes
 * @param {(call: Call, data: unknown) => void} run
 */
function withData(call, limit, run) {
	if (call.frame.body === undefined) return run(call, {});
	const head = call.head();
	const encoding = ENCODING.exec(head);
	const plain = encoding === null || call.frame.body === 0 || /^(identity)?[ \t]*$/i.test(encoding[1]);
	if (plain) return decode(call, head, call.body(), run);
	inflate(call.body(), encoding[1].trim().toLowerCase(), limit, (error, bytes) => {
		if (error) return call.error("BODY_MALFORMED", error.message);
		call.inflated = bytes;
		decode(call, head, bytes, run);
	});
	call.calls.hold(call);
}

function decode(call, head, bytes, run) {
	if (bytes.length > 0 && call.frame.json === true) {
		let data;
		try {
			data = JSON.parse(utf8(bytes));
		} catch (error) {
			return call.error("BODY_MALFORMED", `the body says that it is JSON and is not: ${error.message}`);
		}
		return run(call, data);
	}
	// Left for a multipart parser on extensions.request: as text it would be of no use.
	if (MULTIPART.test(head)) return run(call, {});
	// An empty body that was sent has always been an empty Buffer here, unlike one that was not.
	run(call, bytes.length === 0 ? Buffer.alloc(0) : bytes.toString("utf8"));
}

/** @throws {TypeError} for bytes that are not UTF-8, which toString would make into other characters */
function utf8(bytes) {
	const text = bytes.toString("utf8");
	if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) throw new TypeError("it is not UTF-8");
	return text;
}

function inflate(bytes, encoding, limit, callback) {
	const zlib = require("zlib"); // few callers compress what they send
	const make = { gzip: zlib.createGunzip, "x-gzip": zlib.createGunzip, deflate: zlib.createInflate, br: zlib.createBrotliDecompress }[
		encoding
	];
	if (make === undefined) return callback(new Error(`the body's Content-Encoding, ${encoding}, is none that is known here`));
	const parts = [];
	let size = 0;
	const stream = make();
	// First reason wins: a stream that is destroyed may still say that it was cut off.
	const settle = (error) => {
		if (callback === null) return;
		const answer = callback;
		callback = null;
		if (error) answer(new Error(`the body cannot be inflated (${encoding}): ${error.message}`));
		else answer(null, Buffer.concat(parts, size));
	};
	stream.on("data", (part) => {
		size += part.length;
		parts.push(part);
		if (size <= limit) return;
		settle(new Error(`it is larger than REQ_MB_LIMIT allows, ${limit / MB} MB`));
		parts.length = 0;
		stream.destroy();
	});
	stream.on("error", settle);
	stream.on("end", () => settle());
	stream.end(bytes);
}

module.exports = { MB, MULTIPART, withData };
