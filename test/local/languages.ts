import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../conformance/runtimes.ts";

const runtimes = fileURLToPath(new URL("../../runtimes", import.meta.url));

/** A language as a user locally sees it. */
export interface Language {
	readonly id: string;
	readonly name: string;
	/** what its functions end in here */
	readonly suffix: string;
	readonly suffixes: readonly string[];
	readonly depsFile: string | undefined;
	/** what its worker cannot do, by need, with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** The path of a file, or a folder, of its examples. */
	example(name: string): string;
	/**
	 * The text of `conformance-single.*`, with something else in the place of what its function
	 * returns.
	 */
	single(text: string): string;
	/** The text of `conformance.*`, with something else in the place of what `sleeps` returns. */
	sleeps(text: string): string;
	/**
	 * What functions/<id>/<name> has, by file name; undefined where there is nothing for this
	 * language.
	 */
	own(name: string): Record<string, string> | undefined;
}

/**
 * The same tests for every language that runtimes/ has; one that is not installed is skipped by
 * name, and fails where CI is set.
 */
export function everyLanguage(what: string, tests: (language: Language) => void): void {
	for (const { id, missing, wanted } of readRuntimes()) {
		if (wanted) {
			test(`${id}: ${what}`, () => assert.fail(missing));
			continue;
		}
		if (missing) console.log(`SKIPPED: ${id}: ${what}. ${missing}`);
		describe(`${id}: ${what}`, { skip: missing ?? false }, () => tests(languageOf(id)));
	}
}

export function languageOf(id: string): Language {
	const home = join(runtimes, id);
	const manifest: { name: string; suffixes: string[]; depsFile?: string; lacks?: Record<string, string> } = JSON.parse(
		readFileSync(join(home, "runtime.json"), "utf8"),
	);
	const { name, suffixes, depsFile, lacks = {} } = manifest;
	const example = (file: string) => join(home, "examples", file);
	const suffix = suffixes.find((one) => existsSync(example(`conformance${one}`))) as string;
	const replaced = (file: string, returned: string, text: string) => {
		const source = readFileSync(example(file + suffix), "utf8");
		assert.ok(source.includes(returned), `${file}${suffix} returns "${returned}"`);
		return source.replaceAll(returned, text);
	};
	return {
		id,
		name,
		suffix,
		suffixes,
		depsFile,
		lacks,
		example,
		single: (text) => replaced("conformance-single", "the only one", text),
		sleeps: (text) => replaced("conformance", "slept", text),
		own: (part) => {
			const place = join(home, "test/functions", part);
			if (!existsSync(place)) return undefined;
			return Object.fromEntries(readdirSync(place).map((file) => [file, readFileSync(join(place, file), "utf8")]));
		},
	};
}
