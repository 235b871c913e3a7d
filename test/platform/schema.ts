import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { type Manifest, root } from "./manifests.ts";

/**
 * Packages with Kubernetes' schemas: the types of a group, and the valid values from its OpenAPI
 * document.
 */
const PACKAGES: Record<string, string> = { "monitoring.coreos.com": "@kubernetes-models/prometheus-operator" };

interface Model {
	new (data: unknown): { validate(): void };
}

function moduleOf({ apiVersion }: Manifest): string {
	const [group, version = group] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
	return `${PACKAGES[group] ?? "kubernetes-models"}${group === "" ? "" : `/${group}`}/${version}`;
}

/** Returns the invalid values of a manifest: quantities, enums, missing fields. */
export async function wrongValues(manifest: Manifest): Promise<string | undefined> {
	const models: Record<string, Model> = await import(moduleOf(manifest));
	const Model = models[manifest.kind];
	if (!Model) return `${manifest.apiVersion} has no ${manifest.kind}`;
	try {
		new Model(structuredClone(manifest)).validate();
		return undefined;
	} catch (error) {
		return (error as Error).message;
	}
}

/**
 * Returns the unknown fields of all manifests. The TypeScript compiler finds them, as the schemas
 * allow unknown fields.
 */
export function wrongFields(owner: Owner, manifests: readonly Manifest[]): string {
	const source = manifests.map(
		(manifest, index) =>
			`import type { I${manifest.kind} as K${index} } from "${moduleOf(manifest)}";\n` +
			`export const of_${manifest.kind}_${index}: K${index} = ${JSON.stringify(manifest)};\n`,
	);
	const options = { strict: true, noEmit: true, module: "nodenext", target: "esnext", skipLibCheck: true, types: [] };
	const place = folder(owner, {
		"manifests.ts": source.join(""),
		"package.json": '{ "type": "module" }',
		"tsconfig.json": JSON.stringify({ compilerOptions: options, files: ["manifests.ts"] }),
	});
	symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
	const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", place], {
		encoding: "utf8",
	});
	return status === 0 ? "" : stdout + stderr;
}
