import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { ask, type Got } from "../support/ask.ts";
import { folder } from "../support/loader.ts";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { docker, must } from "./docker.ts";
import { Examples } from "./examples.ts";
import { everyImage, imageOf, isCompiled } from "./images.ts";
import { until } from "./inside.ts";
import { mountedConfigMap } from "./pod.ts";

/** Options for all restrictions of a cluster. */
const RESTRICTED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m", "--memory-swap", "256m"];
const USERS = { "the image's user": [], "a user of OpenShift's": ["--user", "1000660000:0"] };

everyImage("docker run, without a variable", (version) => {
	const owner = suiteOwner();
	const image = imageOf(version.id, version.version);
	let examples: Examples;
	/** A folder with only the hello example, compiled if the language needs that. */
	let hello: string;

	before(async () => {
		examples = await Examples.of(owner, version);
		hello = await examples.hello(owner);
	});

	if (isCompiled(version)) {
		test("with one source file mounted: prints one sentence with the next step", async () => {
			const { code, stderr } = await docker("run", "--rm", "-v", `${examples.file("hello")}:/kubeless/hello${examples.suffix}:ro`, image);
			assert.equal(code, 1);
			assert.match(stderr, /compiled.*kubeless-compile of .*installer image/);
		});
	} else {
		test("with one file mounted: serves its only handler", async (t) => {
			const { get } = await run(t, image, ["-v", `${examples.file("hello")}:/kubeless/hello${examples.suffix}:ro`]);
			assert.match((await get()).text, /^hello world\n?$/i);
		});

		test("with a ConfigMap mounted: serves it, and its next version after an update", async (t) => {
			const file = `f${examples.suffix}`;
			const map = mountedConfigMap(t, { [file]: "" });
			const swap = (example: string) => map.update({ [file]: readFileSync(examples.file(example)) });
			swap("conformance-single");
			const { get } = await run(t, image, [...RESTRICTED, "-v", `${map.volume}:/kubeless:ro`]);
			assert.equal((await get()).text, "the only one");
			swap("hello");
			await until("the new version is served", async () => /^hello world\n?$/i.test((await get()).text));
		});
	}

	for (const [who, user] of Object.entries(USERS)) {
		test(`with the folder mounted: ${who} serves it and writes to the container only in /tmp`, async (t) => {
			const { id, get } = await run(t, image, [...user, "-v", `${hello}:/kubeless:ro`]);
			for (let call = 0; call < 3; call++) assert.match((await get()).text, /^hello world\n?$/i);
			const changed = (await must("diff", id)).split("\n").filter((line) => !/^$|^C \/tmp$|^A \/tmp\//.test(line));
			assert.deepEqual(changed, []);
		});

		test(`as an image that contains the function: ${who} serves it under a cluster's restrictions`, async (t) => {
			const baked = `kubeless-test/baked-${version.target}`;
			const place = folder(t, { Dockerfile: `FROM ${image}\nCOPY . /kubeless/\n` });
			await must("build", "--quiet", "--tag", baked, "-f", join(place, "Dockerfile"), hello);
			const { id, get } = await run(t, baked, [...RESTRICTED, ...user]);
			assert.match((await get()).text, /^hello world\n?$/i);
			await must("stop", id);
			assert.equal(await must("inspect", "--format", "{{.State.ExitCode}}", id), "0");
		});
	}
});

/** Starts a container and waits until it is ready. */
async function run(owner: Owner, image: string, flags: readonly string[]): Promise<{ id: string; get: () => Promise<Got> }> {
	const id = await must("run", "-d", "-p", "127.0.0.1::8080", ...flags, image);
	owner.after(() => must("rm", "--force", id).then(() => {}));
	const port = Number((await must("port", id, "8080")).split(":").at(-1));
	await until("ready", async () => {
		if ((await must("inspect", "--format", "{{.State.Running}}", id)) !== "true") {
			const { stdout, stderr } = await docker("logs", id);
			throw new Error(`it has ended: ${stdout}${stderr}`);
		}
		return (await ask(port, { path: "/readyz" }).catch(() => undefined))?.status === 200;
	});
	return { id, get: () => ask(port, {}) };
}
