import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installLibraries } from "../support/libraries.ts";
import type { Candidate } from "./conform.ts";

/** A runtime that brings conformance handlers. */
export interface Runtime {
	readonly id: string;
	/** why it cannot run here; undefined: it can */
	readonly missing: string | undefined;
	/** installs what the worker offers to functions, if anything */
	readonly candidate: () => Candidate;
}

/** The part of runtime.json that matters here (`runtimes/runtime.schema.json`). */
interface Manifest {
	id: string;
	name: string;
	suffixes: string[];
	concurrency: keyof typeof CONCURRENCY;
	worker: string[];
	env?: Record<string, string>;
	install?: string[];
	libraries?: string;
	lacks?: Record<string, string>;
	toolchain?: { check: string[]; debian?: string[] };
}

/** Calls the loader gives at once to a worker that does not say how many it takes (3.2). */
const CONCURRENCY = { async: 100, threads: 10, single: 1 };

const folder = fileURLToPath(new URL("../../runtimes", import.meta.url));

export function readRuntimes(): Runtime[] {
	return readdirSync(folder)
		.filter((id) => existsSync(join(folder, id, "runtime.json")))
		.flatMap((id) => readRuntime(join(folder, id)));
}

function readRuntime(home: string): Runtime[] {
	const manifest: Manifest = JSON.parse(readFileSync(join(home, "runtime.json"), "utf8"));
	const file = manifest.suffixes.map((suffix) => join(home, "examples", `conformance${suffix}`)).find((name) => existsSync(name));
	if (!file) return [];
	const { id, name, toolchain } = manifest;
	const [command = "true", ...args] = toolchain?.check ?? [];
	const { status, stdout } = spawnSync(command, args, { env: baseEnv(), encoding: "utf8" });
	const cure = toolchain?.debian ? `; on Debian: apt-get install ${toolchain.debian.join(" ")}` : "";
	const missing = status === 0 ? undefined : `${name} is missing: "${[command, ...args].join(" ")}" fails${cure}`;
	return [{ id, missing, candidate: () => candidateOf(manifest, home, file, stdout) }];
}

function candidateOf(manifest: Manifest, home: string, file: string, version: string): Candidate {
	const env: NodeJS.ProcessEnv = { ...baseEnv(), RUNTIME_DIR: home, KUBELESS_INSTALL_VOLUME: dirname(file) };
	const { id, install, libraries } = manifest;
	if (install && libraries) {
		const command = install.map((word) => expand(word, env));
		env["RUNTIME_LIBRARIES"] = installLibraries({ id, folder: home, install: command, libraries, version }, env);
	}
	for (const [name, value] of Object.entries(manifest.env ?? {})) env[name] = expand(value, env);
	return {
		command: manifest.worker.map((word) => expand(word, env)),
		env,
		file,
		concurrency: CONCURRENCY[manifest.concurrency],
		lacks: manifest.lacks ?? {},
	};
}

/** The environment as a container would have it: this Node.js first, and nothing of the test runner's. */
function baseEnv(): NodeJS.ProcessEnv {
	const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
	return { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env["PATH"] ?? ""}` };
}

/** Replaces $(NAME) by the variable NAME. */
function expand(text: string, env: NodeJS.ProcessEnv): string {
	return text.replace(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);
}
