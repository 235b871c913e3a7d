"use strict";

/** A frame's line, in ASCII: it is written as latin1, and a message may have any character (PROTOCOL 2.1). */
function line(fields) {
	return JSON.stringify(fields).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

module.exports = { line };
