import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { baseEnv, readRuntimes } from "../../../test/conformance/runtimes.ts";
import { installLibraries } from "../../../test/support/libraries.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// Starts Python workers for the tests of this folder. What holds in every language is tested in
// test/conformance/.

export const home = fileURLToPath(new URL("../", import.meta.url));
const missing = readRuntimes().find(({ id }) => id === "python")?.missing;
/** Options of a test suite that needs Python. */
export const needsPython = { skip: missing ?? false };
/** Another Python than the one on PATH to run the functions on. */
const other = process.env["FUNCTION_PYTHON"];
export const python = other ?? "python3";
export const version = missing
	? ""
	: execFileSync(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
export const minor = Number(version.split(".")[1]);
const given = baseEnv();
export const env = { ...given, PATH: other ? `${dirname(other)}:${given["PATH"]}` : given["PATH"], PYTHONDONTWRITEBYTECODE: "1" };
const install = ["sh", join(home, "install.sh")];
/**
 * Returns the prefix with the packages of requirements.txt, which it installs if they are missing.
 */
export const libraries = () => installLibraries({ id: "python", folder: home, install, libraries: "requirements.txt", version }, env);

/** Returns a prefix with gevent. */
export function gevent(): string {
	const folder = join(home, "test/functions/gevent");
	return installLibraries({ id: "python-gevent", folder, install, libraries: "requirements.txt", version }, env);
}

/** Returns a worker for the first of the files. */
export const start = (t: TestContext, files: Files, handler?: string, more?: Env) => startIn(t, firstOf(t, files), handler, more);

/** Returns a worker for a file that exists. */
export function startIn(t: TestContext, file: string, handler = "handler", more: Env = {}, starter: string[] = []): WireEnd {
	const worker = { command: [...starter, python, join(home, "worker.py")], env: { ...env, RUNTIME_LIBRARIES: libraries() } };
	return new WireEnd(t, worker, file, handler, { FUNC_RUNTIME: "python3", ...more });
}

/**
 * Returns a worker whose function runs the code in a call's body and returns the value of the
 * code's variable `answer`.
 */
export function startAny(t: TestContext, more: Env = {}, top = ""): WireEnd {
	const source = `
import os, sys, threading, time
${top}
def handler(event, context):
    names = {'event': event, 'context': context, 'answer': None}
    exec(event['data'].decode(), globals(), names)
    return names['answer']
`;
	return start(t, { "any.py": source }, "handler", more);
}
