// The ScaledObjects that the controller makes, against the CRD and the scaler of KEDA's Go module.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { Ajv } from "ajv";
import { parse, parseAllDocuments } from "yaml";
import { missing } from "../support/needs.ts";
import { root } from "./manifests.ts";

const MODULE = "github.com/kedacore/keda/v2@v2.21.0";

interface ScaledObject {
	readonly kind: string;
	readonly spec: { readonly triggers: readonly { readonly type: string; readonly metadata: Record<string, string> }[] };
}

/**
 * Returns a CRD's schema in which a field that it does not list is an error, as `kubectl apply` has
 * it.
 */
function closed(schema: Record<string, unknown>): Record<string, unknown> {
	const inner = Object.fromEntries(
		Object.entries(schema).map(([name, value]) => {
			return [
				name,
				typeof value === "object" && value !== null && !Array.isArray(value) ? closed(value as Record<string, unknown>) : value,
			];
		}),
	);
	const isOpen = "additionalProperties" in schema || schema["x-kubernetes-preserve-unknown-fields"] === true;
	return "properties" in schema && schema["type"] === "object" && !isOpen ? { ...inner, additionalProperties: false } : inner;
}

describe("a ScaledObject that the controller makes", { skip: missing("go") }, () => {
	let keda: string;
	const [scaled] = parseAllDocuments(readFileSync(join(root, "kubeless-controller/test/golden/kafkatrigger-scaled.yaml"), "utf8"))
		.map((document) => document.toJS() as ScaledObject)
		.filter(({ kind }) => kind === "ScaledObject");
	before(() => {
		const { stdout, stderr, status } = spawnSync("go", ["mod", "download", "-json", MODULE], { cwd: tmpdir(), encoding: "utf8" });
		assert.equal(status, 0, `go mod download ${MODULE}: ${stderr}${stdout}`);
		keda = JSON.parse(stdout).Dir;
	});

	test("fits KEDA's CRD", () => {
		const crd = parse(readFileSync(join(keda, "config/crd/bases/keda.sh_scaledobjects.yaml"), "utf8"));
		const schema = crd.spec.versions[0].schema.openAPIV3Schema;
		schema.properties.metadata = { type: "object", additionalProperties: true };
		const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(closed(schema));
		assert.ok(validate(scaled), JSON.stringify(validate.errors));
		assert.equal(validate({ ...scaled, spec: { ...scaled?.spec, unknown: 1 } }), false);
	});

	test("has only parameters that KEDA's Kafka scaler knows, and those that it requires", () => {
		const source = readFileSync(join(keda, "pkg/scalers/kafka_scaler.go"), "utf8");
		const parameters = [...source.matchAll(/keda:"name=(\w+),[^"]*"/g)].map(([tag, name]) => ({
			name,
			isOptional: /optional|default=/.test(tag),
		}));
		const given = Object.keys(scaled?.spec.triggers[0]?.metadata ?? {});
		assert.deepEqual(
			given.filter((name) => !parameters.some((parameter) => parameter.name === name)),
			[],
		);
		const required = parameters.filter(({ isOptional }) => !isOptional).map(({ name }) => String(name));
		assert.ok(required.length > 0);
		assert.deepEqual(
			required.filter((name) => !given.includes(name)),
			[],
		);
	});
});
