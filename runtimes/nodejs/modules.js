"use strict";

const module_ = require("module");
const { pathToFileURL } = require("url");
const { LoadError } = require("./load-error");

const [major, minor] = process.versions.node.split(".").map(Number);
/** true where Node.js has ES modules without being asked to */
const known = major > 12 || (major === 12 && minor >= 17);

/** Imports a file, be it an ES module or not. */
function read(file) {
	if (!known) {
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`an ES module needs Node.js 12.17 or later, and this is ${process.version}: use module.exports and require`,
		);
	}
	return require("./import")(pathToFileURL(file).href);
}

/** Imports a file whose text is given: an ES module that Node.js could not load as it stands. */
function readAs(file, text) {
	if (module_.registerHooks === undefined) {
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`an ES module in TypeScript needs Node.js 22.15 or later, and this is ${process.version}: do without .mts, "type": "module", import.meta and await outside of functions`,
		);
	}
	const { href } = pathToFileURL(file);
	module_.registerHooks({
		resolve: (specifier, context, next) =>
			specifier === href ? { url: href, format: "module", shortCircuit: true } : next(specifier, context),
		load: (url, context, next) => (url === href ? { format: "module", source: text, shortCircuit: true } : next(url, context)),
	});
	return read(file);
}

/** Lets ES modules find packages in a folder's node_modules too, after all other places. */
function alsoFrom(folder) {
	if (module_.registerHooks === undefined) return;
	const parentURL = pathToFileURL(`${folder}/`).href;
	module_.registerHooks({
		resolve(specifier, context, next) {
			try {
				return next(specifier, context);
			} catch (error) {
				if (error.code !== "ERR_MODULE_NOT_FOUND" || !isBare(specifier)) throw error;
				try {
					return next(specifier, Object.assign({}, context, { parentURL }));
				} catch (_) {
					throw error;
				}
			}
		},
	});
}

function isBare(specifier) {
	return !/^(?:\.{0,2}\/|[a-z][a-z0-9+.-]*:|#)/i.test(specifier);
}

module.exports = { known, read, readAs, alsoFrom };
