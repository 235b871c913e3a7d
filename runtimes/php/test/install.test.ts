import { spawnSync } from "node:child_process";
import { zip } from "../../../test/images/archive.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, VERSIONS } from "../../../test/installers/tool.ts";

const FUNCTION = "<?php\nrequire_once 'vendor/autoload.php';\n\nfunction handler($event, $context)\n{\n    return \\Example\\VERSION;\n}\n";
const path = (version: string) => `/dist/thing-${version}.zip`;
const about = (version: string) => ({
	name: "example/thing",
	version,
	license: ["MIT"],
	type: "library",
	autoload: { files: ["thing.php"] },
});

const manifest = (base: string) => ({
	repositories: [{ type: "composer", url: base }, { "packagist.org": false }],
	require: { "example/thing": "^1.0" },
});

/** What Composer holds a lock file to. */
function contentHash(base: string): string {
	const program =
		"$of = json_decode(stream_get_contents(STDIN), true); $relevant = array_intersect_key($of, array_flip(['require', 'repositories'])); ksort($relevant); echo md5(json_encode($relevant));";
	return spawnSync("php", ["-r", program], { input: JSON.stringify(manifest(base)), encoding: "utf8" }).stdout;
}

const auth = (host: string, password = PASSWORD) => JSON.stringify({ "http-basic": { [host]: { username: USER, password } } });

const php: Tool = {
	id: "php",
	depsFile: "composer.json",
	phase: "install",
	packages(_owner, bulk) {
		const archives = VERSIONS.map((version) => {
			const files = {
				"thing/composer.json": JSON.stringify(about(version)),
				"thing/thing.php": `<?php\nnamespace Example;\nconst VERSION = '${version}';\n`,
				"thing/bulk": bulk,
			};
			return [version, zip(files)] as const;
		});
		return (base) => ({
			"/packages.json": JSON.stringify({
				packages: { "example/thing": Object.fromEntries(archives.map(([version, bytes]) => [version, locked(base, version, bytes)])) },
			}),
			...Object.fromEntries(archives.map(([version, bytes]) => [path(version), bytes])),
		});
	},
	files: (base) => ({ "f.php": FUNCTION, "composer.json": JSON.stringify(manifest(base)) }),
	locked: (base, files) => ({
		...php.files(base),
		"composer.lock": JSON.stringify({
			"content-hash": contentHash(base),
			packages: [locked(base, "1.0.0", files[path("1.0.0")] as Buffer)],
			"packages-dev": [],
			aliases: [],
			"minimum-stability": "stable",
			"stability-flags": [],
			"prefer-stable": false,
			"prefer-lowest": false,
			platform: [],
			"platform-dev": [],
		}),
	}),
	secrets: (host, password) => ({ "composer/auth.json": auth(host, password) }),
	verbose: { SHELL_VERBOSITY: "3" },
	// COMPOSER_HOME is the image's: Composer does not run without one, but needs nothing in it.
	kubeless: {
		command: "composer install -d $KUBELESS_INSTALL_VOLUME",
		env: (host) => ({ COMPOSER_AUTH: auth(host), COMPOSER_HOME: "/nonexistent" }),
	},
	file: path("1.0.0"),
	purl: "pkg:composer/example/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

function locked(base: string, version: string, bytes: Buffer) {
	return { ...about(version), dist: { type: "zip", url: `${base}${path(version)}`, shasum: hash("sha1", bytes) } };
}

installs(php);
