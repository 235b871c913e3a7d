// The images of the node: built by the image tests' own means, then copied from the Docker engine
// into containerd.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Version } from "../../images/images.ts";
import { root } from "../../platform/manifests.ts";
import { PAUSE_IMAGE } from "./files.ts";

export interface Images {
	/** The versions of languages that Functions can be deployed in. */
	readonly versions: readonly Version[];
	/** Copies all into containerd. */
	into(socket: string, bin: string): Promise<void>;
	stop(): void;
}

/**
 * Languages whose functions need only their runtime image.
 */
export const INTERPRETED = ["nodejs", "python", "ruby", "php"];
/** Languages that the function's pod compiles. */
export const COMPILED = ["go"];
/** Languages with their installer's image on the node. All of them are too large for each run. */
const INSTALLING = ["python", ...COMPILED];

/** Builds what is missing. Throws with the reason if there is no Docker engine. */
export async function buildNodeImages(): Promise<Images> {
	const { buildImages } = await import(new URL("../../images/build.mjs", import.meta.url).href);
	const built = buildImages([...INTERPRETED, ...COMPILED]);
	const { env, stop, missing } = built as { env: NodeJS.ProcessEnv; stop: () => void; missing?: string };
	if (missing) throw new Error(missing);
	const { versions } = JSON.parse(readFileSync(env["KUBELESS_IMAGES"] as string, "utf8")) as { versions: Version[] };
	const { BASE_IMAGE, LOADER_VERSION } = JSON.parse(readFileSync(join(root, "docker-bake.json"), "utf8")).variable;
	const release = `v${LOADER_VERSION.default}`;
	// The process that holds a pod's network needs only to wait.
	const pause = `FROM ${BASE_IMAGE.default}\nENTRYPOINT ["sleep", "infinity"]\n`;
	const made = spawnSync("docker", ["build", "--quiet", "--tag", PAUSE_IMAGE, "-"], { env, input: pause, encoding: "utf8" });
	if (made.status !== 0) throw new Error(`docker build fails: ${made.stderr}`);
	const names = [
		PAUSE_IMAGE,
		`kubeless/controller:${release}`,
		...["provision", "trigger"].map((name) => `kubeless/${name}:latest`),
		...versions.flatMap(({ id, version }) =>
			(INSTALLING.includes(id) ? [id, `${id}-installer`] : [id]).map((name) => `kubeless/${name}:${version}-${release}`),
		),
	];
	return {
		versions,
		stop,
		async into(socket, bin) {
			const began = performance.now();
			const saved = spawn("docker", ["save", ...names], { env, stdio: ["ignore", "pipe", "inherit"] });
			const imported = spawn(join(bin, "ctr"), ["--address", socket, "--namespace", "k8s.io", "images", "import", "-"], {
				stdio: [saved.stdout, "ignore", "inherit"],
			});
			const [[status], [code]] = await Promise.all([once(saved, "exit"), once(imported, "exit")]);
			if (status !== 0 || code !== 0) throw new Error(`the images cannot be copied: docker save ended with ${status}, ctr with ${code}`);
			console.log(`Images copied to the node: ${((performance.now() - began) / 1000).toFixed(1)} s`);
		},
	};
}
