import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { imageTags, root, text } from "../platform/manifests.ts";

const { golden, hasBuildx, print } = await import(new URL("../../images/golden.mjs", import.meta.url).href);

interface Target {
	readonly context?: string;
	readonly contexts?: Readonly<Record<string, string>>;
	readonly dockerfile?: string;
	readonly target?: string;
	readonly tags?: readonly string[];
}

const skip = !hasBuildx() && !process.env["CI"] ? "Docker's buildx plugin is missing (docker buildx version fails)" : false;
if (skip) console.log(`SKIPPED: docker buildx bake: ${skip}.`);

describe("docker buildx bake", { skip }, () => {
	const targets = (): [string, Target][] => Object.entries(print({}, ["default", "legacy"]).target);

	test("builds the targets, tags, labels, groups, platforms and attestations in images/golden", () => {
		for (const [path, fresh] of Object.entries(golden() as Record<string, string>)) {
			assert.deepEqual(fresh.split("\n"), text(path).split("\n"), "differs from the generator's output: run npm run generate");
		}
	});

	test("gives each image unique tags, which the tests of the docs know", () => {
		const tags = targets().flatMap(([, { tags = [] }]) => tags);
		assert.equal(new Set(tags).size, tags.length);
		assert.deepEqual(
			tags.filter((tag) => !imageTags().has(tag)),
			[],
		);
	});

	test("builds every image from a Dockerfile that has its stage", () => {
		for (const [name, { context = ".", dockerfile = "Dockerfile", target }] of targets()) {
			const file = readFileSync(join(root, context, dockerfile), "utf8");
			if (target) assert.match(file, new RegExp(`^FROM .* AS ${target}$`, "m"), name);
		}
	});
});
