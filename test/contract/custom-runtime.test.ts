import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { missing } from "../support/needs.ts";
import { suiteOwner } from "../support/owner.ts";
import { follow, freePort, stepsOf, withCommand } from "../support/page.ts";

const root = join(import.meta.dirname, "../..");
const docs = join(root, "docs");
/** By page: the example with the page's files, and the program that the page needs. */
const PAGES = {
	worker: { example: "perl", needs: "perl" },
	server: { example: "express", needs: "npm" },
	command: { example: "command", needs: "sh" },
};

describe("the pages about custom runtimes", () => {
	const owner = suiteOwner();
	let env: NodeJS.ProcessEnv;

	before(() => {
		env = withCommand(owner);
	});

	for (const [page, { example, needs }] of Object.entries(PAGES)) {
		const steps = stepsOf(join(docs, "custom-runtime", `${page}.md`));
		const skip = missing(needs, "curl");

		test(`${page}.md works when it is followed in an empty folder`, { skip }, async (t) => {
			const port = await freePort();
			// The image tests follow the steps that need a container engine.
			const end = steps.findIndex((step) => "commands" in step && step.commands.some((line) => line.startsWith("docker ")));
			await follow(t, steps.slice(0, end), port, { ...env, FUNC_PORT: String(port) });
		});

		test(`${page}.md has the files of examples/custom/${example}`, () => {
			const home = join(root, "examples/custom", example);
			const shown = steps.flatMap((step) => ("file" in step && existsSync(join(home, step.file)) ? [step] : []));
			for (const { file, text } of shown) {
				const own = readFileSync(join(home, file), "utf8");
				assert.ok(file.startsWith("examples/") || text === own, `${file} differs`);
			}
			for (const file of ["runtime.json", "Dockerfile"]) assert.ok(shown.some((one) => one.file === file));
		});
	}

	test("are all tested", () => {
		assert.deepEqual(
			readdirSync(join(docs, "custom-runtime")).sort(),
			Object.keys(PAGES)
				.map((page) => `${page}.md`)
				.sort(),
		);
	});
});
