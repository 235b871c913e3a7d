import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { LEVELS, type Result } from "../versions/results.ts";

const { readManifests } = await import(new URL("../../images/generate.mjs", import.meta.url).href);
const { supportPage } = await import(new URL("../../images/support.mjs", import.meta.url).href);

const recorded: Result[] = JSON.parse(readFileSync(new URL("../versions/results.json", import.meta.url), "utf8"));

describe("docs/support.md and the results of npm run test:versions", () => {
	test("each recorded version kept all vectors, with its level, origin and date", () => {
		for (const { runtime, version, level, by, mandatory, ok, date } of recorded) {
			const name = `${runtime} ${version}`;
			assert.ok(ok, name);
			assert.ok(LEVELS.includes(level) && by !== "", name);
			assert.match(date, /^\d{4}-\d{2}-\d{2}$/, name);
			if (level === "run") assert.ok((mandatory ?? 0) >= 100, name);
		}
	});

	test("each recorded runtime is one of runtimes/", () => {
		const ids = readManifests().map(({ id }: { id: string }) => id);
		for (const { runtime } of recorded) assert.ok(ids.includes(runtime), runtime);
	});

	test("a version has the highest level that it reached, and its own only", () => {
		const entry = (version: string, level: Result["level"], ok = true): Result => ({
			...{ runtime: "x", version, level, by: "a test", mandatory: 102, optional: 36, ok, date: "2026-01-31" },
		});
		const manifest = { id: "x", name: "X", versions: ["3.11", "3.1", "2.7", "2.6"].map((version) => ({ version })) };
		const page = supportPage(
			[manifest],
			[
				entry("3.11.7", "checked"),
				entry("3.11.7", "run"),
				entry("2.7", "checked"),
				entry("2.6.1", "run", false),
				entry("1.9.3", "checked"),
			],
		);
		const last = (version: string) =>
			page.match(new RegExp(`^\\| X \\| ${version.replace(".", "\\.")} \\|(?:.*\\|)? ([^|]*) \\|$`, "m"))?.[1];
		assert.equal(last("3.11"), "run: 3.11.7 (a test), 102 + 36 vectors, 2026-01-31");
		assert.equal(last("3.1"), "not");
		assert.equal(last("2.7"), "checked: a test, 2026-01-31");
		assert.equal(last("2.6"), "not");
		assert.equal(last("1.9"), "checked: a test, 2026-01-31");
	});
});
