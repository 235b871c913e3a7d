/** Returns docs/support.md: every version with an image, and the end of its upstream support. */
export function supportPage(manifests) {
	return [
		"# Supported versions",
		"",
		"Generated from `runtimes/*/runtime.json` by `npm run generate`.",
		"",
		"An image is built for every version below. `docker buildx bake` builds the current versions,",
		"`docker buildx bake legacy` the older ones, which exist for functions that cannot move yet: their",
		"language gets no security fixes any more. A version moves to `legacy` in the first release after",
		"the end of its support, and is removed when its base image is.",
		"",
		"| language | version | support by its makers ends | built by |",
		"|---|---|---|---|",
		...manifests.flatMap(rows),
		"",
	].join("\n");
}

const rows = ({ id, name, versions }) =>
	versions.map(
		({ version, until, legacy }) =>
			`| ${name} | ${version} | ${until ?? "no date published"} | \`docker buildx bake ${legacy ? "legacy" : id}\` |`,
	);
