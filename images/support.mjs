/**
 * Returns docs/support.md: every version with an image, the end of its upstream support, and how it
 * was tested.
 * @param results test/versions/results.json
 */
export function supportPage(manifests, results) {
	const without = manifests.flatMap((manifest) => withoutImage(manifest, results));
	return [
		"# Supported versions",
		"",
		"Generated from `runtimes/*/runtime.json` and `test/versions/results.json` by `npm run generate`.",
		"",
		"An image is built for every version below. `docker buildx bake` builds the current versions,",
		"`docker buildx bake legacy` the older ones, which exist for functions that cannot move yet: their",
		"language gets no security fixes any more. A version moves to `legacy` in the first release after",
		"the end of its support, and is removed when its base image is.",
		"",
		"The last column shows what `npm run test:versions` did with the worker:",
		"",
		"- **run**: the worker kept all vectors of the wire on this version;",
		"- **checked**: only the syntax was checked, by a parser of this version or a checker;",
		"- **not**: not tested, or the worker fails on this version; the page of the language has the reason.",
		"",
		"The images themselves are built and run for one version of each language, in `npm run test:images`.",
		"",
		"| language | version | support by its makers ends | built by | worker |",
		"|---|---|---|---|---|",
		...manifests.flatMap(({ id, name, versions }) =>
			versions.map(
				({ version, until, legacy }) =>
					`| ${name} | ${version} | ${until ?? "no date published"} | \`docker buildx bake ${legacy ? "legacy" : id}\` | ${tested(id, version, results)} |`,
			),
		),
		"",
		"Versions without an image:",
		"",
		"| language | version | worker |",
		"|---|---|---|",
		...without,
		"",
	].join("\n");
}

/**
 * Returns whether a full version, such as 3.14.8, is one of a manifest's, such as 3.14. The version
 * "any" stands for all versions of a language.
 */
const belongs = (full, version) => full === "any" || `${full}.`.startsWith(`${version}.`);

/** Returns the most that was done with a version. */
function tested(id, version, results) {
	const fitting = results.filter((result) => result.runtime === id && result.ok && belongs(result.version, version));
	const best = ["run", "checked"].map((level) => fitting.find((one) => one.level === level)).find(Boolean);
	if (!best) return "not";
	const { level, version: full, by, mandatory, optional, date } = best;
	return level === "run" ? `run: ${full} (${by}), ${mandatory} + ${optional} vectors, ${date}` : `${level}: ${by}, ${date}`;
}

function withoutImage({ id, name, versions }, results) {
	const other = results.filter(({ runtime, version }) => runtime === id && !versions.some((one) => belongs(version, one.version)));
	const minors = [...new Set(other.map(({ version }) => version.split(".").slice(0, 2).join(".")))];
	return minors.map((version) => `| ${name} | ${version} | ${tested(id, version, results)} |`);
}
