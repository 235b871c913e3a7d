"use strict";

/** What holds bytes: a Buffer, any other view of an ArrayBuffer, or an ArrayBuffer itself. */
function isBytes(value) {
	return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** The same bytes as a Buffer, not copied. */
function toBuffer(value) {
	if (Buffer.isBuffer(value)) return value;
	return value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

module.exports = { isBytes, toBuffer };
