"use strict";

/** Why a function cannot be loaded, as a `failed` frame says it (PROTOCOL 3.2). */
class LoadError extends Error {
	/** @param {{ stack?: string, handlers?: string[] }} more */
	constructor(code, message, more) {
		super(message);
		this.code = code;
		this.more = more || {};
	}
}

module.exports = { LoadError };
