"use strict";

// Prints the packages in $KUBELESS_INSTALL_VOLUME/node_modules: scope, name, version, purl, licence
// and hash, separated by tabs. It lists the folders on disk; npm's own list (npm 7 and later) adds
// the hashes. It runs on every Node.js that the worker runs on.

const fs = require("fs");
const path = require("path");

const modules = path.join(String(process.env["KUBELESS_INSTALL_VOLUME"]), "node_modules");
const noted = read(path.join(modules, ".package-lock.json")).packages || {};

/** @param {string} file */
function read(file) {
	try {
		return JSON.parse(fs.readFileSync(file, "utf8"));
	} catch (_error) {
		return {};
	}
}

/** @param {string} folder */
function names(folder) {
	try {
		return fs.readdirSync(folder).filter((name) => name[0] !== ".");
	} catch (_error) {
		return [];
	}
}

/**
 * Returns the folders of packages in a folder of modules, and in their own folders of modules.
 * @param {string} folder
 */
function packages(folder) {
	/** @type {string[]} */
	const found = [];
	for (const name of names(folder)) {
		const places = name[0] === "@" ? names(path.join(folder, name)).map((one) => path.join(folder, name, one)) : [path.join(folder, name)];
		for (const place of places) {
			found.push(place);
			// A link leads to the function's own files, or in a circle.
			if (!fs.lstatSync(place).isSymbolicLink()) found.push.apply(found, packages(path.join(place, "node_modules")));
		}
	}
	return found;
}

/** @param {any} manifest */
function licence(manifest) {
	const stated = manifest.license || (manifest.licenses || [])[0] || "";
	return typeof stated === "string" ? stated : stated.type || "";
}

/**
 * Returns the strongest hash of npm's `integrity`, as CycloneDX names it.
 * @param {string | undefined} integrity
 */
function hash(integrity) {
	const found = /sha(512|384|256|1)-([A-Za-z0-9+/=]+)/.exec(integrity || "");
	return found === null ? "" : `SHA-${found[1]}:${Buffer.from(String(found[2]), "base64").toString("hex")}`;
}

for (const place of packages(modules)) {
	const manifest = read(path.join(place, "package.json"));
	if (!manifest.name || !manifest.version) continue;
	const note = noted[`node_modules/${path.relative(modules, place).split(path.sep).join("/")}`] || {};
	const [name, scope] = manifest.name.split("/").reverse();
	const purl = `pkg:npm/${scope ? `${encodeURIComponent(scope)}/` : ""}${name}@${encodeURIComponent(manifest.version)}`;
	console.log([scope || "", name, manifest.version, purl, licence(manifest), hash(note.integrity || manifest._integrity)].join("\t"));
}
