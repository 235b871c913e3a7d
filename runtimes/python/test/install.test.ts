import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { zip } from "../../../test/images/archive.ts";
import { folderFor, Pod, works } from "../../../test/installers/pod.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, VERSIONS } from "../../../test/installers/tool.ts";

const FUNCTION = "import thing\n\n\ndef handler(event, context):\n    return thing.VERSION\n";
const path = (version: string) => `/files/thing-${version}-py3-none-any.whl`;

function wheel(version: string, bulk: string): Buffer {
	const about = `thing-${version}.dist-info`;
	const files = {
		"thing.py": `VERSION = "${version}"\n`,
		"thing_bulk.txt": bulk,
		[`${about}/METADATA`]: `Metadata-Version: 2.1\nName: thing\nVersion: ${version}\nLicense: MIT\n`,
		[`${about}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
	};
	const record = [...Object.keys(files), `${about}/RECORD`].map((name) => `${name},,\n`).join("");
	return zip({ ...files, [`${about}/RECORD`]: record });
}

const python: Tool = {
	id: "python",
	depsFile: "requirements.txt",
	phase: "install",
	packages(_owner, bulk) {
		const wheels = VERSIONS.map((version) => [path(version), wheel(version, bulk)] as const);
		const links = wheels.map(([name, bytes]) => `<a href="../..${name}#sha256=${hash("sha256", bytes)}">${name.replace(/.*\//, "")}</a>`);
		return () => ({ "/simple/thing/": `<!DOCTYPE html><html><body>${links.join("\n")}</body></html>`, ...Object.fromEntries(wheels) });
	},
	files: () => ({ "f.py": FUNCTION, "requirements.txt": "thing>=1,<2\n" }),
	locked: (base, files) => ({
		...python.files(base),
		"requirements.txt": `thing==1.0.0 --hash=sha256:${hash("sha256", files[path("1.0.0")] as Buffer)}\n`,
	}),
	env: (base) => ({ PIP_INDEX_URL: `${base}/simple` }),
	hasty: { PIP_RETRIES: "0" },
	secrets: (host, password = PASSWORD) => ({
		"pip/.netrc": `machine ${host.replace(/:.*/, "")} login ${USER} password ${password}\n`,
	}),
	verbose: { PIP_VERBOSE: "3" },
	kubeless: {
		command: "pip install --prefix=$KUBELESS_INSTALL_VOLUME -r $KUBELESS_DEPS_FILE",
		env: (host) => ({ PIP_INDEX_URL: `https://${USER}:${PASSWORD}@${host}/simple` }),
	},
	file: path("1.0.0"),
	purl: "pkg:pypi/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

installs(python);

test("python: wheels beside the function need no registry, and other wheels are another result", {
	skip: !works(["python3", "-m", "pip", "--version"]),
}, async (t) => {
	const cache = folderFor(t);
	const env = { KUBELESS_CACHE: cache, PIP_NO_INDEX: "1", PIP_FIND_LINKS: "wheels" };
	const installs = async (text: string): Promise<string> => {
		const files = { "requirements.txt": "thing\n", "wheels/thing-1.0.0-py3-none-any.whl": wheel("1.0.0", text) };
		const one = new Pod(t, { runtime: "python", depsFile: "requirements.txt", files, env });
		const { code, output } = await one.run("install");
		assert.equal(code, 0, output);
		return one.read(one.listing.find((name) => name.endsWith("thing_bulk.txt")) as string);
	};
	assert.equal(await installs("one"), "one");
	assert.equal(await installs("two"), "two");
	assert.equal(readdirSync(cache).length, 2);
});
