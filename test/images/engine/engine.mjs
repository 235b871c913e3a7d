// Which Docker engine the image tests use: the one that answers, with whatever registry it reaches; where none does, one of their own, with
// stand-ins for the public images, if that is wanted (in CI, or KUBELESS_SETUP=true) and can be done (as root, on Debian).
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toolsFirst } from "../../../kubeless-loader/checkout.mjs";
import { run, succeeds } from "../command.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Where an engine of the tests' own has all that is its. */
export const HOME = process.env.KUBELESS_ENGINE ?? "/var/tmp/kubeless-engine";
const SOCKET = `unix://${join(HOME, "docker.sock")}`;

/** @returns the environment to reach it in, and how to be rid of it again. @throws with the cure, where there is none */
export function findEngine() {
	const env = toolsFirst();
	if (succeeds("docker", ["version"], env)) {
		if (succeeds("docker", ["buildx", "version"], env)) return { env, own: env.DOCKER_HOST === SOCKET, stop() {} };
		throw new Error("Docker's buildx plugin is missing (docker buildx version fails).");
	}
	const wanted = process.env.CI === "true" || process.env.KUBELESS_SETUP === "true";
	if (!wanted || process.getuid?.() !== 0 || !existsSync("/etc/debian_version"))
		throw new Error(
			"no Docker engine answers (docker version fails); on Debian 12, as root, KUBELESS_SETUP=true npm run test:images brings one.",
		);
	const parts = [succeeds("dockerd", ["--version"]), ...["buildx", "compose"].map((plugin) => succeeds("docker", [plugin, "version"]))];
	if (parts.includes(false)) {
		console.log("Installing a Docker engine …");
		run("sh", [here("install.sh"), HOME]);
	}
	const reached = { ...env, DOCKER_HOST: SOCKET };
	const wasThere = succeeds("docker", ["version"], reached);
	run("sh", [here("engine.sh"), "start"]);
	return { env: reached, own: true, stop: () => wasThere || run("sh", [here("engine.sh"), "stop"]) };
}
