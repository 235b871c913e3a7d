import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import type { Bom } from "./pod.ts";

const library = dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json"));
const schema = (name: string) => JSON.parse(readFileSync(join(library, "res/schema", `${name}.SNAPSHOT.schema.json`), "utf8"));

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
for (const name of ["spdx", "jsf-0.82"]) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
const valid = ajv.compile(schema("bom-1.6"));

/**
 * Asserts that a bill of materials is valid for CycloneDX's schema, and that its references are
 * unique.
 */
export function assertCycloneDx(bom: Bom): void {
	assert.ok(valid(bom), ajv.errorsText(valid.errors));
	const references = bom.components.map((component) => component["bom-ref"]);
	assert.deepEqual([...new Set(references)], references);
}
