// Validates a runtime.json against the published schema and words the first violation for a person.
// The validator is compiled from the schema by ajv: here when the sources run as they are, in a
// bundle by build.mjs.
import type { ErrorObject } from "ajv";
import { validate } from "./manifest-validator.ts";

/** The parts of JSON Schema that a violation is worded from. */
interface Schema {
	readonly type?: string;
	readonly enum?: readonly string[];
	readonly const?: string;
	readonly pattern?: string;
	readonly minLength?: number;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minItems?: number;
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly examples?: readonly unknown[];
}

export interface Violation {
	/** the field, as in http.port or worker[1]; "" for the whole file */
	readonly path: string;
	/** what the field must be */
	readonly expected: string;
}

/**
 * Returns the first violation of the schema, or undefined if the value fits it; then the schema's
 * defaults are filled in.
 */
export function violation(value: unknown): Violation | undefined {
	if (validate(value)) return undefined;
	const [error] = validate.errors as [ErrorObject];
	const path = fieldPath(error.instancePath);
	const schema = error.parentSchema as Schema;
	// A field that is allowed only beside certain values of another field.
	const [, dependent] = /\/dependentSchemas\/([^/]+)\//.exec(error.schemaPath) ?? [];
	if (dependent !== undefined) return contradiction(error, path, dependent, schema);
	switch (error.keyword) {
		case "required": {
			const { missingProperty } = error.params;
			return {
				path: member(path, missingProperty),
				expected: `${expectation(schema.properties?.[missingProperty] ?? {})}, and is missing`,
			};
		}
		case "additionalProperties": {
			const fields = Object.keys(schema.properties ?? {}).filter((field) => !field.startsWith("$"));
			return { path: member(path, error.params["additionalProperty"]), expected: `left out: the fields are ${fields.join(", ")}` };
		}
		default:
			return { path, expected: expectation(schema) };
	}
}

/**
 * @param path of the value that is wrong for the `dependent` field, or of the object that lacks it
 */
function contradiction({ keyword, params }: ErrorObject, path: string, dependent: string, schema: Schema): Violation {
	const parent = keyword === "required" ? path : path.replace(/\.?[^.]*$/, "");
	const other = keyword === "required" ? member(path, params["missingProperty"]) : path;
	const allowed = keyword === "required" ? schema.properties?.[params["missingProperty"]] : schema;
	return {
		path: member(parent, dependent),
		expected: `left out where "${other}" is not ${allowed?.const ?? alternatives(allowed?.enum ?? [])}`,
	};
}

/** Returns "/worker/1" as worker[1], "/http/port" as http.port. */
const fieldPath = (pointer: string): string =>
	pointer
		.replace(/\/(\d+)(?=\/|$)/g, "[$1]")
		.replaceAll("/", ".")
		.replace(/^\./, "");

const member = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

const alternatives = (words: readonly string[]): string => words.join(", ").replace(/, ([^,]*)$/, " or $1");

function expectation({ type, enum: words, pattern, minLength, minimum, maximum, minItems, examples = [] }: Schema): string {
	const example = examples.length > 0 ? `, such as ${JSON.stringify(examples[0])}` : "";
	if (words) return alternatives(words);
	switch (type) {
		case "string":
			return `${minLength ? "text that is not empty" : "text"}${pattern === undefined ? "" : ` that matches ${pattern}`}${example}`;
		case "integer":
			return `a whole number from ${minimum} to ${maximum}${example}`;
		case "boolean":
			return "true or false";
		case "array":
			return `a list${minItems ? " that is not empty" : ""}${example}`;
		default:
			return `an object${example}`;
	}
}
