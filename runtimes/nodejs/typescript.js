"use strict";

const Module = require("module");
const path = require("path");
const { LoadError } = require("./load-error");
const { readAs } = require("./modules");
const { scopeType } = require("./package");

const ERRORS_MAX = 10;

/** Compiles a file and the local files it imports, and loads what comes of it under the file's own name. */
function read(file) {
	const esbuild = requireEsbuild();
	// A stack then names the lines of the .ts file. Before Node.js 16.6 it names those of the compiled text.
	if (process.setSourceMapsEnabled !== undefined) process.setSourceMapsEnabled(true);
	const asModule = file.endsWith(".mts") || (!file.endsWith(".cts") && scopeType(file) === "module");
	const text = asModule ? undefined : compile(esbuild, file, "cjs");
	return text === undefined ? readAs(file, compile(esbuild, file, "esm")) : readText(file, text);
}

/** @throws {LoadError} that says where a file, or a local one that it imports, is wrong */
function check(file) {
	compile(requireEsbuild(), file, "esm");
}

function requireEsbuild() {
	try {
		return require("esbuild");
	} catch (error) {
		const why = error.code === "MODULE_NOT_FOUND" ? "is not installed beside the worker" : `does not run on Node.js ${process.version}`;
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`TypeScript is compiled by esbuild, which ${why}: compile the function to JavaScript first`,
		);
	}
}

/** The file as JavaScript; undefined if it cannot be of this format, and can of the other. */
function compile(esbuild, file, format) {
	try {
		const { outputFiles, warnings } = esbuild.buildSync({
			entryPoints: [file],
			absWorkingDir: path.dirname(file),
			outdir: path.dirname(file), // nothing is written; the source map's names are relative to it
			write: false,
			bundle: true,
			packages: "external",
			platform: "node",
			format,
			target: `node${process.versions.node}`,
			sourcemap: "inline",
			sourcesContent: false,
			logLevel: "silent",
			// What was CommonJS among the local files may still call require.
			banner:
				format === "esm"
					? { js: 'import { createRequire as $require } from "node:module"; const require = $require(import.meta.url);' }
					: {},
		});
		if (format === "cjs" && warnings.some(({ id }) => id === "empty-import-meta")) return undefined;
		return outputFiles[0].text;
	} catch (error) {
		if (!Array.isArray(error.errors)) throw error;
		if (format === "cjs" && error.errors.every(({ text }) => text.startsWith("Top-level await"))) return undefined;
		throw new LoadError("HANDLER_FAILED_TO_LOAD", error.errors.slice(0, ERRORS_MAX).map(written).join("\n"));
	}
}

function written({ text, location }) {
	return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

function readText(file, text) {
	const module_ = new Module(file, null);
	module_.filename = file;
	module_.paths = Module._nodeModulePaths(path.dirname(file));
	module_._compile(text, file);
	return module_.exports;
}

module.exports = { check, read };
