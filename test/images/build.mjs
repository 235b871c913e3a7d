// Builds what the image tests run, once for all of them: a version of every language, the loader's image and the provision image. What was built
// and on what is then in BUILT, which the tests read. With `engine`, as in CI, it first brings an engine of its own (as root, on Debian 12) and
// stand-ins for the public base images; else Docker and its registry are the user's.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, root } from "../../kubeless-loader/checkout.mjs";

export const BUILT = join(root, "node_modules/.cache/images/built.json");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const home = process.env.KUBELESS_ENGINE ?? "/var/tmp/kubeless-engine";

const standIns = process.argv.includes("engine");
if (standIns) {
	bringEngine();
	makeStandIns();
}
const { VERSIONS } = JSON.parse(readFileSync(join(root, "docker-bake.json"), "utf8")).variable;
const versions = choose(VERSIONS.default);
const targets = [
	"loader",
	"provision",
	...versions.flatMap(({ target, installs }) => (installs ? [target, `${target}-installer`] : [target])),
];
docker("buildx", "bake", "--progress=quiet", ...targets);
mkdirSync(join(BUILT, ".."), { recursive: true });
writeFileSync(BUILT, JSON.stringify({ standIns, host: process.env.DOCKER_HOST, versions }, null, 2));
console.log(`Built ${targets.join(", ")}.`);

/** Of every language the newest version; with stand-ins the one that there is a stand-in for. */
function choose(all) {
	return [...new Set(all.map(({ id }) => id))].flatMap((id) => {
		const of = all.filter((item) => item.id === id);
		const found = of.find(
			standIns ? ({ base, installer, args }) => [base, installer, ...Object.values(args)].every(isHere) : ({ newest }) => newest,
		);
		if (found) return [found];
		console.log(`MISSING: no stand-in for a base image of ${id}, its image tests will be skipped.`);
		return [];
	});
}

function bringEngine() {
	if (spawnSync("dockerd", ["--version"]).status !== 0 || spawnSync("docker", ["buildx", "version"]).status !== 0)
		must("sh", [here("engine/install.sh"), home]);
	const { status, stdout, stderr } = spawnSync("sh", [here("engine/engine.sh"), "start"], { encoding: "utf8" });
	if (status !== 0) throw new Error(`The Docker engine does not start: ${stderr}`);
	process.env.DOCKER_HOST = stdout.trim();
}

function makeStandIns() {
	const base = join(home, "base.tar");
	if (!existsSync(base)) must("sh", [here("bases/base.sh"), base]);
	if (!isHere("debian:bookworm-slim")) docker("import", base, "debian:bookworm-slim");
	const program = join(home, "node");
	rmSync(program, { recursive: true, force: true });
	mkdirSync(join(program, "bin"), { recursive: true });
	cpSync(join(root, "node_modules/node/bin/node"), join(program, "bin/node"), { dereference: true });
	must("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", join(program, "made"), "npm@11"]);
	cpSync(join(program, "made/node_modules/npm"), join(program, "npm"), { recursive: true });
	docker(
		"buildx",
		"bake",
		"--progress=quiet",
		"--file",
		here("bases/bases.hcl"),
		"--set",
		`*.context=${here("bases")}`,
		"--set",
		`*.contexts.program=${program}`,
	);
}

function isHere(image) {
	return spawnSync("docker", ["image", "inspect", image]).status === 0;
}

function docker(...args) {
	must("docker", args, process.env);
}
