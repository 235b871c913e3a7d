import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { imageTags, text } from "../platform/manifests.ts";

// images/runtime-images.json as Kubeless's controller (v1.0.8) takes it: pkg/langruntime reads it
// into structs and finds a Function's runtime in it.

interface RuntimeInfo {
	readonly ID: string;
	readonly versions: readonly {
		readonly name: string;
		readonly version: string;
		readonly images: readonly { readonly phase: string; readonly image: string; readonly command?: string }[];
	}[];
}

const filled = { type: "string", minLength: 1 };
const struct = (required: Record<string, unknown>, optional: Record<string, unknown> = {}) => ({
	type: "object",
	properties: { ...required, ...optional },
	required: Object.keys(required),
	additionalProperties: false,
});
/** The fields of the controller's structs, and the one that only our controller reads. */
const SCHEMA = {
	type: "array",
	items: struct(
		{
			ID: filled,
			depName: { type: "string" },
			fileNameSuffix: { type: "string" },
			versions: {
				type: "array",
				minItems: 1,
				items: struct(
					{
						name: filled,
						version: filled,
						images: {
							type: "array",
							minItems: 1,
							items: struct(
								{ phase: { enum: ["installation", "compilation", "runtime"] }, image: filled },
								{
									command: filled,
									env: { type: "object", additionalProperties: { type: "string" } },
									secrets: { type: "array", items: struct({ name: filled }) },
								},
							),
						},
					},
					{ imagePullSecrets: { type: "array", items: struct({ ImageSecret: filled }) } },
				),
			},
		},
		{ livenessProbeInfo: { type: "object" }, readinessProbeInfo: { type: "object" } },
	),
};

const runtimes: RuntimeInfo[] = JSON.parse(text("images/runtime-images.json"));
const versions = runtimes.flatMap(({ ID, versions }) => versions.map((one) => ({ ID, ...one })));

describe("images/runtime-images.json", () => {
	test("has only fields of the controller's structs", () => {
		const validate = new Ajv2020({ allErrors: true }).compile(SCHEMA);
		assert.ok(validate(runtimes), JSON.stringify(validate.errors));
	});

	test("names every runtime so that the controller can split the name into ID and version", () => {
		for (const { ID, version, name } of versions) {
			assert.equal(name, ID + version);
			assert.deepEqual([/^[a-zA-Z_-]+/.exec(name)?.[0], /[0-9.]+$/.exec(name)?.[0]], [ID, version]);
		}
		assert.equal(new Set(versions.map(({ name }) => name)).size, versions.length);
	});

	test("has one image per phase, the runtime's last, and a command for each other phase", () => {
		for (const { name, images } of versions) {
			const phases = images.map(({ phase }) => phase);
			assert.equal(new Set(phases).size, phases.length, name);
			assert.equal(phases.at(-1), "runtime", name);
			for (const { phase, command } of images) assert.equal(command === undefined, phase === "runtime", name);
		}
	});

	test("names images that bake builds, by an immutable tag", () => {
		const tags = imageTags();
		const release = JSON.parse(text("kubeless-loader/package.json")).version;
		for (const { image } of versions.flatMap(({ images }) => images)) {
			assert.ok(tags.has(image), image);
			assert.ok(image.endsWith(`-v${release}`), image);
		}
	});
});
