import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import type { Owner } from "../support/owner.ts";
import { type Files, folderFor } from "./pod.ts";

/** A language's package manager, for the tests that all languages share. */
export interface Tool {
	/** the runtime's id */
	readonly id: string;
	readonly depsFile: string;
	/** the phase that installs */
	readonly phase: "install" | "compile";
	/**
	 * Returns the registry's files: the package `thing` in versions 1.0.0 and 1.1.0. It returns its
	 * version, and contains `bulk`.
	 */
	packages(owner: Owner, bulk: string): (base: string) => Files;
	/** Returns a function that responds with the version of its `thing`; it depends on any 1.x. */
	files(base: string): Files;
	/** Returns the same function with a lock file: 1.0.0 and its hash. */
	locked(base: string, files: Files): Files;
	/** Returns the tool's own variables with the registry's address. */
	env?(base: string): Record<string, string>;
	/** Variables that limit the tool's retries, to shorten the tests. */
	readonly hasty?: Record<string, string>;
	/** Variables with which the tool prints as much as it can. */
	readonly verbose?: Record<string, string>;
	/** Returns the phase's secrets with the registry's user and a password. */
	secrets(host: string, password?: string): Files;
	/**
	 * Kubeless's own install command if it calls the tool directly, and the variables with user and
	 * password.
	 */
	readonly kubeless?: { readonly command: string; env(host: string): Record<string, string> };
	/** the path of version 1.0.0 at the registry */
	readonly file: string;
	/** the package's address in a bill of materials, without the version */
	readonly purl: string;
	/** the variables of the loader */
	readonly served: { readonly MOD_NAME: string; readonly FUNC_HANDLER: string };
	/**
	 * Makes the files that an image would have, once for all pods. Returns a function that returns the
	 * variables of a pod.
	 */
	prepare?(owner: Owner): Promise<(owner: Owner) => Record<string, string>>;
}

/** Escapes a text for XML. */
export const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

export const VERSIONS = ["1.0.0", "1.1.0"] as const;

export const hash = (algorithm: string, content: Buffer | string, encoding: "hex" | "base64" = "hex"): string =>
	createHash(algorithm).update(content).digest(encoding);

/** Text that does not compress, to fill a small disk. */
export const BULK = Array.from({ length: 6000 }, (_, index) => hash("sha256", String(index))).join("\n");

/** Returns a .tar.gz of files. */
export function tarball(owner: Owner, files: Files): Buffer {
	const place = folderFor(owner, files);
	const { stdout, status } = spawnSync("tar", ["-czf", "-", "-C", place, ...Object.keys(files)], { maxBuffer: 1 << 24 });
	if (status !== 0) throw new Error("tar failed");
	rmSync(place, { recursive: true });
	return stdout;
}
