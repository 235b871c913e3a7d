import assert from "node:assert/strict";
import { test } from "node:test";
import { text } from "../platform/manifests.ts";

const { generated } = await import(new URL("../../images/generate.mjs", import.meta.url).href);

for (const [path, fresh] of Object.entries(generated() as Record<string, string>)) {
	test(`${path} is what npm run generate makes of the manifests`, () => {
		assert.ok(text(path) === fresh, "differs from the generator's output: run npm run generate");
	});
}
