import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { missing } from "../support/needs.ts";

const root = join(import.meta.dirname, "../..");

/**
 * Words that make text hard to read: unnamed people, values that speak, unclear numbers. See
 * CONTRIBUTING.md.
 */
const WORDS = [
	"nobody",
	"somebody",
	"whoever",
	"so many",
	"the one before",
	"is told",
	"are told",
	"was told",
	"were told",
	"had better",
	"let go of",
	"lets go of",
	"none of it",
	"there are none",
	"of one's own accord",
	"last words",
	"at a desk",
];
const FORBIDDEN = new RegExp(`\\b(?:${WORDS.join("|")})\\b`, "i");

/**
 * Text in other languages or of other projects, a sentence that is also in a compiled package, and
 * this list.
 */
const LEFT_OUT =
	/(?:^|\/)(?:fixtures|golden|vectors|vectors\.schema\.json|package-lock\.json|go\.sum|LICENSE|CODE_OF_CONDUCT\.md)(?:\/|$)|\.(?:png|jar|lock)$|^runtimes\/dotnetcore\/examples\/deps\/words\/Greeting\.cs$|^test\/contract\/words\.test\.ts$/;

function tracked(): string[] {
	const out = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
	return out.split("\0").filter((file) => file !== "" && !LEFT_OUT.test(file));
}

/** Returns the lines of a file; in pages, those of code fences are empty. */
function lines(file: string): string[] {
	let text: string;
	try {
		text = readFileSync(join(root, file), "utf8");
	} catch {
		return []; // deleted in the working tree, or a link to a folder
	}
	if (file.endsWith(".md")) text = text.replace(/^ *```[\s\S]*?^ *```/gm, (fence) => fence.replace(/[^\n]/g, ""));
	return text.split("\n");
}

/** Returns the lines with a forbidden word, without quotations and a name of Go's library. */
function findings(file: string): string[] {
	return lines(file)
		.map((line, index) => ({ line: line.replace(/“[^”]*”|\bhttp\.NoBody\b/g, ""), number: index + 1 }))
		.filter(({ line }) => FORBIDDEN.test(line))
		.map(({ line, number }) => `${file}:${number}: ${FORBIDDEN.exec(line)?.[0]}: ${line.trim().slice(0, 120)}`);
}

const skip = missing("git");

test("no text of the project has a word that CONTRIBUTING.md forbids", { skip }, () => {
	const files = tracked();
	assert.ok(files.length > 60, String(files.length));
	assert.deepEqual(files.flatMap(findings), []);
});

/** Prose is wrapped at this many characters. Code is wrapped by the formatters. */
const MAX_LINE_LENGTH = 100;
/** A line that is only a comment. In Go, `//` and a tab begin an example. */
const COMMENT = /^\s*(?:\/\/\/? |\* |\/\*\* |# |-- )/;
/** What cannot be wrapped: a URL, a long quotation of code, a table, a directive of a tool. */
const UNBREAKABLE = /https?:|`[^`]{60,}`|^\s*\||biome-ignore|shellcheck|noqa|rubocop:|^# syntax=/;

function longLines(file: string): string[] {
	const page = file.endsWith(".md");
	if (!page && /\.(?:json|yaml|mmd)$/.test(file)) return [];
	return lines(file)
		.map((line, index) => ({ line, number: index + 1 }))
		.filter(({ line }) => line.length > MAX_LINE_LENGTH && (page || COMMENT.test(line)) && !UNBREAKABLE.test(line))
		.map(({ line, number }) => `${file}:${number}: ${line.length} characters: ${line.trim().slice(0, 60)}`);
}

test("comments and pages are wrapped at 100 characters", { skip }, () => {
	assert.deepEqual(tracked().flatMap(longLines), []);
});

test("the check finds a forbidden word, and only that", () => {
	assert.match("is for nobody", FORBIDDEN);
	assert.doesNotMatch("is for a maintainer", FORBIDDEN);
});
