import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root, text } from "../platform/manifests.ts";

/** The images of a language's version, from docker-bake.json. */
export interface Version {
	readonly target: string;
	readonly id: string;
	readonly name: string;
	readonly version: string;
	readonly base: string;
	readonly installer: string;
	readonly installs: boolean;
}

interface Built {
	/** whether the images were built on stand-ins for the public images */
	readonly standIns: boolean;
	readonly versions: readonly Version[];
	/** the languages without a stand-in */
	readonly without: readonly string[];
}

const list = process.env["KUBELESS_IMAGES"];
const built: Built | undefined = list ? JSON.parse(readFileSync(list, "utf8")) : undefined;
const notBuilt = "no images are built for the tests; npm run test:images builds and tests them, with Docker";
const release = JSON.parse(text("kubeless-loader/package.json")).version;

export const standIns = built?.standIns ?? false;
export const versions = built?.versions ?? [];
export const imageOf = (name: string, version?: string): string => `kubeless/${name}:${version ? `${version}-` : ""}v${release}`;

/**
 * Registers tests of images. Without built images they are skipped with a hint; with CI set, they
 * fail.
 */
export function describeImages(what: string, tests: () => void): void {
	if (built) {
		describe(what, tests);
	} else if (process.env["CI"]) {
		test(what, () => assert.fail(notBuilt));
	} else {
		console.log(`SKIPPED: ${what}: ${notBuilt}.`);
		test(what, { skip: notBuilt }, () => {});
	}
}

/** Registers the same tests for every language with images. */
export function everyImage(what: string, tests: (version: Version) => void): void {
	describeImages(what, () => {
		for (const version of versions) describe(`${version.target}: ${what}`, () => tests(version));
		for (const id of built?.without ?? []) {
			const { toolchain } = JSON.parse(text(`runtimes/${id}/runtime.json`));
			const why = `there is no stand-in for its base images${toolchain.absent ? `: ${toolchain.absent}` : ""}`;
			test(`${id}: ${what}`, { skip: toolchain.absent && why }, () => assert.fail(why));
		}
	});
}

/** Returns whether functions must be compiled before they are served. */
export function isCompiled({ id }: Version): boolean {
	return existsSync(join(root, "runtimes", id, "compile.sh"));
}
