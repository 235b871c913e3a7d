// The node of a test run: started when the first test needs it, with images and the addresses of
// Services, and stopped by tests or at the end of the run.
import { existsSync } from "node:fs";
import { Api } from "../../../kubeless-controller/src/kube/api.ts";
import { loadCluster } from "../../../kubeless-controller/src/kube/credentials.ts";
import type { Plane } from "../plane.ts";
import { buildNodeImages, COMPILED, INTERPRETED } from "./images.ts";
import { NODE_ADDRESS } from "./network.ts";
import { startNode } from "./node.ts";
import { serveServices } from "./services.ts";

/** Ports of the kubelet, after the first port of the control plane. */
const KUBELET_PORT = 6;

export interface Started {
	/** The address of the node that pods reach. */
	readonly address: string;
	/** The interpreted runtimes with an image on the node, such as nodejs24. */
	readonly runtimes: readonly string[];
	/** The compiled ones. */
	readonly compiled: readonly string[];
}

export class NodeControl {
	readonly #plane: Plane;
	readonly #base: number;
	readonly #clears: (() => void | Promise<void>)[] = [];
	#work: Promise<unknown> = Promise.resolve();

	constructor(plane: Plane, base: number) {
		this.#plane = plane;
		this.#base = base;
	}

	/** Throws with the reason if this machine cannot have a node. */
	start(): Promise<Started> {
		const started = this.#work.then(() => this.#start());
		this.#work = started.catch(() => {});
		return started;
	}

	/** Resolves when nothing of the node is left. */
	stop(): Promise<void> {
		const stopped = this.#work.then(async () => {
			for (const clear of this.#clears.splice(0).reverse()) await clear();
		});
		this.#work = stopped;
		return stopped;
	}

	async #start(): Promise<Started> {
		if (process.getuid?.() !== 0 || !existsSync("/proc/self/ns/pid")) throw new Error("A node needs Linux and root.");
		const { kubeconfig, server } = this.#plane;
		const images = await buildNodeImages();
		try {
			const api = new Api(loadCluster({ kubeconfig }));
			const node = await startNode(api, kubeconfig, this.#base + KUBELET_PORT);
			this.#clears.push(node.stop);
			await images.into(node.socket, node.bin);
			this.#clears.push(await serveServices(api, { host: "127.0.0.1", port: Number(new URL(server).port) }));
		} finally {
			images.stop();
		}
		const runtimesOf = (languages: readonly string[]): string[] =>
			images.versions.filter(({ id }) => languages.includes(id)).map(({ id, version }) => id + version);
		return { address: NODE_ADDRESS, runtimes: runtimesOf(INTERPRETED), compiled: runtimesOf(COMPILED) };
	}
}
