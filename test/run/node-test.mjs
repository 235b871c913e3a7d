// Runs test files with Node's test runner, on the checkout's own Node.js.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";

/** Where the JUnit files of a run are written. */
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
	const junit = junitFile(name);
	const { status } = spawnSync("node", [...FLAGS, ...reporters(junit), ...paths.map(pattern)], {
		cwd: root,
		env: { ...toolsFirst(), ...env },
		stdio: "inherit",
	});
	return { status: status ?? 1, ...counts(junit) };
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

const reporters = (junit) => [
	...["--test-reporter=spec", "--test-reporter-destination=stdout"],
	...["--test-reporter=junit", `--test-reporter-destination=${junit}`],
];

/** A folder means all test files below it. */
function pattern(path) {
	return statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ? `${path.replace(/\/$/, "")}/**/*.test.ts` : path;
}

/** Returns the path of a run's JUnit file; the file of an earlier run is removed. */
export function junitFile(name) {
	mkdirSync(RESULTS, { recursive: true });
	const path = join(RESULTS, `${name}.xml`);
	rmSync(path, { force: true });
	return path;
}

/**
 * Returns how many tests ended how. Node's JUnit reporter ends with its totals, as comments;
 * without them the run was killed.
 */
export function counts(junit) {
	const end = existsSync(junit) ? readFileSync(junit, "utf8").slice(-2000) : "";
	const total = (word) => Number(new RegExp(`<!-- ${word} (\\d+) -->`).exec(end)?.[1] ?? 0);
	return { passed: total("pass"), failed: total("fail") + total("cancelled"), skipped: total("skipped") };
}
