"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");

/** The package.json that holds for a file: Node.js looks for it upwards. */
function nearest(file) {
	for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
		try {
			return { folder, text: fs.readFileSync(path.join(folder, "package.json"), "utf8") };
		} catch (_) {
			if (folder === path.dirname(folder)) return undefined;
		}
	}
}

/** "module" where the files of a folder are ES modules. */
function scopeType(file) {
	const found = nearest(file);
	try {
		return found && JSON.parse(found.text).type;
	} catch (_) {
		return undefined; // Node.js says it better
	}
}

/**
 * Where the file can be loaded from. Kubeless lays an empty package.json into the volume of every function without
 * dependencies, which Node.js 18 and later refuse.
 */
function usable(file, volume) {
	const found = nearest(file);
	if (found === undefined || found.text.trim() !== "") return file;
	if (found.folder !== path.dirname(file) && found.folder !== volume) return file; // that one is somebody else's
	// At a desk the folder is its author's, and nothing is written there.
	if (found.folder === volume && overwrite(path.join(found.folder, "package.json"))) return file;
	return path.join(copy(found.folder), path.relative(found.folder, file));
}

function overwrite(config) {
	try {
		if (fs.lstatSync(config).isSymbolicLink()) return false; // a mounted ConfigMap, where it is somebody else's
		fs.writeFileSync(config, "{}\n");
		return true;
	} catch (_) {
		return false;
	}
}

/** A copy of a function's folder that may be written to. What is installed stays where it is. */
function copy(folder) {
	const target = fs.mkdtempSync(path.join(os.tmpdir(), "function-"));
	copyInto(folder, target);
	fs.writeFileSync(path.join(target, "package.json"), "{}\n");
	return target;
}

function copyInto(folder, target) {
	for (const name of fs.readdirSync(folder)) {
		const from = path.join(folder, name);
		const to = path.join(target, name);
		if (name === "package.json" || name[0] === ".") continue;
		if (name === "node_modules") fs.symlinkSync(from, to);
		else if (!fs.statSync(from).isDirectory()) fs.copyFileSync(from, to);
		else {
			fs.mkdirSync(to);
			copyInto(from, to);
		}
	}
}

module.exports = { scopeType, usable };
