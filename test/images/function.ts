// The pod that Kubeless's controller (v1.0.8) makes for a Function, with the images in
// images/runtime-images.json.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "../platform/manifests.ts";
import { zip } from "./archive.ts";
import { configMap, type FunctionSpec, install, prepare } from "./controller.ts";
import { imageOf, type Version } from "./images.ts";
import type { Container, PodSpec } from "./pod.ts";

interface Phase {
	readonly phase: string;
	readonly image: string;
	readonly command?: string;
	readonly env?: Readonly<Record<string, string>>;
}
interface Runtime {
	readonly ID: string;
	readonly depName: string;
	readonly fileNameSuffix: string;
	readonly versions: readonly { readonly version: string; readonly images: readonly Phase[] }[];
}

const runtimes: readonly Runtime[] = JSON.parse(text("images/runtime-images.json"));
const VOLUME = "/kubeless";
const MOUNT = { name: "function", mountPath: VOLUME };
export const MEMORY = "256Mi";

/**
 * Returns the files of a folder as a Function: text if there are only the file and its
 * dependencies, else a zip.
 */
export function functionOf(folder: string, handler: string, { ID, depName, fileNameSuffix: suffix }: Runtime): FunctionSpec {
	const file = `${handler.split(".")[0]}${suffix}`;
	const names = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
	const read = (name: string) => readFileSync(join(folder, name));
	assert.ok(names.includes(file), `${ID}: ${folder} has no ${file}`);
	const isText =
		names.every((name) => name === file || name === depName) && read(file).toString().includes("\n") && !read(file).includes(0);
	if (isText) {
		const spec = { handler, function: read(file).toString(), contentType: "text" };
		return names.includes(depName) ? { ...spec, deps: read(depName).toString() } : spec;
	}
	const archive = zip(Object.fromEntries(names.map((name) => [name, read(name)])));
	return { handler, function: archive.toString("base64"), contentType: names.includes(depName) ? "base64+zip+deps" : "base64+zip" };
}

export function runtimeOf({ id, version }: Version): Runtime & { readonly phases: readonly Phase[] } {
	const runtime = runtimes.find(({ ID }) => ID === id);
	const phases = runtime?.versions.find((one) => one.version === version)?.images;
	assert.ok(runtime && phases, `images/runtime-images.json has no ${id}${version}`);
	return { ...runtime, phases };
}

/** Returns the init containers, which use the volume `function`. */
export function initContainers(version: Version, spec: FunctionSpec): Container[] {
	const runtime = runtimeOf(version);
	const files = { depName: runtime.depName, suffix: runtime.fileNameSuffix };
	const container = (name: string, image: string, command: string, env: Readonly<Record<string, string>>): Container => ({
		...{ name, image, command: ["sh", "-c"], args: [command], workingDir: VOLUME, volumeMounts: [MOUNT] },
		env: Object.entries({ KUBELESS_INSTALL_VOLUME: VOLUME, ...env }).map(([name, value]) => ({ name, value })),
		securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
	});
	const source = { name: "source", mountPath: "/src" };
	const first = { ...container("prepare", imageOf("provision"), prepare(spec, files), {}), volumeMounts: [MOUNT, source] };
	const others = runtime.phases.flatMap(({ phase, image, command = "", env = {} }) => {
		if (phase === "installation") {
			const steps = install(spec, files, command);
			return steps === undefined
				? []
				: [container("install", image, steps, { KUBELESS_DEPS_FILE: `${VOLUME}/${runtime.depName}`, ...env })];
		}
		return phase === "compilation"
			? [container("compile", image, command, { KUBELESS_FUNC_NAME: spec.handler.split(".")[1] ?? "", ...env })]
			: [];
	});
	return [first, ...others];
}

/** Returns the container that serves the function, with all restrictions that a user can set. */
export function functionContainer(version: Version, handler: string, env: Readonly<Record<string, string>> = {}): Container {
	const [module = "", name = ""] = handler.split(".");
	const { phases } = runtimeOf(version);
	const runtime = phases.find(({ phase }) => phase === "runtime");
	const variables = {
		...env,
		...{ FUNC_HANDLER: name, MOD_NAME: module, FUNC_TIMEOUT: "180", FUNC_RUNTIME: version.id + version.version },
		...{ FUNC_MEMORY_LIMIT: MEMORY, FUNC_PORT: "8080", KUBELESS_INSTALL_VOLUME: VOLUME, ...runtime?.env },
	};
	return {
		name: "function",
		image: runtime?.image ?? "",
		env: Object.entries(variables).map(([name, value]) => ({ name, value })),
		ports: [{ name: "http-function-port", containerPort: 8080 }],
		resources: { limits: { memory: MEMORY } },
		securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
		volumeMounts: [MOUNT],
		startupProbe: { httpGet: { path: "/readyz" } },
	};
}

/**
 * Returns a pod with these init containers and this container, the source as a ConfigMap and the
 * volume of the claim `function`.
 */
export function functionPod(container: Container, steps: readonly Container[] = []): PodSpec {
	return {
		securityContext: { runAsUser: 1000, fsGroup: 1000 },
		initContainers: steps,
		containers: [container],
		volumes: [
			{ name: "function", persistentVolumeClaim: { claimName: "function" } },
			...(steps.length > 0 ? [{ name: "source", configMap: { name: "source" } }] : []),
		],
	};
}

/** Returns the data of the ConfigMap `source`. */
export function sourceOf(version: Version, spec: FunctionSpec): Record<string, string> {
	const { depName, fileNameSuffix } = runtimeOf(version);
	return configMap(spec, { depName, suffix: fileNameSuffix });
}
