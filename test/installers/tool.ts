import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import type { Owner } from "../support/owner.ts";
import { type Files, folderFor } from "./pod.ts";

/** A language's package manager, as the tests of all of them see it. */
export interface Tool {
	/** the runtime's id */
	readonly id: string;
	readonly depsFile: string;
	/** the phase that installs */
	readonly phase: "install" | "compile";
	/** What a registry has: the package `thing` in the versions 1.0.0 and 1.1.0, which tells its version, with this text in it. */
	packages(owner: Owner, bulk: string): (base: string) => Files;
	/** A function that answers with the version of the thing it has; any 1.x will do. */
	files(base: string): Files;
	/** The same, with what says that it is 1.0.0, and with which hash. */
	locked(base: string, files: Files): Files;
	/** Where the registry is, by the tool's own variables. */
	env?(base: string): Record<string, string>;
	/** That it does not try again and again, for the tests' sake. */
	readonly hasty?: Record<string, string>;
	/** Who asks the registry: secrets of the phase. */
	secrets(host: string): Files;
	/** Kubeless's own command where it is the tool's, and how that is told who it is. */
	readonly kubeless?: { readonly command: string; env(host: string): Record<string, string> };
	/** the path of version 1.0.0 at the registry */
	readonly file: string;
	/** the package's address in a bill of materials, without the version */
	readonly purl: string;
	/** what the loader is told */
	readonly served: { readonly MOD_NAME: string; readonly FUNC_HANDLER: string };
	/** What all its pods have of an image is made once; tells the variables of each pod that point to it. */
	prepare?(owner: Owner): Promise<(owner: Owner) => Record<string, string>>;
}

export const VERSIONS = ["1.0.0", "1.1.0"] as const;

export const hash = (algorithm: string, content: Buffer | string, encoding: "hex" | "base64" = "hex"): string =>
	createHash(algorithm).update(content).digest(encoding);

/** Text that no archive makes small, for disks that are. */
export const BULK = Array.from({ length: 6000 }, (_, index) => hash("sha256", String(index))).join("\n");

/** A .tar.gz of files. */
export function tarball(owner: Owner, files: Files): Buffer {
	const place = folderFor(owner, files);
	const { stdout, status } = spawnSync("tar", ["-czf", "-", "-C", place, ...Object.keys(files)], { maxBuffer: 1 << 24 });
	if (status !== 0) throw new Error("tar failed");
	rmSync(place, { recursive: true });
	return stdout;
}
