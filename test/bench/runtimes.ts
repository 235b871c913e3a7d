import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { UsageError } from "./options.ts";

const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));

/** A language that is installed on this machine. */
export interface Runtime {
	readonly id: string;
	readonly manifest: Manifest;
	/** the file of the hello function */
	readonly hello: string;
	/** the file with the handlers `echoes` and `sleeps`, if there is one */
	readonly conformance: string | undefined;
}

/** Reasons for missing figures. */
export interface Skipped {
	readonly what: string;
	readonly why: string;
}

/** @throws {UsageError} if a requested runtime does not exist */
export function findRuntimes(only: readonly string[] | undefined): { runtimes: Runtime[]; skipped: Skipped[] } {
	const manifests = readManifests(RUNTIMES);
	const unknown = only?.find((id) => !manifests.some((manifest) => manifest.id === id));
	if (unknown !== undefined) {
		throw new UsageError(`There is no runtime "${unknown}": give some of ${manifests.map(({ id }) => id).join(", ")}.`);
	}
	const runtimes: Runtime[] = [];
	const skipped: Skipped[] = [];
	for (const manifest of manifests) {
		const { id } = manifest;
		if (only && !only.includes(id)) continue;
		const hello = example(manifest, "hello");
		if (hello === undefined) skipped.push({ what: id, why: "it has no examples/hello.*" });
		else if (!toolchain(manifest))
			skipped.push({ what: id, why: `"${manifest.toolchain?.check.join(" ")}" fails: ${manifest.name} is not installed` });
		else runtimes.push({ id, manifest, hello, conformance: example(manifest, "conformance") });
	}
	return { runtimes, skipped };
}

const example = ({ folder, suffixes }: Manifest, name: string): string | undefined =>
	suffixes.map((suffix) => join(folder, "examples", name + suffix)).find((file) => existsSync(file));

function toolchain({ toolchain }: Manifest): boolean {
	const [command, ...args] = toolchain?.check ?? [];
	return command === undefined || spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
