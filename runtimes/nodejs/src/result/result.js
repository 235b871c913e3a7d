"use strict";

const { unsendable } = require("../errors");
const { isBytes, toBuffer } = require("./bytes");
const { sendIterator, sendReadable } = require("./stream");

/** @import { Call } from "../call" */
/** @import { AnyIterator, AnyReadable, Lead } from "../protocol" */

const JSON_TYPE = "application/json; charset=utf-8";
const BYTES_TYPE = "application/octet-stream";

/** PROTOCOL 4.4 */
const LINE_BREAK = /[\r\n\0]/;
const HOP_BY_HOP = /^(?:transfer-encoding|connection|keep-alive)$/i;
const HOP_BY_HOP_AND_CODING = /^(?:transfer-encoding|connection|keep-alive|content-encoding|content-length)$/i;

/**
 * Answers a call with what its handler returned.
 * @param {Call} call
 * @param {unknown} value
 */
function answer(call, value) {
	try {
		if (call.exchange?.touched) return call.exchange.conclude(value);
		const result = whole(value);
		if (result !== undefined) call.result(200, result.type === "" ? "" : `Content-Type: ${result.type}\r\n`, result.body);
		else if (isResponse(value)) sendResponse(call, value);
		else sendSource(call, value, { status: 200, head: "", typed: false });
	} catch (error) {
		call.fail(unsendable(error));
	}
}

/**
 * Returns the body and the type of a value; undefined if the value gives its body in parts.
 * @param {unknown} value
 * @returns {{ type: string, body: string | Buffer } | undefined}
 * @throws {Error} if the value cannot be sent
 */
function whole(value) {
	switch (typeof value) {
		case "string":
			return { type: "", body: value };
		case "number":
		case "boolean":
			return { type: "", body: JSON.stringify(value) };
		case "bigint":
			throw new TypeError("a BigInt, which JSON cannot hold: return String(value)");
		case "object":
			return value === null ? { type: JSON_TYPE, body: "null" } : wholeObject(value);
		default: // undefined, and what JSON leaves out: a symbol, a function
			return { type: "", body: "" };
	}
}

/** @param {object} value */
function wholeObject(value) {
	if (isBytes(value)) return { type: BYTES_TYPE, body: toBuffer(value) };
	if (!Array.isArray(value) && (isReadable(value) || isIterator(value) || isWebStream(value) || isResponse(value))) return undefined;
	/** @type {string | undefined} */
	const body = JSON.stringify(value);
	return body === undefined ? { type: "", body: "" } : { type: JSON_TYPE, body };
}

/**
 * Returns true for a stream of Node.js: a Readable, or one of the kind before it.
 * @param {any} value
 * @returns {value is AnyReadable}
 */
function isReadable(value) {
	return (
		typeof value.pipe === "function" && typeof value.on === "function" && (typeof value.read === "function" || value.readable === true)
	);
}

/**
 * Returns true for a generator object or an async iterable. A Map, Set or other collection is JSON.
 * @param {any} value
 * @returns {value is AnyIterator}
 */
function isIterator(value) {
	return (
		(Symbol.asyncIterator !== undefined && typeof value[Symbol.asyncIterator] === "function") ||
		(typeof value.next === "function" && typeof value[Symbol.iterator] === "function")
	);
}

/**
 * @param {any} value
 * @returns {value is ReadableStream}
 */
function isWebStream(value) {
	return typeof value.getReader === "function";
}

/**
 * @param {any} value
 * @returns {value is Response}
 */
function isResponse(value) {
	return typeof value.arrayBuffer === "function" && typeof value.status === "number" && Boolean(value.headers);
}

/**
 * Sends a body that comes in parts.
 * @param {Call} call
 * @param {any} source
 * @param {Lead} lead
 */
function sendSource(call, source, lead) {
	if (isReadable(source)) sendReadable(call, source, lead);
	else if (isWebStream(source)) sendIterator(call, readerOf(source), lead);
	else sendIterator(call, source[Symbol.asyncIterator] ? source[Symbol.asyncIterator]() : source, lead);
}

/** @param {ReadableStream} stream */
function readerOf(stream) {
	const reader = stream.getReader();
	return { next: () => reader.read(), return: () => reader.cancel() };
}

/**
 * Sends a Response of fetch.
 * @param {Call} call
 * @param {Response} response
 */
function sendResponse(call, response) {
	const { status, body } = response;
	if (status < 200 || status > 999) throw new TypeError(`a Response with the status ${status}`);
	// A fetched Response has been inflated, and its length was that of the compressed body.
	const skipped = response.url ? HOP_BY_HOP_AND_CODING : HOP_BY_HOP;
	let head = "";
	response.headers.forEach((text, name) => {
		if (LINE_BREAK.test(name) || LINE_BREAK.test(text))
			throw new TypeError(`a Response whose header ${JSON.stringify(name)} has a line break`);
		if (!skipped.test(name)) head += `${name}: ${text}\r\n`;
	});
	if (body) sendSource(call, body, { status, head, typed: true });
	else call.result(status, head, "");
}

module.exports = { answer, whole, isResponse, sendSource };
