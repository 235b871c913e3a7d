"use strict";

// The parts of install.sh that need JSON, by the first argument:
//   needed FILE: exit code 0 if there is something to install, 3 if not, 4 if the file is missing
//   manifest FILE ROOT: prints package.json as it is installed; relative paths that lead out of
//     ROOT become absolute
//   settings: prints NPM_REGISTRY, NPM_SCOPE and NPM_CONFIG_EXTRA as lines of an .npmrc
// Runs on every Node.js that the worker runs on.

const fs = require("fs");
const path = require("path");

const NOTHING_TO_DO = 3;
const MISSING = 4;

const [command, file = "", root = ""] = process.argv.slice(2);
if (command === "needed") process.exitCode = needed();
else if (command === "manifest") process.stdout.write(manifest());
else process.stdout.write(settings());

function needed() {
	try {
		const text = fs.readFileSync(file, "utf8");
		const of = text.trim() === "" ? {} : JSON.parse(text);
		const lists = [of.dependencies, of.optionalDependencies, of.peerDependencies, of.workspaces];
		const scripts = of.scripts || {};
		const some = lists.some((list) => list && Object.keys(list).length > 0);
		return some || scripts.preinstall || scripts.install || scripts.postinstall ? 0 : NOTHING_TO_DO;
	} catch (error) {
		return /** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT" ? MISSING : 0; // npm reports what is wrong with the JSON
	}
}

/**
 * Returns package.json without development dependencies: npm resolves them even if it omits them.
 */
function manifest() {
	const text = fs.readFileSync(file, "utf8");
	let of;
	try {
		of = JSON.parse(text);
	} catch (_) {
		return text;
	}
	const development = of.devDependencies || {};
	delete of.devDependencies;
	resolveReferences(of.overrides, development);
	for (const list of [of.dependencies, of.optionalDependencies]) makeAbsolute(list || {});
	return `${JSON.stringify(of, null, 2)}\n`;
}

/**
 * Replaces "$name" in overrides, where the name is that of a development dependency, by its
 * version.
 * @param {any} overrides
 * @param {Record<string, string>} development
 */
function resolveReferences(overrides, development) {
	for (const name of Object.keys(overrides || {})) {
		const value = overrides[name];
		if (typeof value === "object") resolveReferences(value, development);
		else if (typeof value === "string" && value[0] === "$") overrides[name] = development[value.slice(1)] || value;
	}
}

/**
 * Makes paths that lead out of the function's folder absolute, as only that folder is copied.
 * @param {Record<string, string>} list
 */
function makeAbsolute(list) {
	if (root === "") return;
	for (const name of Object.keys(list)) {
		const found = /^(file:|link:)?(\.\.\/.*)$/.exec(String(list[name]));
		if (found !== null) list[name] = `file:${path.resolve(root, String(found[2]))}`;
	}
}

/**
 * Returns lines, not the arguments of `npm config set`: npm 9 and later refuse a setting there that
 * they do not know.
 */
function settings() {
	const { NPM_REGISTRY, NPM_SCOPE, NPM_CONFIG_EXTRA } = process.env;
	/** @type {[string, string][]} */
	const pairs = [];
	if (NPM_REGISTRY) pairs.push([NPM_SCOPE ? `${NPM_SCOPE}:registry` : "registry", NPM_REGISTRY]);
	const words = (NPM_CONFIG_EXTRA || "").split(/\s+/).filter((word) => word !== "");
	while (words.length > 0) {
		const word = String(words.shift());
		const equals = word.indexOf("=");
		if (equals > 0) pairs.push([word.slice(0, equals), word.slice(equals + 1)]);
		else pairs.push([word, words.shift() || ""]);
	}
	return pairs.map(([key, value]) => `${quoted(key)}=${quoted(value)}\n`).join("");
}

/**
 * Quotes what would be a comment or a section in an .npmrc.
 * @param {string} text
 */
function quoted(text) {
	return /[;#"'[\]\r\n]/.test(text) ? JSON.stringify(text) : text;
}
