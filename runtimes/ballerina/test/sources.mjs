import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PAIRS = { "(": ")", "{": "}", "[": "]" };

export function balFiles(folder) {
	return readdirSync(folder)
		.filter((name) => name.endsWith(".bal"))
		.map((name) => join(folder, name));
}

/**
 * Returns a file without its comments and templates, line for line. Adds a fault for a bracket that
 * does not close, and for a line at the top that does not begin with one of the words.
 */
export function readSource(file, words, faults) {
	const text = readFileSync(file, "utf8");
	const plain = text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/.*|^[ \t]*#.*|`[^`]*`/gm, (part) =>
		part[0] === '"' ? part : " ".repeat(part.length),
	);
	const open = [];
	plain.split("\n").forEach((text, index) => {
		const fault = (column, message) => faults.push({ file, line: index + 1, column, message });
		const [, word] = /^[ \t]*(\w+|[^\w\s])/.exec(text) ?? [];
		if (open.length === 0 && word !== undefined && !words.has(word)) fault(1, `invalid token '${word}'`);
		for (const { 0: bracket, index: at } of text.replace(/"(?:[^"\\]|\\.)*"/g, (part) => " ".repeat(part.length)).matchAll(/[(){}[\]]/g)) {
			if (bracket in PAIRS) open.push(bracket);
			else if (PAIRS[open.pop()] !== bracket) fault(at + 1, `invalid token '${bracket}'`);
		}
	});
	if (open.length > 0) faults.push({ file, line: plain.split("\n").length, column: 1, message: `missing '${PAIRS[open.pop()]}'` });
	return { file, plain };
}
