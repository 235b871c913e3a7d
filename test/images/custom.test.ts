import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { root, text } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { follow, freePort, stepsOf, withCommand } from "../support/page.ts";
import { docker, must } from "./docker.ts";
import { describeImages } from "./images.ts";
import { type PodSpec, startPod } from "./pod.ts";

/** By name in examples/custom: a request to its image, and the expected response. */
const EXAMPLES = {
	command: [{ body: "to be or not to be" }, /^ +2 be\n +2 to\n +1 not\n +1 or\n$/],
	express: [
		{ path: "/greet/Ada", body: '{"word":"ciao"}', headers: { "Content-Type": "application/json" } },
		/^\{"greeting":"ciao Ada"\}$/,
	],
	perl: [{ body: "Ada" }, /^hello Ada$/],
	rust: [{}, /^hello world$/],
} as const;
const USERS = { "the image's user": undefined, "a user of OpenShift's": "1000660000:0" };
const IMAGE = "kubeless/loader";

describeImages("the loader's image with a custom runtime", () => {
	const owner = suiteOwner();
	const faulty = join(root, "test/conformance/faulty");

	before(async () => {
		await must("buildx", "bake", "--progress=quiet", "--file", "docker-bake.hcl", "--file", "docker-bake.json", "loader", "examples");
	});

	for (const [name, [request, answer]] of Object.entries(EXAMPLES)) {
		for (const [who, user] of Object.entries(USERS)) {
			test(`examples/custom/${name}: ${who} serves it under a cluster's restrictions, and it stops with exit code 0`, async (t) => {
				const pod = await startPod(t, podOf(`kubeless/example-${name}`, name === "perl"), {
					...(user && { user }),
					configMaps: {},
					claims: { function: readable(owner, { "hello.pl": text("examples/custom/perl/hello.pl") }) },
				});
				const got = await pod.ask(request);
				assert.equal(got.status < 300, true, await pod.logs());
				assert.match(got.text, answer);
				assert.match((await pod.ask({ path: "/metrics" })).text, /^function_calls_total\{method="\w+"\} 1$/m);
				assert.equal(await pod.stop(), 0, await pod.logs());
			});
		}
	}

	test("the image contains conform, which works without a checkout", async () => {
		const conform = (fault: string[]) =>
			docker(
				...["run", "--rm", "-v", `${faulty}:/w:ro`, IMAGE, "conform", "--function", "/w/examples/conformance.mjs"],
				...["--only", "ready", "--only", "answered-once", "--", "/opt/kubeless/bin/node", ...fault],
			);
		const good = await conform(["/w/reference.mjs"]);
		assert.equal(good.code, 0, good.stdout + good.stderr);
		assert.match(good.stdout, /^The worker keeps the wire\.$/m);
		const bad = await conform(["/w/worker.mjs", "answers twice"]);
		assert.equal(bad.code, 1, bad.stdout + bad.stderr);
		assert.match(bad.stdout, /Rule 4\.9 of PROTOCOL\.md is broken/);
	});

	test("conform tests a worker in the worker's image", async () => {
		const handlers = join(root, "examples/custom/perl/examples");
		const words = ["conform", "--manifest", "/opt/kubeless/runtimes/perl/runtime.json", "--function", "/examples/conformance.pl"];
		const { code, stdout, stderr } = await docker("run", "--rm", "-v", `${handlers}:/examples:ro`, "kubeless/example-perl", ...words);
		assert.equal(code, 0, stdout + stderr);
		assert.match(stdout, /^Mandatory: \d+ kept$/m);
	});

	test("contains the manifest's schema, and reports an invalid manifest with the field and the expected value", async (t) => {
		const schema = await must("run", "--rm", "--entrypoint", "cat", IMAGE, "/opt/kubeless/runtime.schema.json");
		assert.equal(`${schema}\n`, text("runtimes/runtime.schema.json"));
		const wrong = readable(t, {
			"runtime.json": '{ "id": "lua", "concurrency": "threads", "worker": ["lua"], "speaks": "http", "http": { "port": "80" } }',
		});
		const { code, stderr } = await docker("run", "--rm", "-v", `${wrong}:/opt/kubeless/runtimes/lua:ro`, IMAGE);
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^kubeless-loader: In \/opt\/kubeless\/runtimes\/lua\/runtime\.json, "http\.port" must be a whole number from 1 to 65535\.$/m,
		);
	});

	test("without a runtime reports what is missing", async () => {
		const { code, stderr } = await docker("run", "--rm", IMAGE);
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^kubeless-loader: No runtime is installed: put a runtime\.json and its worker into a folder of \/opt\/kubeless\/runtimes\.$/m,
		);
	});

	for (const page of ["worker", "server", "command"]) {
		test(`docs/custom-runtime/${page}.md can be followed to its end, including the image`, async (t) => {
			const port = await freePort();
			const env = { ...withCommand(t), DOCKER_HOST: process.env["DOCKER_HOST"], FUNC_PORT: String(port) };
			await follow(t, stepsOf(join(root, "docs/custom-runtime", `${page}.md`)), port, env);
		});
	}
});

/** Makes a folder that every user can read. */
function readable(owner: Owner, files: Readonly<Record<string, string>>): string {
	const place = folder(owner, files);
	chmodSync(place, 0o755);
	return place;
}

function podOf(image: string, hasFile: boolean): PodSpec {
	const volumes = hasFile ? [{ name: "function", persistentVolumeClaim: { claimName: "function" } }] : [];
	return {
		containers: [
			{
				name: "function",
				image,
				ports: [{ containerPort: 8080 }],
				resources: { limits: { memory: "256Mi" } },
				securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
				volumeMounts: volumes.map(({ name }) => ({ name, mountPath: "/kubeless", readOnly: true })),
				startupProbe: { httpGet: { path: "/readyz" } },
			},
		],
		volumes,
	};
}
