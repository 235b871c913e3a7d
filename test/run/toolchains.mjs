// The languages and tools that tests need: checks which are installed, and installs missing ones if
// the user or CI wants that.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must, root, toolsFirst } from "../../kubeless-loader/checkout.mjs";

/** The toolchains that the manifests of all languages name. */
export function languages() {
	return ["runtimes", "examples/custom"]
		.flatMap((folder) => readdirSync(join(root, folder)).map((id) => join(root, folder, id, "runtime.json")))
		.filter((file) => existsSync(file))
		.map((file) => JSON.parse(readFileSync(file, "utf8")));
}

/** Tools that tests run, in addition to the languages. */
export const TOOLS = [
	{ name: "Prometheus", toolchain: { check: ["promtool", "--version"], debian: ["prometheus"] } },
	{ name: "wrk", toolchain: { check: ["sh", "-c", "command -v wrk"], debian: ["wrk"] } },
	{ name: "nginx", toolchain: { check: ["nginx", "-v"], debian: ["nginx-light"] } },
	{ name: "ip", toolchain: { check: ["ip", "-V"], debian: ["iproute2"] } },
	{ name: "BusyBox's shell", toolchain: { check: ["busybox", "ash", "-c", ":"], debian: ["busybox"] } },
];

/**
 * Installs a missing language or tool if the user or CI wants that, else prints that its tests are
 * skipped.
 * @returns {boolean} whether it is installed
 */
export function provide({ id, name, toolchain }) {
	if (!toolchain || works(toolchain.check)) return true;
	const { debian: packages = [], bring = [], absent } = toolchain;
	if (mayInstall()) {
		// At runlevel 1 Debian starts no service that comes with a package.
		const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
		if (packages.length > 0) {
			console.log(`Installing ${packages.join(", ")} for ${name} …`);
			must("apt-get", ["update", "-qq"], env);
			must("apt-get", ["install", "-qq", "--no-install-recommends", ...packages], env);
		}
		const [command, ...args] = bring.map((word) => word.replace("$(RUNTIME_DIR)", join(root, "runtimes", id)));
		if (command) {
			console.log(`Installing ${name} …`);
			must(command, args, env);
		}
		if (works(toolchain.check)) return true;
	}
	const hint = absent ? `; ${absent}` : installHint(packages, bring);
	console.log(`MISSING: ${name} (${toolchain.check.join(" ")} fails), its tests are skipped${hint}`);
	return false;
}

/**
 * Returns whether the user or CI wants missing tools to be installed, and this process can install
 * them.
 */
export function mayInstall() {
	const wanted = process.env.CI === "true" || process.env.KUBELESS_SETUP === "true";
	return wanted && process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

function installHint(packages, bring) {
	if (packages.length > 0) return `; on Debian: apt-get install ${packages.join(" ")}`;
	return bring.length > 0 ? "; on Debian, as root: KUBELESS_SETUP=true npm test" : "";
}

function works([command, ...args]) {
	return spawnSync(command, args, { env: toolsFirst(), stdio: "ignore" }).status === 0;
}
