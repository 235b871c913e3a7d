// Last part of `npm run check`: runs shellcheck and every runtimes/<id>/lint.sh.
// A lint.sh exits with 0 if the code is clean, 1 if there are findings, and 69 (EX_UNAVAILABLE) if
// its tool is missing, after a line that names the tool and how to install it. With CI=true or
// KUBELESS_SETUP=true it installs its tool into $LINT_TOOLS.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";
import { provide } from "./toolchains.mjs";

const EXIT_MISSING = 69;
const TOOLS = join(root, "node_modules/.cache/lint");
/** Not shell code that shellcheck can read: a syntax error on purpose. */
const BROKEN = /\/conformance-broken\.sh$/;
const SHELL = /^#!.*\b(?:sh|dash|bash)\b/;

mkdirSync(TOOLS, { recursive: true });
const env = { ...toolsFirst(), LINT_TOOLS: TOOLS };
const statuses = [lint("shell scripts", shellcheck)];
for (const id of readdirSync(join(root, "runtimes"))) {
	const script = join(root, "runtimes", id, "lint.sh");
	if (existsSync(script)) statuses.push(lint(id, () => run("sh", [script])));
}
process.exitCode = statuses.every((status) => status === 0 || (status === EXIT_MISSING && process.env.CI !== "true")) ? 0 : 1;

/** Runs one linter. @returns {number} its exit code */
function lint(name, linter) {
	const status = linter();
	if (status === EXIT_MISSING) console.error(`MISSING: the linter of ${name} was not run`);
	else if (status !== 0) console.error(`LINT: ${name}: exit code ${status}`);
	return status;
}

function shellcheck() {
	const tool = { name: "shellcheck", toolchain: { check: ["shellcheck", "--version"], debian: ["shellcheck"] } };
	if (!provide(tool)) return EXIT_MISSING;
	const scripts = shellScripts();
	const options = ["--external-sources", "--source-path=SCRIPTDIR", "--severity=warning", "--format=gcc"];
	const withShebang = run("shellcheck", [...options, ...scripts.filter(({ shebang }) => shebang).map(({ path }) => path)]);
	// Functions and sourced files name no shell.
	const without = run("shellcheck", [...options, "--shell=sh", ...scripts.filter(({ shebang }) => !shebang).map(({ path }) => path)]);
	return withShebang || without;
}

/**
 * Returns the tracked shell scripts: files that name a shell in the first line, and `.sh` files
 * without an interpreter.
 */
function shellScripts() {
	const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
	return stdout
		.split("\0")
		.filter((path) => /(?:\.sh|\/[\w-]+)$/.test(path) && !BROKEN.test(path) && existsSync(join(root, path)))
		.map((path) => ({ path, first: firstLine(path) }))
		.filter(({ path, first }) => SHELL.test(first) || (path.endsWith(".sh") && !first.startsWith("#!")))
		.map(({ path, first }) => ({ path, shebang: first.startsWith("#!") }));
}

function firstLine(path) {
	try {
		return readFileSync(join(root, path), "utf8").split("\n", 1)[0];
	} catch {
		return ""; // a link to a folder
	}
}

function run(command, args) {
	const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
	if (error) console.error(`${command}: ${error.message}`);
	return status ?? 1;
}
