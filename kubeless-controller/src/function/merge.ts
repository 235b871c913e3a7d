// Merges kubeless-config's Deployment below a function's, as Kubeless 1.0 does: the function's
// values win, containers are merged by position, and lists are joined.
import type { DeploymentInput, Fields } from "../api/types.ts";

/** Lists whose items are merged by position. */
const BY_POSITION = new Set(["containers", "initContainers"]);
/**
 * What makes two items of a joined list the same one: the API server refuses a list that has it
 * twice.
 */
const IDENTITIES = ["name", "mountPath", "containerPort"];

export function mergeDeployments(own: DeploymentInput, defaults: DeploymentInput): DeploymentInput {
	return merge(own, defaults) as DeploymentInput;
}

function merge(own: unknown, defaults: unknown, field = ""): unknown {
	if (own === undefined || own === null || own === "") return defaults;
	if (Array.isArray(own) && Array.isArray(defaults)) {
		if (!BY_POSITION.has(field)) return join(own, defaults);
		const length = Math.max(own.length, defaults.length);
		return Array.from({ length }, (_, index) => merge(own[index], defaults[index]));
	}
	if (!isObject(own) || !isObject(defaults)) return own;
	const fields = new Set([...Object.keys(defaults), ...Object.keys(own)]);
	return Object.fromEntries([...fields].map((name) => [name, merge(own[name], defaults[name], name)]));
}

/**
 * Returns the function's items and after them those defaults that it has no item of that name for.
 */
function join(own: readonly unknown[], defaults: readonly unknown[]): unknown[] {
	const identity = (item: unknown): unknown => {
		const name = isObject(item)
			? IDENTITIES.find((field) => item[field] !== undefined && !(field === "name" && "mountPath" in item))
			: undefined;
		return name === undefined ? item : (item as Fields)[name];
	};
	const taken = new Set(own.map(identity));
	return [...own, ...defaults.filter((item) => !taken.has(identity(item)))];
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
