"use strict";

const { LoadError } = require("../errors");

/** Names of the handler in a file that exports several functions, if FUNC_HANDLER names none. */
const USUAL = ["handler", "main", "default"];

/**
 * Finds the handler among what a file exports.
 * @param {unknown} exported module.exports, or the namespace of an ES module
 * @param {string} wanted FUNC_HANDLER; "": the only function there is
 * @param {string} file its name, for messages
 * @returns {{ name: string, handler: import("../protocol").Loaded["handler"] }}
 * @throws {LoadError} HANDLER_NOT_FOUND
 */
function choose(exported, wanted, file) {
	/** @type {any[]} */
	const places = [exported];
	if (isObject(exported) && isObject(exported.default)) places.push(exported.default);
	const names = functionNames(places);
	if (wanted !== "") {
		for (const place of places) {
			if (names.includes(wanted) && typeof place[wanted] === "function" && has(place, wanted)) return found(place, wanted);
		}
	}
	// module.exports = function: its name does not matter.
	const only = places.find((place) => typeof place === "function");
	if (only !== undefined) return { name: wanted || only.name || "handler", handler: only };
	if (wanted === "") {
		const name = names.length === 1 ? names[0] : USUAL.find((usual) => names.includes(usual));
		if (name !== undefined) {
			const place = places.find((one) => has(one, name) && typeof one[name] === "function");
			return found(place, name);
		}
	}
	throw new LoadError("HANDLER_NOT_FOUND", missing(places, wanted, names, file), { handlers: names });
}

/**
 * A method keeps its object; the namespace of an ES module needs none.
 * @param {any} place
 * @param {string} name
 */
function found(place, name) {
	const handler = place[name];
	return { name, handler: Object.prototype.toString.call(place) === "[object Module]" ? handler : handler.bind(place) };
}

/**
 * @param {any[]} places
 * @param {string} wanted
 * @param {string[]} names
 * @param {string} file
 */
function missing(places, wanted, names, file) {
	const other = places.find((place) => wanted !== "" && has(place, wanted));
	if (other !== undefined) return `${file} exports "${wanted}", but as ${kind(read(other, wanted))} and not as a function`;
	if (names.length === 0) return `${file} exports no function: write module.exports = { ${wanted || "handler"}: (event, context) => "…" }`;
	const list = names.join(", ");
	if (wanted === "") return `${file} exports several functions, and FUNC_HANDLER names none of them: ${list}`;
	const near = names.find((name) => distance(name.toLowerCase(), wanted.toLowerCase()) <= 2);
	return `${file} exports no function "${wanted}", but ${list}${near === undefined ? "" : `: did you mean "${near}"?`}`;
}

/** @param {unknown} value */
function kind(value) {
	if (value === null || value === undefined) return String(value);
	return Array.isArray(value) ? "an array" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/** @param {any[]} places */
function functionNames(places) {
	/** @type {Set<string>} */
	const names = new Set();
	for (const place of places.filter(isObject)) {
		for (
			let level = place;
			isObject(level) && level !== Object.prototype && level !== Function.prototype;
			level = Object.getPrototypeOf(level)
		) {
			for (const name of Object.getOwnPropertyNames(level)) {
				if (name !== "constructor" && name !== "prototype" && typeof read(place, name) === "function") names.add(name);
			}
		}
	}
	return [...names];
}

/**
 * Reads an export, which may be a getter that throws, or still without a value.
 * @param {any} place
 * @param {string} name
 */
function read(place, name) {
	try {
		return place[name];
	} catch {
		return undefined;
	}
}

/**
 * @param {any} place
 * @param {string} name
 */
function has(place, name) {
	/** @type {any} */
	const objects = Object.prototype;
	/** @type {any} */
	const functions = Function.prototype;
	return isObject(place) && name in place && place[name] !== objects[name] && place[name] !== functions[name];
}

/**
 * @param {any} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
	return value !== null && (typeof value === "object" || typeof value === "function");
}

/**
 * Returns how many letters to change, add, remove or swap to make one word of the other.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
	/** @type {number[][]} */
	const rows = [];
	/**
	 * @param {number} i
	 * @param {number} j
	 */
	const at = (i, j) => /** @type {number} */ (rows[i]?.[j]);
	for (let i = 0; i <= a.length; i++) {
		/** @type {number[]} */
		const row = [i];
		rows.push(row);
		for (let j = 1; j <= b.length; j++) {
			if (i === 0) {
				row.push(j);
				continue;
			}
			let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, at(i - 2, j - 2) + 1);
			row.push(least);
		}
	}
	return at(a.length, b.length);
}

module.exports = { choose };
