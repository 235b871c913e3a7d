import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Env } from "../../../test/support/wire-end.ts";
import { failure, go, handler, needsGo, start, startIn, warmCache } from "./worker.ts";

describe("Go: compiling", needsGo, () => {
	before(warmCache);

	test("a go.mod that requires Kubeless's module needs no network", async (t) => {
		const mod = "module function\n\ngo 1.12\n\nrequire (\n\tgithub.com/kubeless/kubeless v1.0.7\n)\n";
		const worker = await start(
			t,
			{ "f.go": go(handler("return event.Data, nil")), "go.mod": mod },
			{ GOPROXY: "off", GOFLAGS: "-mod=vendor" },
		);
		assert.equal((await worker.ask({ body: "offline" })).text, "offline");
		assert.equal(readFileSync(join(worker.folder, "go.mod"), "utf8"), mod);
		assert.deepEqual(readdirSync(worker.folder).sort(), ["f.go", "go.mod"]);
	});

	test("a local module of a replace directive is compiled, also after a change", async (t) => {
		const place = folder(t, {
			"f/f.go": go(handler("return lib.Word, nil"), "example.com/lib"),
			"f/go.mod": "module f\n\ngo 1.19\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
			"lib/go.mod": "module example.com/lib\n\ngo 1.19\n",
			"lib/lib.go": 'package lib\nconst Word = "one"\n',
		});
		assert.equal((await (await startIn(t, join(place, "f/f.go"))).ask()).text, "one");
		writeFileSync(join(place, "lib/lib.go"), 'package lib\nconst Word = "two!"\n');
		assert.equal((await (await startIn(t, join(place, "f/f.go"))).ask()).text, "two!");
	});

	test("the second start compiles nothing", async (t) => {
		const worker = await start(t, { "f.go": go(handler(`return "same", nil // ${Math.random()}`)) });
		assert.match(worker.stderr, /^Compiled .*f\.go in \d+\.\d s\.$/m);
		const began = performance.now();
		const again = await startIn(t, join(worker.folder, "f.go"));
		t.diagnostic(`${(performance.now() - began).toFixed(0)} ms`);
		assert.equal(again.stderr, "");
	});

	test("a file that is saved while it is compiled does not stay in Go's cache", async (t) => {
		const text = (word: string): string => go(handler(`return "${word}", nil // ${t.name} ${process.pid}`));
		const place = folder(t, {
			"f.go": text("one"),
			"two.txt": text("two"),
			// Go runs this in the place of each of its tools.
			"tool.sh": `case "$*" in *" -V=full"*) ;; */compile*" -p kubeless "*) cp "$(dirname "$0")/two.txt" "$(dirname "$0")/f.go" ;; esac\nexec "$@"\n`,
		});
		const file = join(place, "f.go");
		const serve = async (env?: Env): Promise<string> => (await (await startIn(t, file, env)).ask()).text;
		assert.equal(await serve({ GOFLAGS: `"-toolexec=sh ${join(place, "tool.sh")}"` }), "one");
		assert.equal(readFileSync(file, "utf8"), text("two"));
		assert.equal(await serve(), "two");
		writeFileSync(file, text("one"));
		assert.equal(await serve(), "one");
	});

	test("workers that start at the same time compile once", async (t) => {
		const place = folder(t, { "f.go": go(handler('return "same", nil')) });
		const workers = await Promise.all([1, 2, 3].map(() => startIn(t, join(place, "f.go"))));
		assert.equal(workers.filter(({ stderr }) => stderr.includes("Compiled")).length, 1);
	});

	test("compile errors name the user's files and lines", async (t) => {
		const message = await failure(t, { "f.go": go(`${handler("return absent, nil")}\nvar text string = 7\n`) });
		assert.match(message, /^\.\/f\.go:8:8: undefined: absent\n\.\/f\.go:11:19: cannot use 7/);
		const missing = await failure(t, { "f.go": go(handler("return lib.Word, nil"), "example.invalid/lib") }, { GOPROXY: "off" });
		assert.match(missing, /^f\.go:5:2: .*example\.invalid\/lib/);
		const mod = await failure(t, { "f.go": go(handler('return "", nil')), "go.mod": "nonsense\n" });
		assert.match(mod, /^go: errors parsing go\.mod:\ngo\.mod:1: unknown directive: nonsense/);
	});

	test("a file that Go would ignore, package main and a missing Go are reported with the cure", async (t) => {
		const main = await failure(t, { "f.go": go(handler('return "", nil')).replace("package kubeless", "package main") });
		assert.match(main, /package main, which cannot be imported\. Write `package kubeless`/);
		const named = await failure(t, { "f_test.go": go(handler('return "", nil')) });
		assert.match(named, /f_test\.go is excluded by its name/);
		const tools = folder(t);
		for (const name of ["sh", "tr", "sed", "awk", "dirname"]) cpSync(realpathSync(`/usr/bin/${name}`), join(tools, name));
		const without = await failure(t, { "f.go": go(handler('return "", nil')) }, { PATH: tools });
		assert.match(without, /^Go is not installed or not on PATH/);
		const cgo = await failure(t, { "f.go": `package kubeless\n\nimport "C"\n\n${handler('return "", nil')}` });
		assert.match(cgo, /^f\.go imports "C", but functions are compiled without cgo/);
	});

	test("a user without a home and without a cache can run it", async (t) => {
		const goEnv = (name: string) => spawnSync("go", ["env", name], { encoding: "utf8" }).stdout.trim();
		const env = {
			HOME: "/proc/nowhere",
			XDG_CACHE_HOME: null,
			KUBELESS_LOADER_CACHE: null,
			TMPDIR: folder(t),
			GOCACHE: goEnv("GOCACHE"),
		};
		assert.equal((await (await start(t, { "f.go": go(handler('return "homeless", nil')) }, env)).ask()).text, "homeless");
		const [cache] = readdirSync(env.TMPDIR);
		assert.equal(statSync(join(env.TMPDIR, cache as string)).mode & 0o777, 0o700);
	});
});
