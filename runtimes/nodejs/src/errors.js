"use strict";

const path = require("node:path");
const { inspect } = require("node:util");

/** A message or stack is cut here: enough to read, too little to flood a log. */
const MAX_TEXT_CHARS = 16 * 1024;
/** Errors within one error (`cause`, `errors`) that are described. */
const MAX_INNER_ERRORS = 8;
/** Characters of an error's own property, such as `code`, that are described. */
const MAX_PROPERTY_CHARS = 200;

/** Own properties that the text has in another place. */
const DESCRIBED = /^(?:name|message|stack|cause|errors)$/i;
const SYNTAX = /^(?:file:\/\/)?\/.+:\d+$/;
const FRAME = /^\s+at /;
const NODE_FRAME = /[( ](?:node:|internal\/|[a-z_]+\.js:|<anonymous>\)?$)/;
/** The worker's files; the examples beside them are functions. */
const OWN = ["src/", "dist/", "worker.js:"].map((name) => `${path.dirname(__dirname)}/${name}`);
/** The codes of what http throws for a header with a character that would end its line. */
const BAD_HEADER = /^ERR_INVALID_(?:CHAR|HTTP_TOKEN)$/;

/** Ends a call with this code and message (PROTOCOL 4.6). */
class CallError extends Error {
	/**
	 * @param {"BODY_MALFORMED" | "RESULT_INVALID" | "CANCELLED" | undefined} code
	 * @param {string} message
	 * @param {unknown} [reason] what was thrown; its stack goes into the log
	 */
	constructor(code, message, reason) {
		super(message);
		this.code = code;
		this.reason = reason;
	}
}

/** A function cannot be loaded; becomes a `failed` frame (PROTOCOL 3.2). */
class LoadError extends Error {
	/**
	 * @param {"HANDLER_NOT_FOUND" | "HANDLER_FAILED_TO_LOAD"} code
	 * @param {string} message
	 * @param {{ stack?: string | undefined, handlers?: string[] }} [more]
	 */
	constructor(code, message, more = {}) {
		super(message);
		this.code = code;
		this.more = more;
	}
}

/** Ends a call whose caller has gone. */
const cancelled = () => new CallError("CANCELLED", "the caller has gone");

/**
 * Ends a call whose handler returned something that has no answer.
 * @param {unknown} reason
 */
const unsendable = (reason) =>
	new CallError("RESULT_INVALID", `the handler returned what cannot be sent: ${describe(reason).message}`, reason);

/**
 * Returns what was thrown as text. A function may throw anything, also an object that throws when
 * it is read.
 * @param {unknown} thrown
 * @returns {{ code?: string | undefined, message: string, stack: string | undefined }}
 */
function describe(thrown) {
	try {
		if (thrown instanceof CallError) {
			const stack = thrown.reason === undefined ? undefined : describe(thrown.reason).stack;
			return { code: thrown.code, message: cut(thrown.message), stack };
		}
		if (isError(thrown)) return { message: cut(thrown.message || title(thrown)), stack: cut(wholeStack(thrown)) };
		if (typeof thrown === "string") return { message: cut(thrown), stack: undefined };
		return { message: cut(`${inspect(thrown, { depth: 1 })} was thrown, which is not an Error`), stack: undefined };
	} catch {
		return { message: "an object was thrown that cannot be read", stack: undefined };
	}
}

/**
 * Returns the text of what was thrown for a log.
 * @param {unknown} thrown
 */
function logText(thrown) {
	const { message, stack } = describe(thrown);
	return stack === undefined ? message : stack.includes(message) ? stack : `${message}\n${stack}`;
}

/**
 * @param {unknown} value
 * @returns {value is Error}
 */
function isError(value) {
	return value !== null && typeof value === "object" && typeof (/** @type {Error} */ (value).message) === "string";
}

/**
 * Returns the name of an error without a message, such as those of failed connections to several
 * addresses.
 * @param {Error & { code?: unknown }} error
 */
function title(error) {
	return typeof error.code === "string" ? `${error.name} [${error.code}]` : String(error.name);
}

/**
 * Returns the stack with the error's own properties, and those of its causes and inner errors.
 * @param {Error} error
 */
function wholeStack(error) {
	/** @type {Set<unknown>} */
	const seen = new Set();
	/** @type {string[]} */
	const parts = [];
	/**
	 * @param {unknown} inner
	 * @param {string} lead
	 */
	const add = (inner, lead) => {
		if (seen.size > MAX_INNER_ERRORS || seen.has(inner)) return;
		seen.add(inner);
		if (!isError(inner)) {
			if (lead !== "" && inner !== undefined) parts.push(lead + inspect(inner, { depth: 1 }));
			return;
		}
		const { cause, errors } = /** @type {AggregateError} */ (inner);
		const stack = typeof inner.stack === "string" ? trim(inner.stack) : lead === "" ? "" : `${inner.name}: ${inner.message}`;
		if (stack !== "") parts.push(lead + stack + properties(inner));
		add(cause, "caused by: ");
		if (Array.isArray(errors)) for (const [i, one] of errors.entries()) add(one, `error ${i + 1} of ${errors.length}: `);
	};
	add(error, "");
	return parts.length === 0 ? undefined : parts.join("\n");
}

/**
 * Returns the error's own properties with simple values, such as `code` and `errno`. Objects are
 * left out: they may hold requests with passwords.
 * @param {Error} error
 */
function properties(error) {
	const values = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (error));
	const shown = Object.keys(values)
		.filter((name) => !DESCRIBED.test(name) && /^(?:string|number|boolean|bigint)$/.test(typeof values[name]))
		.map((name) => {
			const value = values[name];
			return `${name}: ${inspect(typeof value === "string" ? value.slice(0, MAX_PROPERTY_CHARS) : value)}`;
		});
	return shown.length === 0 ? "" : `\n    { ${shown.join(", ")} }`;
}

/**
 * Cuts the frames below the function's own: the worker's and Node.js's do not help its author.
 * @param {string} stack
 */
function trim(stack) {
	const lines = stack.split("\n");
	let last = lines.length - 1;
	while (last > 0 && isForeign(lines[last] ?? "")) last -= 1;
	// A syntax error has its place above the message. A stack without any of the function's frames
	// keeps all frames.
	return last > 0 && (FRAME.test(lines[last] ?? "") || SYNTAX.test(lines[0] ?? "")) ? lines.slice(0, last + 1).join("\n") : stack;
}

/** @param {string} line */
function isForeign(line) {
	return FRAME.test(line) && (isOwn(line) || NODE_FRAME.test(line));
}

/**
 * Returns true for a line of a stack that lies in one of the worker's files.
 * @param {string} line
 */
function isOwn(line) {
	return OWN.some((place) => line.includes(place));
}

/**
 * @template {string | undefined} T
 * @param {T} text
 * @returns {T | string}
 */
function cut(text) {
	return text === undefined || text.length <= MAX_TEXT_CHARS ? text : `${text.slice(0, MAX_TEXT_CHARS)}…`;
}

/**
 * Returns true if http refused a header that the function set (PROTOCOL 4.4).
 * @param {unknown} thrown
 */
function isBadHeader(thrown) {
	try {
		return BAD_HEADER.test(/** @type {{ code: string }} */ (thrown).code);
	} catch {
		return false;
	}
}

exports.CallError = CallError;
exports.LoadError = LoadError;
exports.cancelled = cancelled;
exports.unsendable = unsendable;
exports.describe = describe;
exports.logText = logText;
exports.isBadHeader = isBadHeader;
exports.isOwn = isOwn;
