import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const text = (path: string): string => readFileSync(join(root, path), "utf8");

/** The fields that all kinds of Kubernetes objects share. */
export interface Manifest {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
	// biome-ignore lint/suspicious/noExplicitAny: the schema test checks the types of a manifest
	readonly [field: string]: any;
}

/** Returns the documents of a YAML file. @throws if it is not YAML or has a duplicate key */
export function documents(path: string): Manifest[] {
	return parseAllDocuments(text(path)).map((document) => {
		assert.deepEqual([...document.errors, ...document.warnings], [], path);
		return document.toJS();
	});
}

/** Returns the objects in the YAML files of a folder; a file may have several. */
export const KUBERNETES = readdirSync(join(root, "examples/kubernetes"))
	.filter((name) => name.endsWith(".yaml"))
	.map((name) => `examples/kubernetes/${name}`);

/**
 * All Kubernetes objects of the examples. prometheus-adapter.yaml contains Helm values, not
 * objects.
 */
export const OBJECTS: Manifest[] = KUBERNETES.filter((path) => !path.endsWith("prometheus-adapter.yaml")).flatMap(documents);

/** Returns the object of a kind and a name. */
export function object(kind: string, name: string): Manifest {
	const found = OBJECTS.filter((one) => one.kind === kind && one.metadata.name === name);
	assert.ok(found.length > 0, `examples/kubernetes has no ${kind} ${name}`);
	return found[0] as Manifest;
}

/** The names of all images that bake builds, as `tags` in docker-bake.hcl makes them. */
export function imageTags(): Set<string> {
	const { variable, group } = JSON.parse(text("docker-bake.json"));
	const release = `v${variable.LOADER_VERSION.default}`;
	assert.ok(group.default.targets.includes("provision") && group.default.targets.includes("loader"));
	const newest = (name: string) => [`kubeless/${name}:${release}`, `kubeless/${name}:latest`];
	const versions = variable.VERSIONS.default as { id: string; version: string; newest: boolean }[];
	return new Set([
		...["loader", "provision", "controller", "trigger"].flatMap(newest),
		...versions.flatMap(({ id, version, newest: isNewest }) =>
			[id, `${id}-installer`].flatMap((name) => [
				`kubeless/${name}:${version}`,
				`kubeless/${name}:${version}-${release}`,
				...(isNewest ? newest(name) : []),
			]),
		),
	]);
}
