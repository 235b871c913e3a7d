import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	chmodSync,
	chownSync,
	closeSync,
	cpSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder, runLoader, startLoader } from "../../../test/support/loader.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";
import { env, FIRST_LINE, home, missing, serve, source } from "./function.ts";

// How a function is compiled: at the start, and by compile.sh in a pod.

const hello = (text: string) => source("Foo", `	public String foo(Event event, Context context) { return "${text}"; }`);
const cached = (cache: string, pattern: RegExp) => readdirSync(join(cache, "compiled")).filter((name) => pattern.test(name));

/**
 * A Java that runs the script `hook` beside it, if there is one, after it has compiled a function.
 */
function javaWithHook(owner: Owner): string {
	const real = spawnSync("sh", ["-c", 'dirname "$(readlink -f "$(command -v javac)")"'], { encoding: "utf8" }).stdout.trim();
	const place = folder(owner);
	mkdirSync(join(place, "bin"));
	for (const name of ["javac", "jar"]) symlinkSync(join(real, name), join(place, "bin", name));
	const script = `#!/bin/sh
case " $* " in
*" --compile "*) ${real}/java "$@" && if [ -f ${place}/hook ]; then sh ${place}/hook; fi ;;
*) exec ${real}/java "$@" ;;
esac
`;
	writeFileSync(join(place, "bin/java"), script);
	chmodSync(join(place, "bin/java"), 0o755);
	return place;
}

/** Starts the worker once, without a time limit: a machine under load takes long to compile it. */
function startWorker(owner: Owner, more: Record<string, string>): void {
	const place = folder(owner, { "Foo.java": hello("x") });
	const wire = openSync(join(place, "wire"), "w+"); // a file is a wire that ends after `ready`
	const { status, stderr } = spawnSync("sh", [join(home, "start.sh")], {
		encoding: "utf8",
		env: { ...process.env, ...env("Foo", "foo"), KUBELESS_HANDLER_FILE: join(place, "Foo.java"), ...more },
		stdio: ["ignore", "pipe", "pipe", wire],
	});
	closeSync(wire);
	assert.equal(status, 0, stderr);
}

describe("java", { skip: missing ?? false }, () => {
	const shared = suiteOwner();
	let java: string | undefined;
	let compiled: string | undefined;
	/** The variables for a cache of the test's own that has nothing but the compiled worker. */
	const cacheFor = (owner: Owner) => {
		java ??= javaWithHook(shared);
		if (compiled === undefined) {
			compiled = folder(shared);
			startWorker(shared, { KUBELESS_LOADER_CACHE: compiled, JAVA_HOME: java });
		}
		const cache = folder(owner);
		for (const name of cached(compiled, /^java-worker-/)) {
			cpSync(join(compiled, "compiled", name), join(cache, "compiled", name), { recursive: true });
		}
		return { KUBELESS_LOADER_CACHE: cache, JAVA_HOME: java };
	};

	test("the files that a function refers to are compiled with it, and others may be broken", async (t) => {
		const loader = await serve(t, `	public String foo(Event event, Context context) { return Words.hello() + part.Other.more(); }`, {
			files: {
				"Words.java": source("Words", `	static String hello() { return "hello "; }`),
				"part/Other.java": `package part; public class Other { public static String more() { return "more"; } }`,
				"Broken.java": "no Java",
			},
		});
		assert.equal((await loader.ask()).text, "hello more");
	});

	test("a class that is named in text only is compiled too, beside files that are broken or refer to broken ones", async (t) => {
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

	test("an error of the compiler names the file without its folder, and the line", async (t) => {
		const { code, stderr } = await runLoader(t, { files: { "Foo.java": hello('no"text') }, env: env("Foo", "foo") });
		assert.equal(code, 1);
		assert.match(stderr, new RegExp(`(^|[^/])Foo\\.java:${FIRST_LINE}: error`));
	});

	test("a file that changes while it is compiled does not leave old code in the cache", async (t) => {
		const variables = cacheFor(t);
		const volume = folder(t, { "Foo.java": hello("old"), "new.txt": hello("new") });
		const hook = join(variables.JAVA_HOME, "hook");
		writeFileSync(hook, `rm ${hook}; cp ${volume}/new.txt ${volume}/Foo.java`);
		const options = { volume, env: { ...env("Foo", "foo"), ...variables } };
		assert.equal((await (await startLoader(t, options)).ask()).text, "new");
		assert.equal(cached(variables.KUBELESS_LOADER_CACHE, /^java-function-/).length, 1);
		// The content from before the change must be compiled again.
		writeFileSync(join(volume, "Foo.java"), hello("old"));
		assert.equal((await (await startLoader(t, options)).ask()).text, "old");
	});

	test("a start leaves no scratch folder, and removes those that killed ones left an hour ago", async (t) => {
		const variables = cacheFor(t);
		const place = join(variables.KUBELESS_LOADER_CACHE, "compiled");
		for (const name of ["scratch.old", "scratch.new"]) mkdirSync(join(place, name));
		const old = Date.now() / 1000 - 2 * 3600;
		utimesSync(join(place, "scratch.old"), old, old);
		startWorker(t, variables);
		assert.deepEqual(cached(variables.KUBELESS_LOADER_CACHE, /^scratch/), ["scratch.new"]);
	});

	test("without HOME the cache is a folder of this user in TMPDIR with mode 0700", async (t) => {
		const tmp = folder(t);
		startWorker(t, { HOME: "", XDG_CACHE_HOME: "", TMPDIR: tmp });
		const place = `kubeless-loader-${userInfo().uid}`;
		const { uid, mode } = statSync(join(tmp, place));
		assert.deepEqual([uid, mode & 0o777], [userInfo().uid, 0o700]);
		const { mode: inner } = statSync(join(tmp, place, "compiled"));
		assert.equal(inner & 0o777, 0o700);
	});

	const notRoot = userInfo().uid === 0 ? false : "only root can make a folder of another user";
	test("a cache folder of another user is refused, and the message names KUBELESS_LOADER_CACHE", { skip: notRoot }, async (t) => {
		const tmp = folder(t);
		const base = { HOME: "", XDG_CACHE_HOME: "", TMPDIR: tmp };
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

		test("compile.sh compiles into the volume, and a start takes the classes from there unless the files changed", async (t) => {
			const volume = folder(t, { "Foo.java": hello("compiled"), "pom.xml": "" });
			assert.deepEqual([compile(volume).status, existsSync(join(volume, "function/classes/io/kubeless/Foo.class"))], [0, true]);
			const variables = cacheFor(t);
			const cache = variables.KUBELESS_LOADER_CACHE;
			const options = { volume, env: { ...env("Foo", "foo"), ...variables } };
			const first = await startLoader(t, options);
			assert.equal((await first.ask()).text, "compiled");
			assert.deepEqual(cached(cache, /^java-function/), []);
			writeFileSync(join(volume, "Foo.java"), hello("changed since"));
			const second = await startLoader(t, options);
			assert.equal((await second.ask()).text, "changed since");
			assert.equal(cached(cache, /^java-function/).length, 1);
		});

		test("compile.sh writes the compiler's errors to the termination log", (t) => {
			const volume = folder(t, { "Foo.java": hello('no"text'), log: "" });
			const { status, stderr } = compile(volume);
			assert.equal(status, 1);
			assert.match(stderr, new RegExp(`Foo\\.java:${FIRST_LINE}: error`));
			assert.match(readFileSync(join(volume, "log"), "utf8"), new RegExp(`Foo\\.java:${FIRST_LINE}: error`));
			assert.equal(existsSync(join(volume, "function/sources")), false);
		});
	});
});
