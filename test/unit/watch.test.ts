import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { folderState } from "../../kubeless-loader/src/watch.ts";
import { folder } from "../support/loader.ts";

test("a link that leads to itself, and one that leads to nothing, do not hide changes of other files", (t) => {
	const place = folder(t, { "f.js": "one" });
	symlinkSync("loop", join(place, "loop"));
	symlinkSync("nowhere", join(place, "dangling"));
	mkdirSync(join(place, "sub"));
	symlinkSync("..", join(place, "sub", "up"));
	const before = folderState(place, () => true);
	writeFileSync(join(place, "f.js"), "two");
	assert.notEqual(
		folderState(place, () => true),
		before,
	);
});
