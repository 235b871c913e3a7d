"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { describe, isOwn, LoadError } = require("../errors");
const { choose } = require("./choose");
const { scopeType, usable } = require("./package-json");

/** @import { Loaded } from "../protocol" */

/** With Node.js's default of 10, the stack of a missing module has only frames of Node.js. */
const LOADING_FRAMES = 50;
const EXTENSIONS = /\bextensions\b/;
const TYPESCRIPT = /\.[mc]?ts$/;
/**
 * A line of an ES module, or of a comment, which does no harm: import() takes both kinds of file.
 */
const MODULE_LINE = /(?:^|;)[ \t]*(?:import|export)\b(?![ \t]*[(=.])/m;

/**
 * Loads the function's file and finds its handler.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Loaded>}
 * @throws {LoadError}
 */
async function load(env) {
	const original = env["KUBELESS_HANDLER_FILE"];
	const volume = env["KUBELESS_INSTALL_VOLUME"] ?? "";
	if (!original) throw new LoadError("HANDLER_FAILED_TO_LOAD", "KUBELESS_HANDLER_FILE names no file, so there is no function to load");
	const { stackTraceLimit } = Error;
	Error.stackTraceLimit = LOADING_FRAMES;
	try {
		const source = fs.readFileSync(original, "utf8");
		const file = usable(original, volume);
		findInstalled(file, volume);
		const { name, handler } = choose(await read(file, source), env["FUNC_HANDLER"] ?? "", path.basename(original));
		return { name, handler, asks: EXTENSIONS.test(source) };
	} catch (error) {
		throw await explain(error, original);
	} finally {
		Error.stackTraceLimit = stackTraceLimit;
	}
}

/**
 * Returns what the file exports, or a promise of it.
 * @param {string} file
 * @param {string} source
 */
function read(file, source) {
	if (TYPESCRIPT.test(file)) return require("./typescript").read(file);
	if (file.endsWith(".cjs")) return require(file);
	const modules = require("./modules");
	if (file.endsWith(".mjs") || scopeType(file) === "module" || (modules.known && MODULE_LINE.test(source))) return modules.read(file);
	return require(file);
}

/**
 * Lets ES modules, which ignore NODE_PATH, find dependencies that are not beside the function.
 * @param {string} file
 * @param {string} volume
 */
function findInstalled(file, volume) {
	if (!volume || !path.relative(volume, path.dirname(file)).startsWith("..")) return;
	require("./modules").alsoFrom(volume);
}

/**
 * Returns an error with the reason, the place and the cure.
 * @param {any} error
 * @param {string} file
 */
async function explain(error, file) {
	if (error instanceof LoadError) return error;
	const { message, stack } = describe(error);
	const at = place(stack, path.dirname(file));
	if (at === undefined && error instanceof SyntaxError) {
		const located = await locate(file);
		if (located !== undefined) return located;
	}
	const name = error instanceof Error && error.name !== "Error" && !(/** @type {any} */ (error).code) ? `${error.name}: ` : "";
	const hint = cure(error, message);
	const text = `${at ?? path.basename(file)}: ${name}${hint === "" ? message : message.split("\n")[0]}${hint}`;
	return new LoadError("HANDLER_FAILED_TO_LOAD", text, { stack });
}

/**
 * Returns an error with file and line, which Node.js leaves out for a syntax error in an ES module;
 * the compiler of TypeScript knows them.
 * @param {string} file
 */
async function locate(file) {
	try {
		await require("./typescript").check(file);
	} catch (error) {
		if (error instanceof LoadError) return error;
	}
	return undefined;
}

/**
 * @param {any} error
 * @param {string} message
 */
function cure(error, message) {
	const code = error?.code;
	if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
		return /'(?:\.{0,2}\/|file:)/.test(message) ? "" : ': add it to "dependencies" in package.json';
	}
	if (error instanceof SyntaxError && /outside a module|Unexpected token '?(?:export|import)|import\.meta/.test(message)) {
		return ': an ES module needs a name that ends in .mjs, or "type": "module" in package.json';
	}
	return "";
}

/**
 * Returns where in the function's files it happened, as file:line or file:line:column.
 * @param {string | undefined} stack
 * @param {string} folder
 */
function place(stack, folder) {
	if (stack === undefined) return undefined;
	const lines = stack.split("\n");
	const syntax = /^(?:file:\/\/)?(\/.+:\d+)$/.exec(lines[0] ?? ""); // Node.js puts it above the message
	if (syntax?.[1] !== undefined) return relative(syntax[1], folder);
	for (const line of lines) {
		const frame = /^\s+at (?:.*[ (])?(?:file:\/\/)?(\/[^()]+:\d+:\d+)\)?$/.exec(line);
		if (frame?.[1] !== undefined && !isOwn(line) && !line.includes("/node_modules/")) return relative(frame[1], folder);
	}
	return undefined;
}

/**
 * @param {string} place
 * @param {string} folder
 */
function relative(place, folder) {
	const inside = path.relative(folder, place);
	return inside.startsWith("..") ? place : inside;
}

module.exports = { load };
