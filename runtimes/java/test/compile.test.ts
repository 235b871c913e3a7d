import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder, Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { env, FIRST_LINE, home, missing, serve, source } from "./function.ts";

// How a function is compiled: at the start, and by compile.sh in a pod.

const hello = (text: string) => source("Foo", `	public String foo(Event event, Context context) { return "${text}"; }`);
const cached = (cache: string, pattern: RegExp) => readdirSync(join(cache, "compiled")).filter((name) => pattern.test(name));

/** A Java whose compiler runs a command after it has read the function's files; $1 is the number of its runs. */
function javaThat(owner: Owner, command: string): string {
	const real = spawnSync("sh", ["-c", 'dirname "$(readlink -f "$(command -v javac)")"'], { encoding: "utf8" }).stdout.trim();
	const place = folder(owner);
	mkdirSync(join(place, "bin"));
	for (const name of ["javac", "jar"]) symlinkSync(join(real, name), join(place, "bin", name));
	const script = `#!/bin/sh
case " $* " in
*" --compile "*)
	${real}/java "$@" || exit
	echo >>${place}/runs
	set -- $(wc -l <${place}/runs)
	${command}
	;;
*) exec ${real}/java "$@" ;;
esac
`;
	writeFileSync(join(place, "bin/java"), script);
	chmodSync(join(place, "bin/java"), 0o755);
	return place;
}

describe("java", { skip: missing ?? false }, () => {
	test("java: the files that a function refers to are compiled with it, and others may be broken", async (t) => {
		const loader = await serve(t, `	public String foo(Event event, Context context) { return Words.hello() + part.Other.more(); }`, {
			files: {
				"Words.java": source("Words", `	static String hello() { return "hello "; }`),
				"part/Other.java": `package part; public class Other { public static String more() { return "more"; } }`,
				"Broken.java": "no Java",
			},
		});
		assert.equal((await loader.ask()).text, "hello more");
	});

	test("java: a class that is named in text only is compiled too, beside files that are broken or refer to broken ones", async (t) => {
		const members = `	public String foo(Event event, Context context) throws Exception {
		return Class.forName("io.kubeless." + event.Data).getDeclaredConstructor().newInstance().toString();
	}`;
		const loader = await serve(t, members, {
			files: {
				"Plug.java": source("Plug", `	public String toString() { return "loaded by name"; }`),
				"Exits.java": source("Exits", `	public String toString() { System.exit(1); return "not ended"; }`),
				"Broken.java": "no Java",
				"Wrong.java": source("Wrong", `	int number = "text";`),
				"RefersToWrong.java": source("RefersToWrong", `	Wrong wrong;`),
			},
		});
		assert.equal((await loader.ask({ body: "Plug" })).text, "loaded by name");
		assert.equal((await loader.ask({ body: "Wrong" })).status, 500);
		assert.equal((await loader.ask({ body: "Exits" })).status, 500);
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("java: an error of the compiler names the file without its folder, and the line", async (t) => {
		const { code, stderr } = await runLoader(t, { files: { "Foo.java": hello('no"text') }, env: env("Foo", "foo") });
		assert.equal(code, 1);
		assert.match(stderr, new RegExp(`(^|[^/])Foo\\.java:${FIRST_LINE}: error`));
	});

	test("java: a file that changes while it is compiled does not leave old code in the cache", async (t) => {
		const cache = folder(t);
		const volume = folder(t, { "Foo.java": hello("old"), "new.txt": hello("new") });
		const java = javaThat(t, `[ $1 -gt 1 ] || cp ${volume}/new.txt ${volume}/Foo.java`);
		const options = { volume, env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache, JAVA_HOME: java } };
		const loader = await startLoader(t, options);
		assert.equal((await loader.ask()).text, "new");
		assert.equal(cached(cache, /^java-function-/).length, 1);
		// The content from before the change has to be compiled again.
		writeFileSync(join(volume, "Foo.java"), hello("old"));
		assert.equal((await (await startLoader(t, options)).ask()).text, "old");
	});

	test("java: a compiler that is stopped leaves nothing behind, and what a killed one left is removed later", async (t) => {
		const cache = folder(t, { "compiled/scratch.old/Foo.class": "", "compiled/scratch.new/Foo.class": "" });
		const hour = 3600;
		const old = Date.now() / 1000 - 2 * hour;
		utimesSync(join(cache, "compiled/scratch.old"), old, old);
		const java = javaThat(t, `echo compiling >&2; exec sleep 60`);
		const loader = new Loader(t, {
			files: { "Foo.java": hello("x") },
			env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache, JAVA_HOME: java },
		});
		await loader.said(({ msg }) => msg === "compiling");
		assert.equal(cached(cache, /^scratch/).length, 2);
		loader.signal("SIGTERM");
		await loader.ended;
		assert.deepEqual(cached(cache, /^scratch/), ["scratch.new"]);
	});

	test("java: without HOME the cache is a folder of this user in TMPDIR with mode 0700", async (t) => {
		const tmp = folder(t);
		const options = { files: { "Foo.java": hello("x") }, env: { ...env("Foo", "foo"), HOME: "", TMPDIR: tmp } };
		const loader = await startLoader(t, options);
		assert.equal((await loader.ask()).text, "x");
		const place = `kubeless-loader-${userInfo().uid}`;
		const { uid, mode } = statSync(join(tmp, place));
		assert.deepEqual([uid, mode & 0o777], [userInfo().uid, 0o700]);
		const { mode: inner } = statSync(join(tmp, place, "compiled"));
		assert.equal(inner & 0o777, 0o700);
	});

	const notRoot = userInfo().uid === 0 ? false : "only root can make a folder of another user";
	test("java: a cache folder of another user is refused, and the message names KUBELESS_LOADER_CACHE", { skip: notRoot }, async (t) => {
		const tmp = folder(t);
		const base = { HOME: "", TMPDIR: tmp };
		const place = join(tmp, `kubeless-loader-${userInfo().uid}`);
		mkdirSync(join(place, "compiled"), { recursive: true });
		chownSync(place, 12345, 12345);
		const one = await runLoader(t, { files: { "Foo.java": hello("x") }, env: { ...env("Foo", "foo"), ...base } });
		assert.equal(one.code, 1);
		assert.match(one.stderr, /is not yours\. Set KUBELESS_LOADER_CACHE/);
		const cache = folder(t, { "compiled/x": "" });
		chownSync(join(cache, "compiled"), 12345, 12345);
		const two = await runLoader(t, { files: { "Foo.java": hello("x") }, env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache } });
		assert.equal(two.code, 1);
		assert.match(two.stderr, /belongs to another user\. Set KUBELESS_LOADER_CACHE/);
	});

	describe("java: compile.sh", () => {
		const compile = (volume: string) =>
			spawnSync("sh", [join(home, "compile.sh")], {
				encoding: "utf8",
				env: { ...process.env, KUBELESS_INSTALL_VOLUME: volume, KUBELESS_FUNC_NAME: "foo", KUBELESS_TERMINATION_LOG: join(volume, "log") },
			});

		test("java: compile.sh compiles into the volume, and a start takes the classes from there unless the files changed", async (t) => {
			const volume = folder(t, { "Foo.java": hello("compiled"), "pom.xml": "" });
			assert.deepEqual([compile(volume).status, existsSync(join(volume, "function/classes/io/kubeless/Foo.class"))], [0, true]);
			const cache = folder(t);
			const options = { volume, env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache } };
			const first = await startLoader(t, options);
			assert.equal((await first.ask()).text, "compiled");
			assert.deepEqual(cached(cache, /^java-function/), []);
			writeFileSync(join(volume, "Foo.java"), hello("changed since"));
			const second = await startLoader(t, options);
			assert.equal((await second.ask()).text, "changed since");
			assert.equal(cached(cache, /^java-function/).length, 1);
		});

		test("java: compile.sh writes the compiler's errors to the termination log", (t) => {
			const volume = folder(t, { "Foo.java": hello('no"text'), log: "" });
			const { status, stderr } = compile(volume);
			assert.equal(status, 1);
			assert.match(stderr, new RegExp(`Foo\\.java:${FIRST_LINE}: error`));
			assert.match(readFileSync(join(volume, "log"), "utf8"), new RegExp(`Foo\\.java:${FIRST_LINE}: error`));
			assert.equal(existsSync(join(volume, "function/sources")), false);
		});
	});
});
