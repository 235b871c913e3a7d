// What docker-bake.hcl makes of the manifests, as `docker buildx bake --print` says it: in images/golden/, so that a change of either shows what it
// means, and nothing changes unseen.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Another registry, platform and commit than a plain build has. */
const SETTINGS = { PLATFORMS: "linux/amd64,linux/arm64", ATTEST: "true", REGISTRY: "registry.example/functions", REVISION: "0123abc" };
const REVISION_LABEL = "org.opencontainers.image.revision";

export const hasBuildx = () => spawnSync("docker", ["buildx", "version"], { stdio: "ignore" }).status === 0;

/** The golden files: path and text. */
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

/** All that bake would build for some targets. */
export function print(settings, targets) {
	const { status, stdout, stderr } = spawnSync("docker", ["buildx", "bake", "--print", ...targets], {
		cwd: fileURLToPath(new URL("..", import.meta.url)),
		env: { ...process.env, ...settings },
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(stderr);
	return JSON.parse(stdout);
}

/** A line for each, so that a difference shows which. */
function lines(record, what) {
	const all = Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
	return `{\n${all.map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(what(one))}`).join(",\n")}\n}\n`;
}
