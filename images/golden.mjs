// Makes images/golden from the output of `docker buildx bake --print`, so that a commit shows the
// effect of a change to docker-bake.hcl or to a manifest.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Non-default values of all variables in docker-bake.hcl. */
const SETTINGS = { PLATFORMS: "linux/amd64,linux/arm64", ATTEST: "true", REGISTRY: "registry.example/functions", REVISION: "0123abc" };
const REVISION_LABEL = "org.opencontainers.image.revision";

export const hasBuildx = () => spawnSync("docker", ["buildx", "version"], { stdio: "ignore" }).status === 0;

/** Returns the golden files: path and text. */
export function golden() {
	const every = ["default", "legacy", "runtimes", "installers"];
	const plain = print({}, every);
	const set = print(SETTINGS, every);
	return {
		"images/golden/images.json": lines(plain.target, ({ dockerfile, target, tags, labels }) => ({ dockerfile, target, tags, labels })),
		"images/golden/groups.json": lines(plain.group, ({ targets }) => targets),
		"images/golden/settings.json": lines(set.target, ({ tags, platforms, attest, labels }) => ({
			...{ tag: tags?.[0], platforms, attest, revision: labels?.[REVISION_LABEL] },
		})),
	};
}

/** Returns bake's definition of some targets. @throws if bake fails */
export function print(settings, targets) {
	const { status, stdout, stderr } = spawnSync("docker", ["buildx", "bake", "--print", ...targets], {
		cwd: fileURLToPath(new URL("..", import.meta.url)),
		env: { ...process.env, ...settings },
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(stderr);
	return JSON.parse(stdout);
}

/** Returns JSON with one line per entry, for readable diffs. */
function lines(record, what) {
	const all = Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
	return `{\n${all.map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(what(one))}`).join(",\n")}\n}\n`;
}
