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

test("a link from a folder to the folder that it is in does not hide changes in the last of many folders", (t) => {
	const names = Array.from({ length: 130 }, (_, number) => `f${String(number).padStart(3, "0")}/f.js`);
	const place = folder(t, Object.fromEntries([...names, "z/helper.js"].map((name) => [name, "one"])));
	symlinkSync("..", join(place, "f000/up"));
	const before = folderState(place, () => true);
	writeFileSync(join(place, "z/helper.js"), "two");
	assert.notEqual(
		folderState(place, () => true),
		before,
	);
});
