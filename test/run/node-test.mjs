// Runs test files with Node's test runner, on the checkout's own Node.js.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";

/** Where the results of a run are written. */
export const RESULTS = join(root, "test-results");

/**
 * Runs test files, prints the runner's report, and writes a JUnit file.
 *
 * @param {string} name the JUnit file's name without its suffix
 * @param {readonly string[]} paths files, folders or patterns, relative to the checkout
 * @param {NodeJS.ProcessEnv} [env] variables in addition to this process's environment
 * @returns {{ status: number, passed: number, failed: number, skipped: number }} the exit code, and
 *   how many tests ended how
 */
export function runTests(name, paths, env = {}) {
	const { status } = spawnSync("node", [...FLAGS, ...reporters(name), ...paths.map(pattern)], {
		cwd: root,
		env: { ...toolsFirst(), ...env },
		stdio: "inherit",
	});
	return { status: status ?? 1, ...counts(name) };
}

/**
 * Runs test files again whenever one of them or a file they import changes; returns when the user
 * ends it.
 */
export function watchTests(paths) {
	return spawnSync("node", [...FLAGS, "--watch", ...paths.map(pattern)], { cwd: root, env: toolsFirst(), stdio: "inherit" }).status ?? 1;
}

// Two files at once: most tests wait for processes, and more would wait for each other's CPU.
// The time limit is there for a test that hangs, so it is far above what a busy machine needs.
const FLAGS = ["--test", "--test-concurrency=2", "--test-timeout=900000"];

/** A folder means all test files below it. */
function pattern(path) {
	return statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ? `${path.replace(/\/$/, "")}/**/*.test.ts` : path;
}

/**
 * Returns the runner's options for a report on standard output and a JUnit file; the file of an
 * earlier run is removed.
 */
export function reporters(name) {
	mkdirSync(RESULTS, { recursive: true });
	rmSync(junitFile(name), { force: true });
	return [
		...["--test-reporter=spec", "--test-reporter-destination=stdout"],
		...["--test-reporter=junit", `--test-reporter-destination=${junitFile(name)}`],
	];
}

const junitFile = (name) => join(RESULTS, `${name}.xml`);
const junit = (name) => (existsSync(junitFile(name)) ? readFileSync(junitFile(name), "utf8") : "");

/**
 * Returns how many tests ended how. Node's JUnit reporter ends with its totals, as comments;
 * without them the run was killed.
 */
export function counts(name) {
	const end = junit(name).slice(-2000);
	const total = (word) => Number(new RegExp(`<!-- ${word} (\\d+) -->`).exec(end)?.[1] ?? 0);
	return { passed: total("pass"), failed: total("fail") + total("cancelled"), skipped: total("skipped") };
}

const FAILED = /<testcase name="([^"]*)" time="[^"]*" classname="[^"]*" file="([^"]*)" failure="([^"]*)"/g;
const ESCAPED = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&" };
const MAX_MESSAGE = 1000;

/** Returns the failed tests of a run, each with its file and the message of its error. */
export function failures(name) {
	const plain = (text) =>
		text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replace(/&\w+;/g, (one) => ESCAPED[one] ?? one);
	return Array.from(junit(name).matchAll(FAILED), ([, test, file, message]) => {
		const shown = plain(message).slice(0, MAX_MESSAGE).replaceAll("\n", "\n    ");
		return `${relative(root, plain(file))}: ${plain(test)}\n    ${shown}\n`;
	});
}
