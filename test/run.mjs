// npm test: installs, checks style and types, runs all tests. Arguments name test files or folders to run instead of all.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must, prepare, root, toolsFirst } from "../kubeless-loader/checkout.mjs";
import { buildImages } from "./images/build.mjs";
import { test } from "./run-tests.mjs";

prepare();
for (const needed of [...manifests(), ...tools()]) provide(needed);
must("npm", ["run", "--silent", "check"]);

const asked = process.argv.slice(2);
const wantsImages = asked.length === 0 || asked.some((path) => path.startsWith("test/images"));
// Where CI is set nothing is skipped; at a desk `npm run test:images` is a command of its own, as building takes minutes.
const images = wantsImages && process.env.CI === "true" ? buildImages() : undefined;
const status = test(asked.length > 0 ? asked : ["test/**/*.test.ts", "runtimes/*/test/**/*.test.ts"], images?.env);
images?.stop();
process.exit(status);

function manifests() {
	return ["runtimes", "examples/custom"]
		.flatMap((folder) => readdirSync(join(root, folder)).map((id) => join(root, folder, id, "runtime.json")))
		.filter((file) => existsSync(file))
		.map((file) => JSON.parse(readFileSync(file, "utf8")));
}

/** What tests run beside the languages. */
function tools() {
	return [
		{ name: "Prometheus", toolchain: { check: ["promtool", "--version"], debian: ["prometheus"] } },
		{ name: "wrk", toolchain: { check: ["sh", "-c", "command -v wrk"], debian: ["wrk"] } },
		{ name: "BusyBox's shell", toolchain: { check: ["busybox", "ash", "-c", ":"], debian: ["busybox"] } },
	];
}

/** Makes sure a language or a tool is there: installed where that was asked for, else its tests say that they are skipped. */
function provide({ id, name, toolchain }) {
	if (!toolchain || works(toolchain.check)) return;
	const { debian: packages = [], bring = [], absent } = toolchain;
	const wanted = process.env.CI === "true" || process.env.KUBELESS_SETUP === "true";
	const able = process.getuid?.() === 0 && existsSync("/etc/debian_version");
	if (wanted && able) {
		// At runlevel 1 no service is started that comes with a package.
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
		if (works(toolchain.check)) return;
	}
	const means =
		packages.length > 0 ? `apt-get install ${packages.join(" ")}` : bring.length > 0 ? "KUBELESS_SETUP=true npm test, as root" : "";
	const cure = absent ? `; ${absent}` : means && `; on Debian: ${means}`;
	console.log(`MISSING: ${name} (${toolchain.check.join(" ")} fails), its tests will be skipped${cure}`);
}

function works([command, ...args]) {
	return spawnSync(command, args, { env: toolsFirst(), stdio: "ignore" }).status === 0;
}
