"use strict";

const fs = require("fs");
const path = require("path");
const { describe, isOwn } = require("./failure");
const { choose } = require("./handler");
const { LoadError } = require("./load-error");
const { scopeType, usable } = require("./package");

/** Node.js's own frames fill the usual ten where a module is required that is not there. */
const LOADING_FRAMES = 50;
const EXTENSIONS = /\bextensions\b/;
const TYPESCRIPT = /\.[mc]?ts$/;
/** A line that only an ES module has, or a comment, which does no harm: import() takes both kinds. */
const MODULE_LINE = /(?:^|;)[ \t]*(?:import|export)\b(?![ \t]*[(=.])/m;

/**
 * Loads the function's file and finds its handler.
 * @returns {Promise<{ name: string, handler: Function, asks: boolean }>} asks: it will look at the request or the response
 * @throws {LoadError}
 */
async function load(env) {
	const original = env.KUBELESS_HANDLER_FILE;
	if (!original) throw new LoadError("HANDLER_FAILED_TO_LOAD", "KUBELESS_HANDLER_FILE names no file: there is no function to load");
	const { stackTraceLimit } = Error;
	Error.stackTraceLimit = LOADING_FRAMES;
	try {
		const source = fs.readFileSync(original, "utf8");
		const file = usable(original, env.KUBELESS_INSTALL_VOLUME);
		findInstalled(file, env.KUBELESS_INSTALL_VOLUME);
		const { name, handler } = choose(await read(file, source), env.FUNC_HANDLER || "", path.basename(original));
		return { name, handler, asks: EXTENSIONS.test(source) };
	} catch (error) {
		throw explain(error, original);
	} finally {
		Error.stackTraceLimit = stackTraceLimit;
	}
}

function read(file, source) {
	if (TYPESCRIPT.test(file)) return require("./typescript").read(file);
	if (file.endsWith(".cjs")) return require(file);
	const modules = require("./modules");
	if (file.endsWith(".mjs") || scopeType(file) === "module" || (modules.known && MODULE_LINE.test(source))) return modules.read(file);
	return require(file);
}

/** NODE_PATH, which ES modules do not know, where the dependencies are not beside the function. */
function findInstalled(file, volume) {
	if (!volume || !path.relative(volume, path.dirname(file)).startsWith("..")) return;
	require("./modules").alsoFrom(volume);
}

/** Says what is wrong, where, and what to do about it. */
function explain(error, file) {
	if (error instanceof LoadError) return error;
	const { message, stack } = describe(error);
	const at = place(stack, path.dirname(file));
	if (at === undefined && error instanceof SyntaxError) {
		const located = locate(file);
		if (located !== undefined) return located;
	}
	const name = error instanceof Error && error.name !== "Error" && !error.code ? `${error.name}: ` : "";
	const hint = cure(error, message);
	const text = `${at || path.basename(file)}: ${name}${hint === "" ? message : message.split("\n")[0]}${hint}`;
	return new LoadError("HANDLER_FAILED_TO_LOAD", text, { stack });
}

/** Of an ES module's syntax error Node.js tells neither file nor line; who compiles TypeScript knows them. */
function locate(file) {
	try {
		require("./typescript").check(file);
	} catch (error) {
		if (error instanceof LoadError) return error;
	}
	return undefined;
}

function cure(error, message) {
	const code = error && error.code;
	if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
		return /'(?:\.{0,2}\/|file:)/.test(message) ? "" : ': add it to "dependencies" in package.json';
	}
	if (error instanceof SyntaxError && /outside a module|Unexpected token '?(?:export|import)|import\.meta/.test(message)) {
		return ': an ES module is named .mjs here, or has "type": "module" in package.json';
	}
	return "";
}

/** Where in the function's files it happened, as file:line or file:line:column. */
function place(stack, folder) {
	if (stack === undefined) return undefined;
	const [first] = stack.split("\n");
	const syntax = /^(?:file:\/\/)?(\/.+:\d+)$/.exec(first); // Node.js puts it above the message
	if (syntax !== null) return shown(syntax[1], folder);
	for (const line of stack.split("\n")) {
		const frame = /^\s+at (?:.*[ (])?(?:file:\/\/)?(\/[^()]+:\d+:\d+)\)?$/.exec(line);
		if (frame !== null && !isOwn(line) && !line.includes("/node_modules/")) return shown(frame[1], folder);
	}
	return undefined;
}

function shown(place, folder) {
	const relative = path.relative(folder, place);
	return relative.startsWith("..") ? place : relative;
}

module.exports = { load };
