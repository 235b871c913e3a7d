/** The part of JSON Schema that runtime.schema.json is written in, as far as one value at a time can be judged by it. */
export interface Schema {
	readonly type?: string;
	readonly enum?: readonly string[];
	readonly pattern?: string;
	readonly minLength?: number;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minItems?: number;
	readonly items?: Schema;
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly additionalProperties?: boolean | Schema;
	readonly examples?: readonly unknown[];
}

/** What is wrong with a value: where, and what was expected there. */
export interface Misfit {
	/** "" for the whole, else as in http.port or worker[1] */
	readonly path: string;
	readonly expected: string;
}

/** The first thing that does not fit; undefined where all does. */
export function misfit(value: unknown, schema: Schema, path = ""): Misfit | undefined {
	if (!fits(value, schema)) return { path, expected: expectation(schema) };
	if (Array.isArray(value)) {
		for (const [index, item] of value.entries()) {
			const found = misfit(item, schema.items ?? {}, `${path}[${index}]`);
			if (found) return found;
		}
	} else if (isObject(value)) return misfitWithin(value, schema, path === "" ? "" : `${path}.`);
	return undefined;
}

function misfitWithin(value: Record<string, unknown>, schema: Schema, prefix: string): Misfit | undefined {
	const { properties = {}, required = [], additionalProperties: others = true } = schema;
	const missing = required.find((name) => value[name] === undefined);
	if (missing !== undefined) return { path: prefix + missing, expected: `${expectation(properties[missing] ?? {})}, and is missing` };
	for (const [name, item] of Object.entries(value)) {
		const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
		if (known === undefined && others === false) {
			const fields = Object.keys(properties).filter((field) => !field.startsWith("$"));
			return { path: prefix + name, expected: `left out: the fields there are ${fields.join(", ")}` };
		}
		const found = misfit(item, known ?? (typeof others === "object" ? others : {}), prefix + name);
		if (found) return found;
	}
	return undefined;
}

function fits(value: unknown, { type, enum: words, pattern, minLength = 0, minimum, maximum, minItems = 0 }: Schema): boolean {
	if (words) return words.includes(value as string);
	switch (type) {
		case "string":
			return typeof value === "string" && value.length >= minLength && new RegExp(pattern ?? "").test(value);
		case "integer":
			return Number.isInteger(value) && (value as number) >= (minimum ?? -Infinity) && (value as number) <= (maximum ?? Infinity);
		case "boolean":
			return typeof value === "boolean";
		case "array":
			return Array.isArray(value) && value.length >= minItems;
		case "object":
			return isObject(value);
		default:
			return true;
	}
}

function expectation({ type, enum: words, pattern, minLength, minimum, maximum, minItems, examples = [] }: Schema): string {
	const such = examples.length > 0 ? `, such as ${JSON.stringify(examples[0])}` : "";
	if (words) return words.join(", ").replace(/, ([^,]*)$/, " or $1");
	switch (type) {
		case "string":
			return `${minLength ? "text that is not empty" : "text"}${pattern === undefined ? "" : ` that matches ${pattern}`}${such}`;
		case "integer":
			return `a whole number from ${minimum} to ${maximum}${such}`;
		case "boolean":
			return "true or false";
		case "array":
			return `a list${minItems ? " that is not empty" : ""}${such}`;
		default:
			return `an object${such}`;
	}
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
