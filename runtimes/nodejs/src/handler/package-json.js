"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * Returns the package.json that holds for a file: the first one above it.
 * @param {string} file
 */
function nearest(file) {
	for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
		try {
			return { folder, text: fs.readFileSync(path.join(folder, "package.json"), "utf8") };
		} catch {
			if (folder === path.dirname(folder)) return undefined;
		}
	}
}

/**
 * Returns "module" if the files of a folder are ES modules.
 * @param {string} file
 * @returns {unknown}
 */
function scopeType(file) {
	const found = nearest(file);
	try {
		return found && JSON.parse(found.text).type;
	} catch {
		return undefined; // Node.js reports the mistake
	}
}

/**
 * Returns where the file can be loaded from. Kubeless puts an empty package.json into the volume of
 * every function without dependencies, which Node.js 18 and later refuse.
 * @param {string} file
 * @param {string} volume
 */
function usable(file, volume) {
	const found = nearest(file);
	if (found === undefined || found.text.trim() !== "") return file;
	if (found.folder !== path.dirname(file) && found.folder !== volume) return file; // not the function's package.json
	// Only the volume is written to: locally the folder is its author's.
	if (found.folder === volume && overwrite(path.join(found.folder, "package.json"))) return file;
	return path.join(copy(found.folder), path.relative(found.folder, file));
}

/** @param {string} config */
function overwrite(config) {
	try {
		if (fs.lstatSync(config).isSymbolicLink()) return false; // a mounted ConfigMap
		fs.writeFileSync(config, "{}\n");
		return true;
	} catch {
		return false;
	}
}

/**
 * Returns a copy of a function's folder that can be written to. Installed packages stay where they
 * are.
 * @param {string} folder
 */
function copy(folder) {
	const target = fs.mkdtempSync(path.join(os.tmpdir(), "function-"));
	copyInto(folder, target);
	fs.writeFileSync(path.join(target, "package.json"), "{}\n");
	return target;
}

/**
 * @param {string} folder
 * @param {string} target
 */
function copyInto(folder, target) {
	for (const name of fs.readdirSync(folder)) {
		const from = path.join(folder, name);
		const to = path.join(target, name);
		if (name === "package.json" || name[0] === ".") continue;
		if (name === "node_modules") fs.symlinkSync(from, to);
		else if (!fs.statSync(from).isDirectory()) fs.writeFileSync(to, fs.readFileSync(from));
		else {
			fs.mkdirSync(to);
			copyInto(from, to);
		}
	}
}

module.exports = { scopeType, usable };
