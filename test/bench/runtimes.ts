import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { UsageError } from "./options.ts";

const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));

/** A language that can be measured here. */
export interface Runtime {
	readonly id: string;
	readonly manifest: Manifest;
	/** the function that greets */
	readonly hello: string;
	/** the file with the handlers `echoes` and `sleeps`; undefined: it has none yet */
	readonly conformance: string | undefined;
}

/** Why something is not among the figures. */
export interface Skipped {
	readonly what: string;
	readonly why: string;
}

/** @throws {UsageError} a runtime asked for is not there */
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
