"use strict";

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { LoadError } = require("../errors");

// esbuild has no emitDecoratorMetadata, as it does not know types. TypeScript's own compiler has
// it.

const OPTION = /"emitDecoratorMetadata"\s*:\s*true\b/;
const EXTENDS = /"extends"\s*:\s*"([^"]+)"/;
const DECORATOR = /^[ \t]*@[A-Za-z_$]/m;
/** Configuration files that may extend one another. */
const MAX_CONFIGS = 8;

/**
 * Returns a file with decorators as JavaScript with their metadata; undefined if tsconfig.json does
 * not ask for that.
 * @param {string} file
 * @param {string} source
 * @throws {LoadError} if it does, and the function has no TypeScript compiler
 */
function emit(file, source) {
	if (!/\.[mc]?tsx?$/.test(file) || !DECORATOR.test(source)) return undefined;
	const config = configOf(file);
	if (config === undefined || !asks(config)) return undefined;
	const ts = compilerOf(file);
	if (ts === undefined) {
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`${path.basename(file)}: "emitDecoratorMetadata" in ${path.basename(config)} needs TypeScript's own compiler: add "typescript": "5" to "dependencies" in package.json, or remove the option`,
		);
	}
	const host = { ...ts.sys, readDirectory: () => [] };
	const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(config, ts.sys.readFile).config, host, path.dirname(config));
	const { ESNext: module_ } = ts.ModuleKind;
	const own = { module: module_, target: ts.ScriptTarget.ES2022, inlineSourceMap: true, sourceMap: false, noEmit: false };
	return /** @type {string} */ (ts.transpileModule(source, { fileName: file, compilerOptions: { ...options, ...own } }).outputText);
}

/** @param {string} file */
function configOf(file) {
	for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
		const config = path.join(folder, "tsconfig.json");
		if (fs.existsSync(config)) return config;
		if (folder === path.dirname(folder)) return undefined;
	}
}

/**
 * Returns true if the configuration, or one that it extends, switches the option on.
 * @param {string} config
 */
function asks(config) {
	for (let i = 0, file = config; i < MAX_CONFIGS; i++) {
		let text;
		try {
			text = fs.readFileSync(file, "utf8");
			if (OPTION.test(text)) return true;
			const next = EXTENDS.exec(text)?.[1];
			if (next === undefined) return false;
			file = createRequire(file).resolve(next);
		} catch {
			return false; // esbuild reports the mistake
		}
	}
	return false;
}

/**
 * Returns the function's own TypeScript; undefined if it is not installed, or has another interface
 * (version 7).
 * @param {string} file
 * @returns {any}
 */
function compilerOf(file) {
	try {
		const ts = createRequire(file)("typescript");
		return typeof ts.transpileModule === "function" ? ts : undefined;
	} catch {
		return undefined;
	}
}

module.exports = { emit };
