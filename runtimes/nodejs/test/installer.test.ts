import assert from "node:assert/strict";
import test from "node:test";
import { Pod, works } from "../../../test/installers/pod.ts";
import { installs } from "../../../test/installers/registries.ts";
import { AUTHORITY, BASIC, PASSWORD, Registry, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, tarball, VERSIONS } from "../../../test/installers/tool.ts";
import { describeWith } from "../../../test/support/needs.ts";
import { suiteOwner } from "../../../test/support/owner.ts";

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
	secrets: (host, password = PASSWORD) => ({
		"npm/.npmrc": `//${host}/:_auth=${Buffer.from(`${USER}:${password}`).toString("base64")}\n`,
	}),
	verbose: { npm_config_loglevel: "silly" },
	file: path("1.0.0"),
	purl: "pkg:npm/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

installs(nodejs);

describeWith("npm's own settings", !works(["npm", "--version"]) && "npm is missing", () => {
	const owner = suiteOwner();
	const packages = nodejs.packages(owner, "");
	const start = () => new Registry(owner, packages).listening();
	const environment = { npm_config_fetch_retries: "0" };
	const files = (host: string) => nodejs.files(`https://${host}`);
	const secrets = { "authority/ca.crt": AUTHORITY };

	test("npm's settings in an .npmrc beside the function are used, and its password is in no output", async (t) => {
		const { host } = await start();
		const settings = `registry=https://${host}/\n//${host}/:_auth=${BASIC}\n`;
		const one = (npmrc: string) =>
			new Pod(t, { runtime: "nodejs", depsFile: "package.json", files: { ...files(host), ".npmrc": npmrc }, secrets, env: environment });
		const good = await one(settings).run("install");
		assert.equal(good.code, 0, good.output);
		const bad = await one(settings.replace("_auth=", "_auth=x")).run("install");
		assert.match(bad.log, /refuses this installer/);
		for (const text of [good.output, bad.output, bad.log]) assert.ok(!text.includes(BASIC), text);
	});

	test("NPM_SCOPE names a registry's scope, and NPM_CONFIG_EXTRA any other setting", async (t) => {
		const { host } = await start();
		const env = { ...environment, NPM_REGISTRY: `https://${host}/`, NPM_SCOPE: "@inside", NPM_CONFIG_EXTRA: `//${host}/:_auth ${BASIC}` };
		const deps = JSON.stringify({ dependencies: { "@inside/other": "1.0.0" } });
		const one = new Pod(t, { runtime: "nodejs", depsFile: "package.json", files: { "package.json": deps }, secrets, env });
		const { code, output } = await one.run("install");
		assert.notEqual(code, 0);
		assert.ok(output.includes(`404 Not Found - GET https://${host}/@inside%2fother`), output);
		assert.ok(!output.includes(BASIC), output);
	});
});
