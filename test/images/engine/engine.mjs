// Chooses the Docker engine of the image tests: the machine's engine if it responds; else a
// separate engine, with stand-ins for the public images, if CI=true or KUBELESS_SETUP=true on
// Debian as root.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toolsFirst } from "../../../kubeless-loader/checkout.mjs";
import { run, succeeds } from "../command.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** The folder of the tests' own engine. */
export const HOME = process.env.KUBELESS_ENGINE ?? "/var/tmp/kubeless-engine";
const SOCKET = `unix://${join(HOME, "docker.sock")}`;

/**
 * @returns the environment with the engine's address, and a function that stops the engine. @throws
 * with a hint if there is no engine
 */
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
