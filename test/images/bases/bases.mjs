// Makes the stand-ins for the language images that the manifests name.
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../../kubeless-loader/checkout.mjs";
import { run, succeeds } from "../command.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DEBIAN = "debian:bookworm-slim";

/**
 * @param env the environment with the engine's address @param place a folder that is kept between
 * runs
 */
export function makeStandIns(env, place) {
	const base = join(place, "base.tar");
	if (!existsSync(base)) run("sh", [here("base.sh"), base]);
	if (!succeeds("docker", ["image", "inspect", DEBIAN], env)) run("docker", ["import", base, DEBIAN], env);
	const program = join(place, "node");
	rmSync(program, { recursive: true, force: true });
	mkdirSync(join(program, "bin"), { recursive: true });
	cpSync(join(root, "node_modules/node/bin/node"), join(program, "bin/node"), { dereference: true });
	run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", join(program, "made"), "npm@11"]);
	cpSync(join(program, "made/node_modules/npm"), join(program, "npm"), { recursive: true });
	const settings = [
		`*.context=${here(".")}`,
		`*.contexts.program=${program}`,
		`*.contexts.toolchain=${join(root, "runtimes/dotnetcore")}`,
	].flatMap((one) => ["--set", one]);
	run("docker", ["buildx", "bake", "--progress=plain", "--file", here("bases.hcl"), ...settings], env);
}
