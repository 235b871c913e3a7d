// The images of the controller and of the consumer of triggers, without a cluster and a broker:
// test/cluster/node.test.ts has them at work.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { docker, must } from "./docker.ts";
import { describeImages, imageOf } from "./images.ts";

/** Restrictions of their pods. */
const RESTRICTED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"];

describeImages("the images of the controller and of the consumer", () => {
	for (const name of ["controller", "trigger"]) {
		test(`${name}: has a user other than root and no package manager`, async () => {
			const image = imageOf(name);
			assert.equal(await must("image", "inspect", "--format", "{{.Config.User}}", image), "1000");
			const look = "for name in node npm npx corepack yarn; do command -v $name; done; true";
			const found = await must("run", "--rm", "--entrypoint", "sh", image, "-c", look);
			assert.deepEqual(
				found.split("\n").map((path) => basename(path)),
				["node"],
			);
		});
	}

	test("controller: without a cluster it ends with the reason, on a read-only root", async () => {
		const { code, stdout, stderr } = await docker("run", "--rm", ...RESTRICTED, imageOf("controller"));
		assert.equal(code, 1, stdout + stderr);
		assert.match(stdout, /No cluster: set KUBECONFIG/);
	});

	test("trigger: without settings it ends with the names of those that are missing, on a read-only root", async () => {
		const { code, stdout, stderr } = await docker("run", "--rm", ...RESTRICTED, imageOf("trigger"), "kafka");
		assert.equal(code, 1, stdout + stderr);
		assert.match(stderr, /TRIGGER_TOPIC/);
	});
});
