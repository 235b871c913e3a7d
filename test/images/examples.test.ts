import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { parse } from "yaml";
import { object, root, text } from "../platform/manifests.ts";
import { ask } from "../support/ask.ts";
import { folder, PATIENCE_MS } from "../support/loader.ts";
import { docker, must } from "./docker.ts";
import { describeImages } from "./images.ts";
import { mountedConfigMap, openFolder, type PodSpec, startPod } from "./pod.ts";

const template = (name: string): PodSpec => object("Deployment", name).spec.template.spec;
const data = (name: string): Record<string, string> => object("ConfigMap", name).data;
/** Users of a container: the image's user, or a user that OpenShift assigns to a namespace. */
const USERS = { "the image's user": undefined, "a user of OpenShift's": "1000660000:0" };

const noCompose =
	process.env["CI"] || spawnSync("docker", ["compose", "version"]).status === 0
		? false
		: "Docker has no compose plugin (docker compose version)";

describeImages("the examples in a cluster-like pod", () => {
	before(async () => {
		await must(
			"buildx",
			"bake",
			"--file",
			"docker-bake.hcl",
			"--file",
			"docker-bake.json",
			"nodejs-24",
			"nodejs-24-installer",
			"provision",
		);
	});

	for (const [who, user] of Object.entries(USERS)) {
		test(`hello.yaml: ${who} serves the function from the mounted ConfigMap, and again when it changes`, async (t) => {
			const map = mountedConfigMap(t, data("hello"));
			const pod = await startPod(t, template("hello"), { configMaps: { hello: map }, ...(user && { user }) });
			assert.equal((await pod.ask()).text, "Hello World");
			map.update({ "hello.js": 'exports.handler = () => "changed";' });
			const deadline = Date.now() + PATIENCE_MS;
			while ((await pod.ask()).text !== "changed") assert.ok(Date.now() < deadline, await pod.logs());
			assert.match((await pod.ask({ path: "/metrics" })).text, /^function_calls_total\{method="GET"\} \d/m);
			assert.equal(await pod.stop(), 0, await pod.logs());
		});

		test(`dependencies.yaml: ${who} installs the dependencies, and the next pod takes them from the cache`, async (t) => {
			const claims = { "install-cache": openFolder(t) };
			const configMaps = { deps: mountedConfigMap(t, data("deps")) };
			const first = await startPod(t, template("deps"), { configMaps, claims, network: "host", ...(user && { user }) });
			assert.equal((await first.ask({ path: "/?in=2%20days" })).text, "2 days is 172800000 ms");
			assert.equal(await first.stop(), 0);
			// Without a network, the cache is the only source.
			const second = await startPod(t, template("deps"), { configMaps, claims, network: "none", ...(user && { user }) });
			assert.match(second.initOutput.join(), /Taken from the cache/);
			assert.equal((await second.ask({ path: "/?in=1h" })).text, "1h is 3600000 ms");
		});
	}

	test("a function that fails to load ends its pod with a message in the log", async (t) => {
		const configMaps = { hello: mountedConfigMap(t, { "hello.js": "this is (no code" }) };
		await assert.rejects(startPod(t, template("hello"), { configMaps }), /the pod does not start.*hello\.js/s);
	});

	test("examples/docker: an image that contains the function serves it as any user, without mounts", async (t) => {
		const image = "kubeless-test/baked";
		await must(
			...["build", "--quiet", "--network", "host", "--tag", image],
			...["-f", "examples/docker/Dockerfile", "runtimes/nodejs/examples/deps"],
		);
		const restricted = template("hello").containers[0];
		const container = { ...restricted, image, env: [], volumeMounts: [] };
		const pod = await startPod(t, { containers: [container] }, { user: "1000660000:0" });
		assert.equal((await pod.ask({ path: "/?in=1h" })).text, "1h is 3600000 ms");
		const changed = await docker("exec", pod.id, "/opt/kubeless/bin/node", "-e", "require('fs').writeFileSync('/kubeless/deps.js', '')");
		assert.match(changed.stderr, /EROFS|EACCES/);
		assert.equal(await pod.stop(), 0);
	});

	test("examples/docker: dependencies are one layer, which does not change with the function", async (t) => {
		const build = (files: Record<string, string>) =>
			docker("build", "--progress", "plain", "--network", "host", "-f", "examples/docker/Dockerfile", folder(t, files));
		const files = Object.fromEntries(readdirSync(join(root, "runtimes/nodejs/examples/deps")).map((name) => [name, read(name)]));
		assert.equal((await build(files)).code, 0);
		const { stderr, code } = await build({ ...files, "deps.js": "exports.handler = () => 'changed';" });
		assert.equal(code, 0, stderr);
		assert.match(stderr, /RUN kubeless-install\n#\d+ CACHED/);
	});
});

describe("examples/compose", () => {
	const compose = parse(text("examples/compose/compose.yaml"));

	test("mounts existing files, and listens on the loopback address only", () => {
		for (const { volumes = [], ports = [] } of Object.values(compose.services) as { volumes?: string[]; ports?: string[] }[]) {
			for (const volume of volumes) assert.ok(existsSync(join(root, "examples/compose", volume.split(":")[0] as string)), volume);
			for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
		}
	});

	describeImages("a project that docker compose takes", () => {
		test("serves its function, and the new version after it is saved", { skip: noCompose }, async (t) => {
			const project = folder(t);
			cpSync(join(root, "examples/compose"), project, { recursive: true });
			// Changes only the port.
			const override = "services: { function: { ports: !override ['127.0.0.1::8080'] } }";
			writeFileSync(join(project, "compose.override.yaml"), override);
			const run = (...words: string[]) =>
				must("compose", "--project-directory", project, "--project-name", `kubeless-test-${process.pid}`, ...words);
			await run("config", "--quiet");
			t.after(() => run("down", "--timeout", "1").then(() => {}));
			await run("up", "--detach", "--wait", "function");
			const [, port] = (await run("port", "function", "8080")).split(":");
			assert.equal((await ask(Number(port), {})).text, "Hello World");
			writeFileSync(join(project, "function/hello.js"), 'exports.handler = () => "saved";');
			const deadline = Date.now() + PATIENCE_MS;
			while ((await ask(Number(port), {})).text !== "saved") assert.ok(Date.now() < deadline, await run("logs"));
		});
	});
});

function read(name: string): string {
	return text(`runtimes/nodejs/examples/deps/${name}`);
}
