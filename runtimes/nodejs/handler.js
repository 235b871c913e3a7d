"use strict";

const { LoadError } = require("./load-error");

/** Names a handler may have in a file that exports several functions, when FUNC_HANDLER names none. */
const USUAL = ["handler", "main", "default"];

/**
 * The handler among what a file exports.
 * @param {unknown} exported module.exports, or the namespace of an ES module
 * @param {string} wanted FUNC_HANDLER; "": the only one there is
 * @param {string} file its name, for messages
 * @returns {{ name: string, handler: Function }}
 * @throws {LoadError}
 */
function choose(exported, wanted, file) {
	const places = [exported];
	if (isObject(exported) && isObject(exported.default)) places.push(exported.default);
	const names = functionNames(places);
	if (wanted !== "") {
		for (const place of places) {
			if (names.includes(wanted) && typeof place[wanted] === "function" && has(place, wanted)) return found(place, wanted);
		}
	}
	// module.exports = function: whatever it is called.
	const only = places.find((place) => typeof place === "function");
	if (only !== undefined) return { name: wanted || only.name || "handler", handler: only };
	if (wanted === "") {
		const name = names.length === 1 ? names[0] : USUAL.find((usual) => names.includes(usual));
		if (name !== undefined)
			return found(
				places.find((place) => has(place, name) && typeof place[name] === "function"),
				name,
			);
	}
	throw new LoadError("HANDLER_NOT_FOUND", missing(places, wanted, names, file), { handlers: names });
}

/** A method keeps its object; an ES module's namespace needs none. */
function found(place, name) {
	const handler = place[name];
	return { name, handler: Object.prototype.toString.call(place) === "[object Module]" ? handler : handler.bind(place) };
}

function missing(places, wanted, names, file) {
	const strange = places.find((place) => wanted !== "" && has(place, wanted));
	if (strange !== undefined) return `${file} exports "${wanted}", but as ${kind(read(strange, wanted))} and not as a function`;
	if (names.length === 0) return `${file} exports no function: write module.exports = { ${wanted || "handler"}: (event, context) => "…" }`;
	const list = names.join(", ");
	if (wanted === "") return `${file} exports several functions, and FUNC_HANDLER names none of them: ${list}`;
	const near = names.find((name) => distance(name.toLowerCase(), wanted.toLowerCase()) <= 2);
	return `${file} exports no function "${wanted}", but ${list}${near === undefined ? "" : `: did you mean "${near}"?`}`;
}

function kind(value) {
	if (value === null || value === undefined) return String(value);
	return Array.isArray(value) ? "an array" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

function functionNames(places) {
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

/** An export may be a getter that throws, or still without a value. */
function read(place, name) {
	try {
		return place[name];
	} catch (_) {
		return undefined;
	}
}

function has(place, name) {
	return isObject(place) && name in place && place[name] !== Object.prototype[name] && place[name] !== Function.prototype[name];
}

function isObject(value) {
	return value !== null && (typeof value === "object" || typeof value === "function");
}

/** How many letters to change, add, take away or swap to make one word of the other. */
function distance(a, b) {
	const rows = [];
	for (let i = 0; i <= a.length; i++) {
		rows.push([i]);
		for (let j = 1; j <= b.length; j++) {
			if (i === 0) rows[i][j] = j;
			else {
				rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
				if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
			}
		}
	}
	return rows[a.length][b.length];
}

module.exports = { choose };
