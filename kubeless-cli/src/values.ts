// The values of options: pairs, lists, quantities, numbers.
import type { EnvVar, Labels } from "../../kubeless-controller/src/api/types.ts";
import { UsageError } from "./errors.ts";

/** What a name of an object, and a name of a namespace, can be (RFC 1123). */
const OBJECT_NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;
const NAMESPACE_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
/** A Function's Service has its name (RFC 1035). */
const FUNCTION_NAME = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Throws a UsageError if an object cannot have the name. An empty name in a request's path would
 * mean all objects.
 */
export function assertName(kind: string, name: string): void {
	const good = kind === "Namespace" ? NAMESPACE_NAME : OBJECT_NAME;
	if (!good.test(name))
		throw new UsageError(`"${name}" is not the name of a ${kind}. Give lower-case letters, digits and dashes, such as hello.`);
}

export function assertFunctionName(name: string): void {
	if (FUNCTION_NAME.test(name)) return;
	throw new UsageError(
		`A Function cannot have the name "${name}". Give at most 63 lower-case letters, digits and dashes, with a letter first, such as hello.`,
	);
}

/**
 * Returns the words of options that may be repeated: those to add, and those to remove, which end
 * in a dash.
 */
export function split(values: readonly string[]): [added: string[], removed: string[]] {
	const words = values.flatMap((value) => value.split(",")).map((word) => word.trim());
	return [words.filter((word) => word && !word.endsWith("-")), words.filter((word) => word.endsWith("-")).map((word) => word.slice(0, -1))];
}

/**
 * Returns the pairs of options such as --env: NAME=VALUE or NAME:VALUE sets, NAME- removes. A list
 * with commas, as Kubeless 1.0 takes it, counts as one if each part is a pair, so a value may have
 * commas of its own.
 */
export function pairs(values: readonly string[], option: string): [name: string, value: string | undefined][] {
	const one = /^([^\s=:,]+)(?:[=:]([\s\S]*)|-)$/;
	return values.flatMap((value) => {
		const parts = value.split(",");
		return (parts.every((part) => one.test(part)) ? parts : [value]).map((part): [string, string | undefined] => {
			const [, name, text] = /^([^\s=:,]+?)-$/.exec(part) ?? /^([^\s=:,]+)[=:]([\s\S]*)$/.exec(part) ?? [];
			if (name === undefined)
				throw new UsageError(`${option} ${part} is not a pair. Write ${option} NAME=VALUE, or ${option} NAME- to remove it.`);
			return [name, text];
		});
	});
}

export function merged(labels: Labels = {}, values: readonly string[] = [], option: string): Labels {
	const result = new Map(Object.entries(labels));
	for (const [name, value] of pairs(values, option)) value === undefined ? result.delete(name) : result.set(name, value);
	return Object.fromEntries(result);
}

export function mergedEnv(env: readonly EnvVar[], values: readonly string[]): EnvVar[] {
	const result = new Map(env.map((variable) => [variable.name, variable]));
	for (const [name, value] of pairs(values, "--env")) value === undefined ? result.delete(name) : result.set(name, { name, value });
	return [...result.values()];
}

export function quantity(name: "memory" | "cpu", value: string | undefined): Labels {
	if (value === undefined) return {};
	const good = name === "cpu" ? /^(?:\d+m|\d+(?:\.\d+)?)$/ : /^\d+(?:\.\d+)?(?:[EPTGMK]i?|k)?$/;
	if (good.test(value)) return { [name]: value };
	throw new UsageError(`--${name} ${value} is not a quantity. Give one such as ${name === "cpu" ? "500m or 2" : "128Mi or 1Gi"}.`);
}

export function secondsOf(option: string, value: string): string {
	if (/^\d+(?:\.\d+)?$/.test(value) && Number(value) > 0) return value;
	throw new UsageError(`${option} ${value} is not a number of seconds. Give one such as 180.`);
}

/** Returns a number of seconds in ms. */
export const millisecondsOf = (option: string, value: string): number => Number(secondsOf(option, value)) * 1000;

export function portOf(option: string, value: string): number {
	if (/^\d+$/.test(value) && Number(value) > 0 && Number(value) <= 65_535) return Number(value);
	throw new UsageError(`${option} ${value} is not a port. Give a number from 1 to 65535.`);
}
