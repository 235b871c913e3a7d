"use strict";

const { CallError } = require("../errors");

/** @import { Call } from "../call" */

const MULTIPART = /(?:^|\n)content-type:[ \t]*multipart\//i;

/**
 * Returns `event.data` of the call's body.
 * @param {Call} call
 * @returns {unknown}
 * @throws {CallError} BODY_MALFORMED if the body is not the JSON that the request says it is
 */
function readData(call) {
	const { frame } = call;
	const bytes = call.data();
	if (bytes === null) return {};
	if (frame.json === true && bytes.length > 0) return readJson(bytes);
	// A multipart body is left for a parser that reads extensions.request.
	if (frame.head !== undefined && MULTIPART.test(call.head())) return {};
	// Kubeless has always given an empty Buffer for an empty body.
	return bytes.length === 0 ? Buffer.alloc(0) : bytes.toString("utf8");
}

/** @param {Buffer} bytes */
function readJson(bytes) {
	try {
		const text = utf8(bytes);
		return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text); // RFC 8259, 8.1: a parser may ignore the mark
	} catch (error) {
		const { message } = /** @type {Error} */ (error);
		throw new CallError("BODY_MALFORMED", `the request says that its body is JSON, but it is not: ${message}`);
	}
}

/**
 * @param {Buffer} bytes
 * @throws {TypeError} if the bytes are not UTF-8, which toString would replace by other characters
 */
function utf8(bytes) {
	const text = bytes.toString("utf8");
	if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) throw new TypeError("it is not UTF-8");
	return text;
}

module.exports = { MULTIPART, readData };
