// npm run generate: writes the files that are made from runtimes/*/runtime.json: docker-bake.json
// (the versions to build), images/runtime-images.json (for Kubeless's controller), pages in docs/
// and the table in README.md; with Docker's buildx also images/golden. Tests compare the files with
// the output of this program.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { golden, hasBuildx } from "./golden.mjs";
import { guide } from "./guide.mjs";
import { matrix } from "./matrix.mjs";
import { runtimeImages } from "./runtime-images.mjs";
import { supportPage } from "./support.mjs";
import { between, tables } from "./tables.mjs";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** Returns all generated files: path and text. */
export function generated() {
	const manifests = readManifests();
	const { version, workspaces, devDependencies } = JSON.parse(read("package.json"));
	const { node } = devDependencies;
	return {
		...versioned(
			workspaces.filter((folder) => !folder.includes("*")),
			version,
		),
		"docker-bake.json": json(matrix(manifests, { version, node })),
		"images/runtime-images.json": json(runtimeImages(manifests, version)),
		"docs/functions.md": guide(read("docs/functions.md"), manifests, between),
		"docs/support.md": supportPage(manifests, JSON.parse(read("test/versions/results.json"))),
		"README.md": tables(read("README.md"), manifests),
	};
}

/**
 * Returns the manifests of all runtimes with images; `compiles` is added: whether functions are
 * compiled.
 */
export function readManifests() {
	const runtimes = new URL("../runtimes/", import.meta.url);
	return readdirSync(runtimes)
		.map((id) => ({ id, has: (file) => existsSync(new URL(`${id}/${file}`, runtimes)) }))
		.filter(({ has }) => has("runtime.json") && has("Dockerfile"))
		.map(({ id, has }) => ({ ...JSON.parse(read(`runtimes/${id}/runtime.json`)), compiles: has("compile.sh") }));
}

/** Returns the workspaces' package.json files with the version in the root's package.json. */
function versioned(workspaces, version) {
	const files = workspaces.map((folder) => `${folder}/package.json`);
	return Object.fromEntries(files.map((file) => [file, read(file).replace(/^( *"version": ")[^"]*/m, `$1${version}`)]));
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const write = (files) => {
		for (const [path, text] of Object.entries(files)) writeFileSync(new URL(`../${path}`, import.meta.url), text);
	};
	write(generated());
	if (hasBuildx()) write(golden());
	else console.log("docker buildx is missing: images/golden is not written.");
}
