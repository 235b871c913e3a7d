"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { LoadError } = require("../errors");
const metadata = require("./decorator-metadata");
const { readAs } = require("./modules");
const { scopeType } = require("./package-json");

/** @import * as Esbuild from "esbuild" */
/** @typedef {typeof Esbuild} Compiler */

const MAX_ERRORS = 10;
const SOURCE = /\.[mc]?[jt]sx?$/;
const PLACE = /\b__(?:dir|file)name\b|\bimport\.meta\.(?:url|dirname|filename)\b/;

/**
 * Compiles a file and the local files it imports, and loads the result under the file's own name.
 * @param {string} file
 * @returns {Promise<unknown>}
 */
async function read(file) {
	// A stack then names the lines of the .ts file. Before Node.js 16.6 it names those of the compiled
	// text.
	process.setSourceMapsEnabled?.(true);
	const asModule = file.endsWith(".mts") || (!file.endsWith(".cts") && scopeType(file) === "module");
	const text = asModule ? undefined : await compile(file, "cjs");
	if (text !== undefined) return readText(file, text);
	return readAs(file, /** @type {string} */ (await compile(file, "esm")));
}

/**
 * @param {string} file
 * @throws {LoadError} with file and line, if the file or a local file that it imports is wrong
 */
async function check(file) {
	await compile(file, "esm");
}

/** @returns {Compiler} */
function requireEsbuild() {
	try {
		return require("esbuild");
	} catch (error) {
		const missing = /** @type {NodeJS.ErrnoException} */ (error).code === "MODULE_NOT_FOUND";
		const why = missing ? "is not installed beside the worker" : `does not run on Node.js ${process.version}`;
		throw new LoadError(
			"HANDLER_FAILED_TO_LOAD",
			`TypeScript is compiled by esbuild, which ${why}: compile the function to JavaScript first`,
		);
	}
}

/**
 * Returns the file as JavaScript; undefined if it must be an ES module and `format` is "cjs".
 * @param {string} file
 * @param {"cjs" | "esm"} format
 * @throws {LoadError}
 */
async function compile(file, format) {
	const esbuild = requireEsbuild();
	const target = `node${process.versions.node}`;
	try {
		const { outputFiles, warnings } = await esbuild.build({
			entryPoints: [file],
			absWorkingDir: path.dirname(file),
			outdir: path.dirname(file), // nothing is written; the source map's names are relative to it
			write: false,
			bundle: true,
			packages: "external",
			platform: "node",
			format,
			target,
			sourcemap: "inline",
			sourcesContent: false,
			logLevel: "silent",
			plugins: [eachFile(esbuild, target)],
			// CommonJS among the local files may still call require.
			banner:
				format === "esm"
					? { js: 'import { createRequire as $require } from "node:module"; const require = $require(import.meta.url);' }
					: {},
		});
		if (format === "cjs" && warnings.some(({ id }) => id === "empty-import-meta")) return undefined;
		return outputFiles[0]?.text;
	} catch (error) {
		const { errors } = /** @type {Esbuild.BuildFailure} */ (error);
		if (!Array.isArray(errors)) throw error;
		const own = errors.find(({ detail }) => detail instanceof LoadError);
		if (own !== undefined) throw own.detail;
		if (format === "cjs" && errors.every(({ text }) => text.startsWith("Top-level await"))) return undefined;
		throw new LoadError("HANDLER_FAILED_TO_LOAD", errors.slice(0, MAX_ERRORS).map(written).join("\n"));
	} finally {
		await esbuild.stop(); // a process, which would stay as long as the worker
	}
}

/**
 * Gives each local file what it has before the files become one: its own __dirname, __filename and
 * import.meta.url, and the metadata of its decorators.
 * @param {Compiler} esbuild
 * @param {string} target
 * @returns {Esbuild.Plugin}
 */
function eachFile(esbuild, target) {
	return {
		name: "each-file",
		setup({ onLoad }) {
			onLoad({ filter: SOURCE, namespace: "file" }, async ({ path: file }) => {
				const source = fs.readFileSync(file, "utf8");
				const emitted = metadata.emit(file, source);
				if (!PLACE.test(source)) return emitted === undefined ? undefined : { contents: emitted, loader: "js" };
				const folder = path.dirname(file);
				const names = { __dirname: folder, __filename: file, "import.meta.url": pathToFileURL(file).href };
				const values = { ...names, "import.meta.dirname": folder, "import.meta.filename": file };
				const { outputFiles } = await esbuild.build({
					...(emitted === undefined
						? { entryPoints: [file] }
						: { stdin: { contents: emitted, loader: "js", resolveDir: folder, sourcefile: file } }),
					absWorkingDir: folder,
					outdir: folder,
					write: false,
					target,
					define: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)])),
					sourcemap: "inline",
					sourcesContent: false,
					logLevel: "silent",
				});
				return { contents: outputFiles[0]?.text ?? "", loader: "js" };
			});
		},
	};
}

/** @param {Esbuild.Message} message */
function written({ text, location }) {
	return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

/**
 * @param {string} file
 * @param {string} text
 */
function readText(file, text) {
	/** @type {any} */
	const module_ = new Module(file);
	module_.filename = file;
	module_.paths = /** @type {any} */ (Module)._nodeModulePaths(path.dirname(file));
	module_._compile(text, file);
	return module_.exports;
}

module.exports = { check, read };
