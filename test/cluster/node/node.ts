// A node of Kubernetes on this machine: containerd and a kubelet in namespaces of their own. Needs
// root and Linux.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Resource } from "../../../kubeless-controller/src/api/types.ts";
import type { Api } from "../../../kubeless-controller/src/kube/api.ts";
import { poll } from "../../support/poll.ts";
import { binary, cacheFolder } from "../binary.ts";
import { end } from "../plane.ts";
import { containerdSettings, kubeletSettings, networkSettings } from "./files.ts";
import { makeBridge, NODE_ADDRESS, removeBridge } from "./network.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const NAME = "node";
const START_MS = 120_000;
const NODE_PATH = `/api/v1/nodes/${NAME}`;

export interface Node {
	/** The address of containerd. */
	readonly socket: string;
	/** The folder of the client `ctr`. */
	readonly bin: string;
	stop(): Promise<void>;
}

/**
 * Returns the folder with containerd, runc and the CNI plugins. Fetches them if the cache does not
 * have them.
 */
function tools(): string {
	const script = here("fetch.sh");
	const place = cacheFolder(`node-${createHash("sha256").update(readFileSync(script)).digest("hex").slice(0, 16)}`);
	if (existsSync(place)) return place;
	const unfinished = `${place}.${process.pid}`;
	mkdirSync(unfinished, { recursive: true });
	execFileSync("sh", [script, unfinished], { stdio: ["ignore", "ignore", "inherit"] });
	renameSync(unfinished, place);
	return place;
}

/** What a kubelet changes for the whole machine: with memory overcommitted, no allocation fails. */
const KERNEL_SETTINGS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"].map((name) =>
	join("/proc/sys", name),
);

/** Starts a node and resolves when it is ready. @param port the first of two ports */
export async function startNode(api: Api, kubeconfig: string, port: number): Promise<Node> {
	const kubelet = binary("kubelet");
	const places = { home: mkdtempSync(join(tmpdir(), "kubeless-node-")), tools: tools(), port };
	const { home } = places;
	mkdirSync(join(home, "cni"));
	writeFileSync(join(home, "containerd.toml"), containerdSettings(places));
	writeFileSync(join(home, "cni/pods.conflist"), networkSettings(places));
	writeFileSync(join(home, "kubelet.yaml"), kubeletSettings(places));
	writeFileSync(join(home, "kubeconfig"), readFileSync(kubeconfig), { mode: 0o600 });
	makeBridge();
	const bin = join(places.tools, "usr/bin");
	const log = openSync(join(home, "init.log"), "w");
	const settings = KERNEL_SETTINGS.map((file) => [file, readFileSync(file)] as const);
	// A process group of its own: Ctrl-C must not end it before the pods have ended.
	const child = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", here("init.sh"), home], {
		env: { ...process.env, PATH: `${bin}:${join(kubelet, "..")}:${process.env["PATH"]}`, NODE_NAME: NAME, NODE_ADDRESS },
		stdio: ["ignore", log, log],
		detached: true,
	});
	const stop = async (): Promise<void> => {
		await end(child, "SIGKILL");
		removeBridge();
		removeGroups();
		for (const [file, value] of settings) writeFileSync(file, value);
		await api.send("DELETE", NODE_PATH).catch(() => {});
		rmSync(home, { recursive: true, force: true });
	};
	try {
		await isReady(api, child, home);
	} catch (error) {
		await stop();
		throw error;
	}
	return { socket: join(home, "containerd.sock"), bin, stop };
}

function isReady(api: Api, child: ChildProcess, home: string): Promise<true> {
	return poll(
		async () => {
			if (child.exitCode !== null) throw new Error(`the node has ended: ${lastLines(home)}`);
			const node = (await api.find(NODE_PATH)) as Resource<unknown> | undefined;
			return node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") || undefined;
		},
		() => `the node does not get ready: ${lastLines(home)}`,
		START_MS,
	);
}

const lastLines = (home: string): string =>
	["init", "containerd", "kubelet"]
		.map((name) => join(home, `${name}.log`))
		.filter((file) => existsSync(file))
		.map((file) => `${file}:\n${readFileSync(file, "utf8").trim().split("\n").slice(-8).join("\n")}`)
		.join("\n");

/**
 * Removes the empty control groups of the pods. A group with processes stays: it is not this
 * node's.
 */
function removeGroups(): void {
	const remove = (folder: string): void => {
		try {
			for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) remove(join(folder, entry.name));
			rmdirSync(folder);
		} catch {
			// in use, or gone
		}
	};
	const groups = "/sys/fs/cgroup";
	for (const parent of [groups, ...readdirSync(groups).map((name) => join(groups, name))]) remove(join(parent, "kubepods"));
}
