"use strict";

const module_ = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { LoadError } = require("../errors");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** Node.js has ES modules without a flag. */
const known = major > 12 || (major === 12 && minor >= 17);

/**
 * Imports a file, which may also be CommonJS.
 * @param {string} file
 * @returns {Promise<unknown>}
 */
function read(file) {
	if (!known) {
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`an ES module needs Node.js 12.17 or later, and this is ${process.version}: use module.exports and require`,
		);
	}
	return require("./import")(pathToFileURL(file).href);
}

/**
 * Imports a file as an ES module with this text, as Node.js cannot load the file itself.
 * @param {string} file
 * @param {string} text
 */
function readAs(file, text) {
	const { href } = pathToFileURL(file);
	if (module_.registerHooks !== undefined) {
		module_.registerHooks({
			resolve: (specifier, context, next) =>
				specifier === href ? { url: href, format: "module", shortCircuit: true } : next(specifier, context),
			load: (url, context, next) => (url === href ? { format: "module", source: text, shortCircuit: true } : next(url, context)),
		});
	} else if (!registerAsync({ href, text })) {
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`an ES module in TypeScript needs Node.js 18.19 or later, and this is ${process.version}: do without .mts, "type": "module" and await outside of functions`,
		);
	}
	return read(file);
}

/**
 * Lets ES modules find packages in a folder's node_modules too, after all other places.
 * @param {string} folder
 */
function alsoFrom(folder) {
	const parentURL = pathToFileURL(`${folder}/`).href;
	if (module_.registerHooks === undefined) {
		registerAsync({ parentURL });
		return;
	}
	module_.registerHooks({
		resolve(specifier, context, next) {
			try {
				return next(specifier, context);
			} catch (error) {
				if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ERR_MODULE_NOT_FOUND" || !isBare(specifier)) throw error;
				try {
					return next(specifier, { ...context, parentURL });
				} catch {
					throw error;
				}
			}
		},
	});
}

/**
 * Does the same before Node.js 22.15, by hooks in a thread of their own. Returns false before
 * Node.js 18.19.
 * @param {{ parentURL?: string, href?: string, text?: string }} data
 */
function registerAsync(data) {
	if (module_.register === undefined) return false;
	module_.register(pathToFileURL(path.join(__dirname, "hooks.mjs")).href, { data });
	return true;
}

/** @param {string} specifier */
function isBare(specifier) {
	return !/^(?:\.{0,2}\/|[a-z][a-z0-9+.-]*:|#)/i.test(specifier);
}

module.exports = { known, read, readAs, alsoFrom };
