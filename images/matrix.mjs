/**
 * Returns docker-bake.json: the versions that docker-bake.hcl builds images for, and the groups.
 */
export function matrix(manifests, { version, node }) {
	const versions = manifests.flatMap(targets);
	const installer = ({ target, installs }) => (installs ? [`${target}-installer`] : []);
	const both = (item) => [item.target, ...installer(item)];
	const current = versions.filter(({ legacy }) => !legacy);
	const group = (targets) => ({ targets });
	const languages = manifests.map(({ id }) => [id, group(current.filter((item) => item.id === id).flatMap(both))]);
	return {
		variable: {
			LOADER_VERSION: { default: version },
			NODE_IMAGE: { default: `docker.io/library/node:${node}-bookworm-slim` },
			BASE_IMAGE: { default: "docker.io/library/debian:bookworm-slim" },
			VERSIONS: { default: versions },
		},
		group: {
			default: group(["loader", "provision", "controller", "trigger", ...manifests.map(({ id }) => id)]),
			...Object.fromEntries(languages),
			runtimes: group(current.map(({ target }) => target)),
			installers: group(current.flatMap(installer)),
			legacy: group(versions.filter(({ legacy }) => legacy).flatMap(both)),
		},
	};
}

function targets({ id, name, versions, install, compiles, images = {} }) {
	const newest = versions.find(({ legacy }) => !legacy) ?? versions[0];
	const args = Object.fromEntries(Object.entries(images).map(([key, image]) => [`${key.toUpperCase()}_IMAGE`, image]));
	return versions.map((entry) => ({
		target: `${id}-${entry.version.replaceAll(".", "-")}`,
		id,
		name,
		version: entry.version,
		base: entry.base,
		installer: entry.installer ?? entry.base,
		installs: install !== undefined || compiles,
		newest: entry === newest,
		legacy: entry.legacy === true,
		args,
	}));
}
