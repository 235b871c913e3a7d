import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import { compile, go, handler, needsGo, startIn, warmCache } from "./worker.ts";

describe("Go: Kubeless's compilation phase", needsGo, () => {
	before(warmCache);

	test("the compilation phase makes a server that needs no Go and no source, with every handler of the folder", async (t) => {
		const place = folder(t, {
			"any name.go": go(handler("return helped(), nil", "First")),
			"more.go": go(`${handler('return "second", nil', "Second")}\nfunc helped() string { return "first" }\n`),
			"go.mod": "",
		});
		const { status, stderr } = await compile(place, "First");
		assert.equal(status, 0, stderr);
		assert.ok(existsSync(join(place, "server")));
		const env = { PATH: "/usr/bin:/bin", KUBELESS_HANDLER_FILE: join(place, "gone.go"), KUBELESS_LOADER_CACHE: "/nowhere" };
		const first = await startIn(t, join(place, "any name.go"), { ...env, FUNC_HANDLER: "First" });
		assert.equal((await first.ask()).text, "first");
		assert.equal(first.stderr, "");
		const second = await startIn(t, join(place, "any name.go"), { ...env, FUNC_HANDLER: "Second" });
		assert.equal((await second.ask()).text, "second");
	});

	test("the compilation phase reports an error and makes no server", async (t) => {
		const place = folder(t, { "f.go": go(handler("return absent, nil")) });
		const { status, stderr } = await compile(place, "Handler");
		assert.equal(status, 1);
		assert.match(stderr, /^\.\/f\.go:8:8: undefined: absent\n$/);
		writeFileSync(join(place, "f.go"), go(handler('return "", nil')));
		const unknown = await compile(place, "Absent");
		assert.equal(unknown.status, 1);
		assert.equal(unknown.stderr, 'there is no function "Absent" in f.go; it has Handler\n');
		assert.ok(!existsSync(join(place, "server")));
		assert.match((await compile(folder(t), "Absent")).stderr, /^there is no Go file in /);
	});

	test("the compilation phase compiles a folder whose files are read-only, with the build tags of GOFLAGS", async (t) => {
		const place = folder(t, { "f.go": `//go:build special\n\n${go(handler('return "read", nil'))}` });
		chmodSync(join(place, "f.go"), 0o444);
		const { status, stderr } = await compile(place, "Handler", { GOFLAGS: "-tags=special" });
		assert.equal(status, 0, stderr);
		assert.equal((await (await startIn(t, join(place, "f.go"), { FUNC_HANDLER: "Handler" })).ask()).text, "read");
	});

	test("the compilation phase names the files of two packages in one folder", async (t) => {
		const place = folder(t, { "a.go": go(handler('return "", nil')), "b.go": "package other\n" });
		const { stderr } = await compile(place, "Handler");
		assert.equal(stderr, "a.go is in package kubeless, but b.go is in package other. Use one package name in a folder\n");
	});
});
