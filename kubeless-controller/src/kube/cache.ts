// All objects that the reflectors hold, by kind, by key, and by the groups that are looked up: an
// owner's objects, a workload's pods.
import { keyOf } from "../api/names.ts";
import type { KubeObject, Resource } from "../api/types.ts";

/** Labels whose value is the name of the resource that a pod runs for, and that resource's kind. */
export const POD_LABELS: Readonly<Record<string, string>> = {
	function: "Function",
	kafkatrigger: "KafkaTrigger",
	natstrigger: "NATSTrigger",
};

export class Cache {
	readonly #kinds = new Map<string, Map<string, KubeObject>>();
	readonly #groups = new Map<string, Map<string, KubeObject>>();

	get(key: string): KubeObject | undefined {
		return this.#kinds.get(key.slice(0, key.indexOf("/")))?.get(key);
	}

	find<T extends KubeObject>(kind: string, namespace: string, name: string): T | undefined {
		return this.get(`${kind}/${namespace}/${name}`) as T | undefined;
	}

	/** Returns the objects of a kind. @param namespace undefined: in all namespaces */
	ofKind<T extends KubeObject>(kind: string, namespace?: string): T[] {
		const all = [...(this.#kinds.get(kind)?.values() ?? [])] as T[];
		return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
	}

	/** Returns the objects that have the resource among their owners, by its uid. */
	ownedBy({ metadata: { uid } }: Resource<unknown>): KubeObject[] {
		return [...(this.#groups.get(uid)?.values() ?? [])];
	}

	/** Returns the pods that run for a resource, by its label. */
	podsOf({ kind, metadata: { namespace, name } }: Resource<unknown>): KubeObject[] {
		return [...(this.#groups.get(`pods of ${kind}/${namespace}/${name}`)?.values() ?? [])];
	}

	set(object: KubeObject): void {
		this.remove(object);
		const key = keyOf(object);
		add(this.#kinds, object.kind, key, object);
		for (const group of groupsOf(object)) add(this.#groups, group, key, object);
	}

	remove(object: KubeObject): void {
		const key = keyOf(object);
		const before = this.get(key);
		if (!before) return;
		this.#kinds.get(object.kind)?.delete(key);
		for (const group of groupsOf(before)) {
			const members = this.#groups.get(group);
			members?.delete(key);
			if (members?.size === 0) this.#groups.delete(group);
		}
	}
}

function add(groups: Map<string, Map<string, KubeObject>>, group: string, key: string, object: KubeObject): void {
	const members = groups.get(group) ?? new Map();
	groups.set(group, members.set(key, object));
}

function groupsOf(object: KubeObject): string[] {
	const resource = podResource(object);
	if (object.kind === "Pod") return resource ? [`pods of ${resource}`] : [];
	return (object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
}

/** Returns the key of the resource that a pod runs for. */
export function podResource({ metadata: { namespace, labels = {} } }: KubeObject): string | undefined {
	const [label, kind] = Object.entries(POD_LABELS).find(([name]) => labels[name]) ?? [];
	// Only a Deployment's pods: those of Kubeless 1.0's cron jobs have the label `function` as well.
	return label && labels["pod-template-hash"] && `${kind}/${namespace}/${labels[label]}`;
}
