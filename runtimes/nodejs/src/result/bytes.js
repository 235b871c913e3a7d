"use strict";

/**
 * Returns true for a Buffer, any other view of an ArrayBuffer, and an ArrayBuffer.
 * @param {unknown} value
 * @returns {value is ArrayBufferView | ArrayBuffer}
 */
function isBytes(value) {
	return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/**
 * Returns the same bytes as a Buffer, without a copy.
 * @param {ArrayBufferView | ArrayBuffer} value
 */
function toBuffer(value) {
	if (Buffer.isBuffer(value)) return value;
	return value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

module.exports = { isBytes, toBuffer };
