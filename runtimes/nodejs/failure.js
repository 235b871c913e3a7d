"use strict";

const { inspect } = require("util");

/** A stack or message is cut after this many characters: enough to read, too little to flood a log. */
const TEXT_MAX = 16 * 1024;
const CAUSES_MAX = 4;
/** A line of a stack in one of the worker's files; the examples beside them are functions. */
const OWN = new RegExp(`${__dirname.replace(/[^\w/]/g, "\\$&")}/(?:dist/)?[\\w-]+\\.js:\\d`);

const SYNTAX = /^(?:file:\/\/)?\/.+:\d+$/;
/** What http throws of a header that would break out of its line. */
const BAD_HEADER = /^ERR_INVALID_(?:CHAR|HTTP_TOKEN)$/;

/**
 * What was thrown, as text: `message`, and `stack` where there is one. A function may throw anything, also what throws
 * again when it is looked at.
 */
function describe(thrown) {
	try {
		if (thrown !== null && typeof thrown === "object" && typeof thrown.message === "string") {
			return { message: bounded(thrown.message), stack: bounded(stackOf(thrown)) };
		}
		if (typeof thrown === "string") return { message: bounded(thrown), stack: undefined };
		return { message: bounded(`${inspect(thrown, { depth: 1 })} was thrown, which is not an Error`), stack: undefined };
	} catch (_) {
		return { message: "something was thrown that cannot be looked at", stack: undefined };
	}
}

function stackOf(error) {
	const stacks = [];
	for (let cause = error; cause && stacks.length <= CAUSES_MAX; cause = cause.cause) {
		if (typeof cause.stack !== "string") break;
		stacks.push(trim(cause.stack));
	}
	return stacks.length === 0 ? undefined : stacks.join("\ncaused by: ");
}

/** Cuts the frames below the function's own: the worker's and Node.js's say nothing to its author. */
function trim(stack) {
	const lines = stack.split("\n");
	let last = lines.length - 1;
	while (last > 0 && isForeign(lines[last])) last -= 1;
	// Of a syntax error the first lines say where it is. Else, with nothing of the function's in it, all frames are better than none.
	return last > 0 && (/^\s+at /.test(lines[last]) || SYNTAX.test(lines[0])) ? lines.slice(0, last + 1).join("\n") : stack;
}

function isForeign(line) {
	return /^\s+at /.test(line) && (isOwn(line) || /[( ](?:node:|internal\/|[a-z_]+\.js:|<anonymous>\)?$)/.test(line));
}

function isOwn(line) {
	return OWN.test(line);
}

function bounded(text) {
	return text === undefined || text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}

/** For a log: as much of what was thrown as there is. */
function words(thrown) {
	const { message, stack } = describe(thrown);
	return stack === undefined ? message : stack.includes(message) ? stack : `${message}\n${stack}`;
}

/** true: it was a header that cannot be sent, and not the function's own trouble (PROTOCOL 4.4) */
function isBadHeader(thrown) {
	try {
		return BAD_HEADER.test(thrown.code);
	} catch (_) {
		return false;
	}
}

module.exports = { describe, isBadHeader, isOwn, words };
