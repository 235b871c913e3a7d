// Runs a Deployment's pod template without a cluster: one `docker run` per container, on shared
// volumes.
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Asked, ask, type Got } from "../support/ask.ts";
import { ConfigMap } from "../support/configmap.ts";
import { folder, PATIENCE_MS } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { docker, must } from "./docker.ts";

/** The fields of a pod template that a container engine supports. */
export interface PodSpec {
	readonly securityContext?: { readonly runAsUser?: number; readonly fsGroup?: number };
	readonly initContainers?: readonly Container[];
	readonly containers: readonly [Container, ...Container[]];
	readonly volumes?: readonly Volume[];
	readonly terminationGracePeriodSeconds?: number;
}

export interface Container {
	readonly name: string;
	readonly image: string;
	readonly command?: readonly string[];
	readonly args?: readonly string[];
	readonly workingDir?: string;
	readonly env?: readonly { readonly name: string; readonly value: string }[];
	readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
	readonly resources?: { readonly limits?: { readonly memory?: string } };
	readonly securityContext?: {
		readonly runAsUser?: number;
		readonly allowPrivilegeEscalation?: boolean;
		readonly readOnlyRootFilesystem?: boolean;
		readonly capabilities?: { readonly drop?: readonly string[] };
	};
	readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
	readonly startupProbe?: { readonly httpGet: { readonly path: string } };
}

type Volume = { readonly name: string } & (
	| { readonly configMap: { readonly name: string } }
	| { readonly emptyDir: object }
	| { readonly persistentVolumeClaim: { readonly claimName: string } }
);

export interface PodOptions {
	/** the data of ConfigMaps by name */
	readonly configMaps?: Readonly<Record<string, ConfigMap>>;
	/** the folders of claims by name */
	readonly claims?: Readonly<Record<string, string>>;
	/** the user of containers without runAsUser; default: the image's user */
	readonly user?: string;
	/** the network of init containers */
	readonly network?: "bridge" | "none" | "host";
}

/** A running pod's main container. */
export interface Pod {
	readonly id: string;
	/** the output of each init container */
	readonly initOutput: readonly string[];
	ask(request?: Asked): Promise<Got>;
	logs(): Promise<string>;
	/** Stops the container as the kubelet does. Returns its exit code. */
	stop(): Promise<number>;
}

/** Makes a folder that every user can write to, like an emptyDir. */
export function openFolder(owner: Owner): string {
	const place = folder(owner);
	chmodSync(place, 0o777);
	return place;
}

/** Makes a ConfigMap that every user can read, as the kubelet mounts it. */
export function mountedConfigMap(owner: Owner, data: Readonly<Record<string, string | Buffer>>): ConfigMap {
	const map = new ConfigMap(owner, data);
	chmodSync(map.volume, 0o755);
	return map;
}

/**
 * Starts a pod and waits for its startup probe. @throws with the output of a container that fails
 */
export async function startPod(owner: Owner, pod: PodSpec, options: PodOptions = {}): Promise<Pod> {
	const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, place(owner, volume, options)]));
	const initOutput: string[] = [];
	for (const container of pod.initContainers ?? []) {
		const log = join(folder(owner, { log: "" }), "log");
		const ran = await docker("run", "--rm", "--network", options.network ?? "bridge", ...flags(pod, container, volumes, log, options));
		const terminationMessage = readFileSync(log, "utf8");
		assert.equal(ran.code, 0, `${container.name} ended with ${ran.code}: ${terminationMessage}\n${ran.stdout}${ran.stderr}`);
		initOutput.push(ran.stdout + ran.stderr);
	}
	const [main] = pod.containers;
	const log = join(folder(owner, { log: "" }), "log");
	const [port] = main.ports ?? [];
	const publish = port ? ["-p", `127.0.0.1::${port.containerPort}`] : [];
	const id = await must("run", "-d", ...publish, ...flags(pod, main, volumes, log, options));
	owner.after(() => must("rm", "--force", id).then(() => {}));
	const mapped = await must("port", id, String(port?.containerPort)).catch(() => "");
	const own = Number(mapped.split(":").at(-1));
	const started: Pod = {
		id,
		initOutput,
		ask: (request = {}) => ask(own, request),
		logs: async () => {
			const { stdout, stderr } = await docker("logs", id);
			return stdout + stderr;
		},
		stop: async () => {
			await must("stop", "--time", String(pod.terminationGracePeriodSeconds ?? 30), id);
			return Number(await must("inspect", "--format", "{{.State.ExitCode}}", id));
		},
	};
	await startup(started, main.startupProbe?.httpGet.path, log);
	return started;
}

async function startup(pod: Pod, path: string | undefined, log: string): Promise<void> {
	if (path === undefined) return;
	const deadline = Date.now() + 2 * PATIENCE_MS;
	for (;;) {
		const got = await pod.ask({ path }).catch(() => undefined);
		if (got?.status === 200) return;
		const running = (await must("inspect", "--format", "{{.State.Running}}", pod.id)) === "true";
		if (!running || Date.now() > deadline) {
			const what = running ? `${path} answers ${got?.status}` : "it has ended";
			throw new Error(`the pod does not start, ${what}: ${readFileSync(log, "utf8")}\n${await pod.logs()}`);
		}
		await sleep(50);
	}
}

function place(owner: Owner, volume: Volume, { configMaps = {}, claims = {} }: PodOptions): string {
	if ("emptyDir" in volume) return openFolder(owner);
	const found = "configMap" in volume ? configMaps[volume.configMap.name]?.volume : claims[volume.persistentVolumeClaim.claimName];
	assert.ok(found, `there is nothing for the volume ${volume.name}`);
	return found;
}

function flags(pod: PodSpec, container: Container, volumes: Map<string, string>, log: string, { user }: PodOptions): string[] {
	const { command = [], args = [], env = [], image, resources, securityContext: own = {}, volumeMounts = [], workingDir } = container;
	const [entrypoint, ...words] = command;
	const uid = own.runAsUser ?? pod.securityContext?.runAsUser;
	const memory = resources?.limits?.memory?.replace(/i$/, "").toLowerCase();
	chmodSync(log, 0o666);
	chmodSync(join(log, ".."), 0o755);
	return [
		...(uid !== undefined ? ["--user", String(uid)] : user ? ["--user", user] : []),
		...(pod.securityContext?.fsGroup ? ["--group-add", String(pod.securityContext.fsGroup)] : []),
		...(own.readOnlyRootFilesystem ? ["--read-only"] : []),
		...(own.allowPrivilegeEscalation === false ? ["--security-opt", "no-new-privileges"] : []),
		...(own.capabilities?.drop ?? []).flatMap((name) => ["--cap-drop", name]),
		...(memory ? ["--memory", memory, "--memory-swap", memory] : []),
		...env.flatMap(({ name, value }) => ["-e", `${name}=${value}`]),
		...volumeMounts.flatMap(({ name, mountPath, readOnly }) => ["-v", `${volumes.get(name)}:${mountPath}${readOnly ? ":ro" : ""}`]),
		...["-v", `${log}:/dev/termination-log`],
		...(workingDir ? ["--workdir", workingDir] : []),
		...(entrypoint ? ["--entrypoint", entrypoint] : []),
		...[image, ...words, ...args],
	];
}
