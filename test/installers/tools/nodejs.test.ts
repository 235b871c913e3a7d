import { installs } from "../registries.ts";
import { BASIC } from "../registry.ts";
import { hash, type Tool, tarball, VERSIONS } from "../tool.ts";

const FUNCTION = 'const thing = require("thing");\nexports.handler = () => thing.version;\n';
const manifest = { name: "f", version: "1.0.0", dependencies: { thing: "^1.0.0" } };
const path = (version: string) => `/thing/-/thing-${version}.tgz`;
const integrity = (content: Buffer | string) => `sha512-${hash("sha512", content, "base64")}`;

const nodejs: Tool = {
	id: "nodejs",
	depsFile: "package.json",
	phase: "install",
	packages(owner, bulk) {
		const archives = VERSIONS.map((version) => {
			const files = {
				"package/package.json": JSON.stringify({ name: "thing", version, license: "MIT" }),
				"package/index.js": `exports.version = "${version}";`,
				"package/bulk": bulk,
			};
			return [version, tarball(owner, files)] as const;
		});
		return (base) => ({
			"/thing": JSON.stringify({
				name: "thing",
				"dist-tags": { latest: "1.1.0" },
				versions: Object.fromEntries(
					archives.map(([version, bytes]) => [
						version,
						{ name: "thing", version, dist: { tarball: `${base}${path(version)}`, integrity: integrity(bytes) } },
					]),
				),
			}),
			...Object.fromEntries(archives.map(([version, bytes]) => [path(version), bytes])),
		});
	},
	files: () => ({ "f.js": FUNCTION, "package.json": JSON.stringify(manifest) }),
	locked(base, files) {
		const thing = { version: "1.0.0", resolved: `${base}${path("1.0.0")}`, integrity: integrity(files[path("1.0.0")] as Buffer) };
		const lock = { ...manifest, lockfileVersion: 3, requires: true, packages: { "": manifest, "node_modules/thing": thing } };
		return { ...nodejs.files(base), "package-lock.json": JSON.stringify(lock) };
	},
	env: (base) => ({ NPM_REGISTRY: `${base}/` }),
	hasty: { npm_config_fetch_retries: "0" },
	secrets: (host) => ({ "npm/.npmrc": `//${host}/:_auth=${BASIC}\n` }),
	file: path("1.0.0"),
	purl: "pkg:npm/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

installs(nodejs);
