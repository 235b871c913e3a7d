import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { folder } from "../support/loader.ts";
import { imageTags, root, text } from "./manifests.ts";

interface Image {
	readonly phase: string;
	readonly image: string;
	readonly command?: string;
	readonly env?: Record<string, string>;
	readonly secrets?: { name: string }[];
}
interface Version {
	readonly name: string;
	readonly version: string;
	readonly images: Image[];
	readonly imagePullSecrets?: object[];
}
interface Runtime {
	readonly ID: string;
	readonly depName: string;
	readonly fileNameSuffix: string;
	readonly versions: Version[];
	readonly livenessProbeInfo?: object;
}

/**
 * A cluster's runtime-images: a runtime of Kubeless, a custom one, and fields that a user has added
 * to them.
 */
const THERE = [
	{
		ID: "nodejs",
		depName: "package.json",
		fileNameSuffix: ".js",
		livenessProbeInfo: { periodSeconds: 7 },
		versions: [
			{
				name: "node15",
				version: "15",
				imagePullSecrets: [{ ImageSecret: "mine" }],
				images: [
					{ phase: "installation", image: "kubeless/nodejs@sha256:a", command: "/kubeless-npm-install.sh", secrets: [{ name: "npm" }] },
					{ phase: "runtime", image: "kubeless/nodejs@sha256:a", env: { NODE_PATH: "$(KUBELESS_INSTALL_VOLUME)/node_modules" } },
				],
			},
			{ name: "node13", version: "13", images: [{ phase: "runtime", image: "kubeless/nodejs@sha256:b" }] },
		],
	},
	{ ID: "perl", depName: "cpanfile", fileNameSuffix: ".pl", versions: [{ name: "perl5", version: "5", images: [] }] },
];

function patched(there: string, ...args: string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "examples/kubeless/patch.mjs"), ...args], {
		input: there,
		encoding: "utf8",
	});
	assert.equal(status, 0, stderr);
	const { data } = JSON.parse(stdout);
	return { data, runtimes: JSON.parse(data["runtime-images"]) as Runtime[] };
}
const version = (runtimes: Runtime[], id: string, name: string): Version => {
	const found = runtimes.find(({ ID }) => ID === id)?.versions.filter((one) => one.version === name) ?? [];
	assert.equal(found.length, 1, `${id} ${name}`);
	return found[0] as Version;
};
const there = JSON.stringify(THERE);

describe("examples/kubeless/patch.mjs", () => {
	test("adds all runtimes, with images that bake builds and the provision image", () => {
		const { data, runtimes } = patched("");
		assert.deepEqual(runtimes, JSON.parse(text("images/runtime-images.json")));
		const tags = imageTags();
		const images = runtimes.flatMap(({ versions }) => versions.flatMap((one) => one.images.map(({ image }) => image)));
		assert.ok(images.length > 20);
		for (const image of [...images, data["provision-image"]]) assert.ok(tags.has(image), `bake builds no ${image}`);
	});

	test("does not change runtimes without a successor", () => {
		const { runtimes } = patched(there);
		assert.deepEqual(version(runtimes, "nodejs", "15"), THERE[0]?.versions[0]);
		assert.deepEqual(version(runtimes, "nodejs", "13"), THERE[0]?.versions[1]);
		assert.deepEqual(runtimes.at(-1), THERE[1]);
		assert.deepEqual(runtimes.find(({ ID }) => ID === "nodejs")?.livenessProbeInfo, { periodSeconds: 7 });
		assert.ok(version(runtimes, "nodejs", "24"));
	});

	test("--as uses new images for an old name, and keeps its pull secrets and the phases' secrets", () => {
		const { runtimes } = patched(there, "--as", "nodejs15=nodejs24");
		const wanted = version(runtimes, "nodejs", "24");
		const { name, images, imagePullSecrets } = version(runtimes, "nodejs", "15");
		assert.equal(name, "nodejs15");
		assert.deepEqual(imagePullSecrets, [{ ImageSecret: "mine" }]);
		assert.deepEqual(images, [{ ...wanted.images[0], secrets: [{ name: "npm" }] }, wanted.images[1]]);
		assert.deepEqual(version(runtimes, "nodejs", "13"), THERE[0]?.versions[1]);
	});

	test("a second run changes nothing", () => {
		const once = patched(there, "--as", "nodejs15=nodejs24").data["runtime-images"];
		assert.equal(patched(once, "--as", "nodejs15=nodejs24").data["runtime-images"], once);
	});

	test("--registry changes only the images of this project", () => {
		const { data, runtimes } = patched(there, "--registry", "registry.example/k");
		assert.match(data["provision-image"], /^registry\.example\/k\/provision:v/);
		assert.match(version(runtimes, "nodejs", "24").images[1]?.image ?? "", /^registry\.example\/k\/nodejs:24-v/);
		assert.deepEqual(version(runtimes, "nodejs", "13"), THERE[0]?.versions[1]);
	});

	test("reports a mistake in one sentence", () => {
		const mistakes: [string, string[], RegExp][] = [
			["- ID: go", [], /^Standard input is not the JSON of runtime-images: .*\n$/],
			["", ["--as", "nodejs15"], /^--as nodejs15: give OLD=NEW, such as nodejs14=nodejs24\.\n$/],
			["", ["--as", "nodejs15=nodejs9"], /^--as nodejs15=nodejs9: there is no runtime nodejs9\.\n$/],
			["", ["--as", "ruby2.5=nodejs24"], /ruby and nodejs are different languages\.\n$/],
		];
		for (const [input, args, message] of mistakes) {
			const { status, stderr } = spawnSync(process.execPath, [join(root, "examples/kubeless/patch.mjs"), ...args], {
				input,
				encoding: "utf8",
			});
			assert.deepEqual([status, message.test(stderr)], [1, true], stderr);
		}
	});
});

/** A kubectl that accepts only the commands in docs/kubeless.md. */
const FAKE_KUBECTL = `#!/bin/sh
	[ "$1 $2" = '-n kubeless' ] || exit 9
	shift 2
	case $* in
	'get configmap kubeless-config -o yaml') echo 'the whole ConfigMap' ;;
	'get configmap kubeless-config -o jsonpath={.data.runtime-images}') cat "$PLACE/runtimes" ;;
	'patch configmap kubeless-config --patch-file patch.json') cp patch.json "$PLACE/patched" ;;
	'rollout restart deployment kubeless-controller-manager') touch "$PLACE/restarted" ;;
	*) echo "kubectl $*?" >&2; exit 9 ;;
	esac
`;

test("the commands in docs/kubeless.md patch the ConfigMap that they read, and keep the old one in a file", (t) => {
	const [, commands = ""] = /```sh\n([\s\S]*?)```/.exec(text("docs/kubeless.md")) ?? [];
	const place = folder(t, { "bin/kubectl": FAKE_KUBECTL, runtimes: there });
	chmodSync(join(place, "bin/kubectl"), 0o755);
	for (const part of ["examples", "images", "kubeless-loader"]) spawnSync("ln", ["-s", join(root, part), place]);
	const { status, stderr } = spawnSync("sh", ["-euc", commands], {
		cwd: place,
		env: { ...process.env, PATH: `${place}/bin:${process.env["PATH"]}`, PLACE: place },
		encoding: "utf8",
	});
	assert.equal(status, 0, stderr);
	const { runtimes } = patched(there);
	assert.deepEqual(JSON.parse(JSON.parse(readFileSync(join(place, "patched"), "utf8")).data["runtime-images"]), runtimes);
	assert.equal(readFileSync(join(place, "kubeless-config.yaml"), "utf8"), "the whole ConfigMap\n");
	assert.ok(existsSync(join(place, "restarted")));
});
