import { createHash } from "node:crypto";
import { type Header, show } from "./decoder.ts";
import { bytesOf } from "./encoder.ts";
import type { Content } from "./vectors.ts";

/** The first difference, as a sentence; undefined if the values match. */
export type Difference = string | undefined;

/**
 * Compares a value with the one that a vector expects: a plain value must be equal, of an object
 * only the named fields count, and an object whose keys begin with `$` holds matchers, all of which
 * must match.
 */
export function compare(wanted: unknown, actual: unknown, at: string): Difference {
	if (isMatcher(wanted)) {
		for (const [name, operand] of Object.entries(wanted)) {
			const matches = MATCHERS[name];
			if (!matches) throw new Error(`There is no matcher ${name}.`);
			if (!matches(actual, operand)) return `${at} is ${print(actual)}, and not ${print(wanted)}`;
		}
		return undefined;
	}
	if (wanted === null || typeof wanted !== "object" || Array.isArray(wanted)) {
		return equal(wanted, actual) ? undefined : `${at} is ${print(actual)}, and not ${print(wanted)}`;
	}
	if (actual === null || typeof actual !== "object") return `${at} is ${print(actual)}, and not an object`;
	for (const [name, inner] of Object.entries(wanted)) {
		const difference = compare(inner, (actual as Record<string, unknown>)[name], `${at}.${name}`);
		if (difference) return difference;
	}
	return undefined;
}

/**
 * Compares a frame's body: content must be equal byte for byte; matchers look at its bytes, text or
 * JSON.
 */
export function compareBody(wanted: unknown, actual: Buffer, at: string): Difference {
	if (!isMatcher(wanted)) {
		const bytes = bytesOf(wanted as Content);
		if (bytes.equals(actual)) return undefined;
		const first = bytes.findIndex((byte, i) => byte !== actual[i]);
		const where = first < 0 ? bytes.length : first;
		return `${at} is ${show(actual)}, and not ${show(bytes)}: ${actual.length} bytes for ${bytes.length}, the first that differs is byte ${where}`;
	}
	const { $json, $length, $sha256, ...others } = wanted;
	if ($length !== undefined && actual.length !== $length) return `${at} has ${actual.length} bytes, and not ${$length}`;
	if ($sha256 !== undefined) {
		const hash = createHash("sha256").update(actual).digest("hex");
		if (hash !== $sha256) return `${at} has the SHA-256 ${hash}, and not ${$sha256}`;
	}
	if (Object.keys(others).length > 0) {
		const difference = compare(others, actual.toString(), at);
		if (difference) return difference;
	}
	if ($json === undefined) return undefined;
	try {
		return compare($json, JSON.parse(actual.toString()), at);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
		return `${at} is ${show(actual)}, which is not JSON`;
	}
}

/** Compares headers by name, ignoring case; the value of a repeated header is a list. */
export function compareHead(wanted: unknown, actual: readonly Header[], at: string): Difference {
	for (const [name, value] of Object.entries(wanted as object)) {
		const values = actual.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, text]) => text);
		const difference = compare(value, values.length > 1 ? values : values[0], `${at}.${name}`);
		if (difference) return difference;
	}
	return undefined;
}

const MATCHERS: Record<string, (actual: unknown, operand: unknown) => boolean> = {
	$any: (actual) => actual !== undefined,
	$absent: (actual) => actual === undefined,
	// Languages write a missing value in JSON as an absent field, null or "".
	$none: (actual) => actual === undefined || actual === null || actual === "",
	$text: (actual) => typeof actual === "string" && actual !== "",
	$not: (actual, operand) => compare(operand, actual, "") !== undefined,
	$oneOf: (actual, operand) => (operand as unknown[]).some((one) => compare(one, actual, "") === undefined),
	$atMost: (actual, operand) => typeof actual === "number" && actual <= (operand as number),
	$atLeast: (actual, operand) => typeof actual === "number" && actual >= (operand as number),
	$contains: (actual, operand) =>
		(typeof actual === "string" || Array.isArray(actual)) && [operand].flat().every((part) => actual.includes(part as string)),
};

function isMatcher(value: unknown): value is Record<string, unknown> {
	return value !== null && typeof value === "object" && Object.keys(value).some((name) => name.startsWith("$"));
}

function equal(a: unknown, b: unknown): boolean {
	return Array.isArray(a)
		? Array.isArray(b) && a.length === b.length && a.every((one, i) => compare(one, b[i], "") === undefined)
		: a === b;
}

function print(value: unknown): string {
	if (value === undefined) return "absent";
	const text = JSON.stringify(value);
	return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
