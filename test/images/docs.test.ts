import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { root } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import { shellEnv } from "../support/local-command.ts";
import { follow, freePort, type Step, stepsOf } from "../support/page.ts";
import { must } from "./docker.ts";
import { describeImages, imageOf, versions } from "./images.ts";

describeImages("the pages about images", () => {
	const env = { ...shellEnv(), DOCKER_HOST: process.env["DOCKER_HOST"] };

	before(async () => {
		const { version } = versions.find(({ id }) => id === "nodejs") ?? {};
		for (const name of ["nodejs", "nodejs-installer"]) await must("tag", imageOf(name, version), `kubeless/${name}`);
		// The version in examples/docker.
		await must("buildx", "bake", "--file", "docker-bake.hcl", "--file", "docker-bake.json", "nodejs-24", "nodejs-24-installer");
	});

	test("docs/docker.md can be followed: one file, and a function in an image", async (t) => {
		await follow(t, stepsOf(join(root, "docs/docker.md")), await freePort(), env, root);
	});

	test("docs/air-gapped.md can be followed: a cache filled outside serves inside, where there is no network", async (t) => {
		const place = folder(t);
		chmodSync(place, 0o755);
		symlinkSync(join(root, "runtimes"), join(place, "runtimes"));
		const ofCache = ({ commands }: Step & { commands: readonly string[] }) =>
			commands.some((command) => command.includes("kubeless-cache"));
		const steps = stepsOf(join(root, "docs/air-gapped.md")).filter((step) => "commands" in step && ofCache(step));
		await follow(t, steps, 0, env, place);
		await must(
			"run",
			"--rm",
			"--user",
			"0",
			"--volume",
			`${place}:/place`,
			imageOf("provision"),
			"rm",
			"-rf",
			"/place/outside",
			"/place/inside",
			"/place/cache",
		);
	});
});
