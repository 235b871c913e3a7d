import assert from "node:assert/strict";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createGzip, createUnzip } from "node:zlib";
import { folder } from "../support/loader.ts";
import { docker, must } from "./docker.ts";
import { describeImages, imageOf, standIns, versions } from "./images.ts";

const MB = 1e6;

describeImages("the loader's layer", () => {
	const images = ["loader", ...versions.map(({ id }) => id)];
	const version = (id: string) => versions.find((one) => one.id === id)?.version;
	const layers = async (id: string): Promise<string[]> =>
		JSON.parse(await must("image", "inspect", "--format", "{{json .RootFS.Layers}}", imageOf(id, version(id))));

	test("is the first layer of every image, and the same in all", async () => {
		const first = await Promise.all(images.map(async (id) => (await layers(id))[0]));
		assert.equal(new Set(first).size, 1, images.map((id, at) => `${id} ${first[at]}`).join("\n"));
	});

	test("is at most 120 MB, and 45 MB compressed", async (t) => {
		const place = folder(t);
		await must("save", "--output", join(place, "loader.tar"), imageOf("loader"));
		await must(
			"run",
			"--rm",
			"-v",
			`${place}:/place`,
			"--user",
			"0",
			"--workdir",
			"/place",
			imageOf("provision"),
			"tar",
			"xf",
			"loader.tar",
		);
		const [{ Layers }] = JSON.parse(readFileSync(join(place, "manifest.json"), "utf8"));
		const blob = join(place, Layers[0]);
		// Docker's older image store keeps layers uncompressed, the newer one compressed.
		const kept = statSync(blob).size;
		const size = await measured(createReadStream(blob).pipe(createUnzip())).catch(() => kept);
		const packed = size === kept ? await measured(createReadStream(blob).pipe(createGzip())) : kept;
		t.diagnostic(`${(size / MB).toFixed(1)} MB, ${(packed / MB).toFixed(1)} MB compressed`);
		assert.ok(size <= 120 * MB && packed <= 45 * MB);
	});

	test("has a code cache of the loader, which V8 accepts", async () => {
		const { stderr, stdout } = await docker("run", "--rm", "--env", "NODE_DEBUG_NATIVE=COMPILE_CACHE", imageOf("loader"), "--version");
		assert.match(stdout + stderr, /loader\.mjs was accepted/);
	});

	test("reports the sizes of the images", async (t) => {
		t.diagnostic(standIns ? "on stand-ins for the public images" : "on the public images");
		for (const { id, version, installs } of versions) {
			const size = async (name: string) => Number(await must("image", "inspect", "--format", "{{.Size}}", imageOf(name, version)));
			const installer = installs ? `, installer ${((await size(`${id}-installer`)) / MB).toFixed(0)} MB` : "";
			t.diagnostic(`${id} ${version}: ${((await size(id)) / MB).toFixed(0)} MB${installer}`);
		}
	});
});

async function measured(stream: AsyncIterable<Buffer>): Promise<number> {
	let size = 0;
	for await (const chunk of stream) size += chunk.length;
	return size;
}
