import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const root = join(import.meta.dirname, "../..");

/** Words that make text hard to read: unnamed people, values that speak, unclear numbers. See CONTRIBUTING.md. */
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

/** Folders and files that are not rewritten yet. Remove a line when its text is clean. Do not add lines. */
const NOT_YET: readonly string[] = [];
/** Text in other languages or of other projects, a sentence that is also in a compiled package, and this list. */
const LEFT_OUT =
	/(?:^|\/)(?:fixtures|golden|vectors|vectors\.schema\.json|package-lock\.json|go\.sum|LICENSE|CODE_OF_CONDUCT\.md)(?:\/|$)|\.(?:png|jar|lock)$|^runtimes\/dotnetcore\/examples\/deps\/words\/Greeting\.cs$|^test\/contract\/words\.test\.ts$/;

const within = (file: string, places: readonly string[]): boolean => places.some((place) => file === place || file.startsWith(`${place}/`));

function tracked(): string[] {
	const out = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
	return out.split("\0").filter((file) => file !== "" && !LEFT_OUT.test(file));
}

/** Returns the lines with a forbidden word, without quotations, the identifier NoBody and, in pages, code fences. */
function findings(file: string): string[] {
	let text: string;
	try {
		text = readFileSync(join(root, file), "utf8");
	} catch {
		return []; // deleted in the working tree, or a link to a folder
	}
	if (file.endsWith(".md")) text = text.replace(/^```[\s\S]*?^```/gm, (fence) => fence.replace(/[^\n]/g, ""));
	return text
		.split("\n")
		.map((line, index) => ({ line: line.replace(/“[^”]*”|\bNoBody\b/g, ""), number: index + 1 }))
		.filter(({ line }) => FORBIDDEN.test(line))
		.map(({ line, number }) => `${file}:${number}: ${FORBIDDEN.exec(line)?.[0]}: ${line.trim().slice(0, 120)}`);
}

test("no text of the project has a word that CONTRIBUTING.md forbids", () => {
	const files = tracked().filter((file) => !within(file, NOT_YET));
	assert.ok(files.length > 60, String(files.length));
	assert.deepEqual(files.flatMap(findings), []);
});

test("every folder in NOT_YET still has a forbidden word", () => {
	const all = tracked();
	const clean = NOT_YET.filter((place) => all.filter((file) => within(file, [place])).every((file) => findings(file).length === 0));
	assert.deepEqual(clean, [], "remove these from NOT_YET");
});

test("the check finds a forbidden word, and only that", () => {
	assert.match("is for nobody", FORBIDDEN);
	assert.doesNotMatch("is for a maintainer", FORBIDDEN);
});
