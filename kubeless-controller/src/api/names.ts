// Names and labels of the objects that the controller makes.
import { sha256 } from "./function.ts";
import type { KubeObject, Labels, OwnerReference, Resource } from "./types.ts";

export const FIELD_MANAGER = "kubeless-controller";
export const CREATED_BY: Labels = { "created-by": "kubeless" };

/**
 * Returns PREFIX-SUFFIX, or a shorter name that ends in a hash if that has more than `limit`
 * characters.
 */
export function shortName(prefix: string, suffix: string, limit = 63): string {
	const name = suffix === "" ? prefix : `${prefix}-${suffix}`;
	if (name.length <= limit) return name;
	const hash = sha256(name).slice(0, 8);
	return `${name.slice(0, limit - hash.length - 1).replace(/[-.]+$/, "")}-${hash}`;
}

/**
 * The labels by which a function's pods are found: the Deployment's selector, which can never
 * change, and the Service's.
 */
export const functionSelector = (name: string): Labels => ({ ...CREATED_BY, function: name });

/**
 * Returns what annotations pass on to the objects made from a resource: all but kubectl's, which
 * hold the whole object.
 */
export function ownAnnotations(annotations: Labels = {}): Labels {
	return Object.fromEntries(Object.entries(annotations).filter(([name]) => !/^(?:kubectl\.kubernetes|kubeless)\.io\//.test(name)));
}

export function ownerOf({ apiVersion, kind, metadata: { name, uid } }: Resource<unknown>): OwnerReference {
	return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Returns the address of a function's Service inside the cluster. */
export const serviceUrl = (name: string, namespace: string, port: number, domain: string): string =>
	`http://${name}.${namespace}.svc.${domain}:${port}`;

export const keyOf = ({ kind, metadata: { namespace = "", name } }: KubeObject): string => `${kind}/${namespace}/${name}`;

/**
 * Returns the value without fields that are null, in all depths: Go's encoder writes a null for
 * what is not set. Empty objects stay.
 */
export function withoutNulls<T>(value: T): T {
	if (Array.isArray(value)) return value.filter((item) => item !== null && item !== undefined).map(withoutNulls) as T;
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
	return Object.fromEntries(entries.map(([name, item]) => [name, withoutNulls(item)])) as T;
}
