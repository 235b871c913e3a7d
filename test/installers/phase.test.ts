import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { describeWith } from "../support/needs.ts";
import { COMMANDS, type Files, folderFor, isRoot, Pod, type PodOptions } from "./pod.ts";
import { assertCycloneDx } from "./schema.ts";

/** Returns the folder of a runtime whose `install.sh` and `compile.sh` a test defines. */
function language(t: TestContext, files: Files): string {
	const manifest = {
		id: "made-up",
		versions: [{ version: "1.0", base: "none" }],
		lockFiles: ["deps.lock", "deps.more"],
		depsFile: "deps",
		install: ["sh", "$(RUNTIME_DIR)/install.sh", "one argument"],
	};
	return folderFor(t, { "runtime.json": JSON.stringify(manifest, null, "\t"), "cache-key.sh": "echo 1.0.2", ...files });
}

const INSTALL = `
	grep -q . "$KUBELESS_DEPS_FILE" || exit 0
	echo "getting $(cat "$KUBELESS_DEPS_FILE")"
	mkdir -p "$KUBELESS_INSTALL_VOLUME/lib/own"
	cp "$KUBELESS_DEPS_FILE" "$KUBELESS_INSTALL_VOLUME/lib/own/thing"
	ln -s own/thing "$KUBELESS_INSTALL_VOLUME/lib/link"
	echo "$1" >"$KUBELESS_INSTALL_VOLUME/with a blank"
`;
const MADE = ["lib/link", "lib/own", "lib/own/thing", "with a blank"];
const FUNCTION = { "f.txt": "the function", deps: "thing 1.0", "lib/mine": "the function's" };
const GIVEN = ["deps", "f.txt", "lib", "lib/mine"];

const pod = (t: TestContext, files: Files, more: Partial<PodOptions> = {}) =>
	new Pod(t, { runtime: language(t, { "install.sh": INSTALL, ...files }), files: FUNCTION, ...more });

const shells: (readonly string[])[] = [["dash"], ["busybox", "ash"], ["bash", "--posix"]];

for (const shell of shells) {
	const [name = "", ...words] = shell;
	const missing = spawnSync(name, [...words, "-c", ":"]).status !== 0 && `${name} is not installed`;
	/** Returns a PATH on which `sh` is this shell; busybox provides all its programs. */
	function tools(t: TestContext): Record<string, string> {
		const place = folderFor(t);
		const program = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
		if (name === "busybox") {
			assert.equal(spawnSync(program, ["--install", "-s", place]).status, 0);
			return { PATH: place };
		}
		spawnSync("ln", ["-s", program, join(place, "sh")]);
		return { PATH: `${place}:${process.env["PATH"]}` };
	}
	const inShell = (t: TestContext, files: Files, more: Partial<PodOptions> = {}) =>
		pod(t, files, { shell: ["sh"], ...more, env: { ...tools(t), ...more.env } });

	describeWith(`a phase that runs in ${name}`, missing, () => {
		test("installs next to the function, logs the tool's output, and leaves no other files", async (t) => {
			const one = inShell(t, {});
			const { code, output, log, left } = await one.run("install");
			assert.deepEqual([code, output, log, left], [0, "getting thing 1.0\n", "", []]);
			assert.deepEqual(one.listing, [...GIVEN, ...MADE].sort());
			assert.equal(one.read("with a blank"), "one argument\n");
			assert.equal(statSync(join(one.volume, "lib/own")).mode & 0o777, 0o755);
		});

		test("installs nothing for an empty dependency file, which Kubeless makes", async (t) => {
			const one = inShell(t, {}, { files: { ...FUNCTION, deps: "" } });
			assert.equal((await one.run("install")).code, 0);
			assert.deepEqual(one.listing, GIVEN);
			assertCycloneDx(one.bom());
			assert.deepEqual(one.bom().components, []);
		});

		test("that fails keeps the exit code, writes the end of its output to the termination log, and restores the volume", async (t) => {
			const install = `${INSTALL}\ni=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo "line $i of what went wrong"; done; echo "the reason" >&2; exit 7`;
			const one = inShell(t, { "install.sh": install });
			const { code, output, log, left } = await one.run("install");
			assert.equal(code, 7);
			assert.deepEqual([one.listing, left], [GIVEN, []]);
			assert.match(output, /^getting thing 1\.0\nline 1 of/);
			assert.match(output, /the reason\n\nCannot install .*\/deps: it ended with exit code 7\.\n$/);
			assert.match(log, /^Cannot install .*\/deps: it ended with exit code 7\.\nline \d+ of what/);
			assert.match(log, /line 2000 of what went wrong\nthe reason\n$/);
			assert.ok(Buffer.byteLength(log) <= 4096 && Buffer.byteLength(log) > 3500, `${Buffer.byteLength(log)} bytes`);
			assert.equal(one.has(".kubeless"), false);
		});

		test("that was killed gives a complete result when it runs again", async (t) => {
			const install = `${INSTALL}\n[ -e "${"$"}KUBELESS_INSTALL_VOLUME/f.txt.again" ] || { echo x >half; echo half; sleep 600; }`;
			const one = inShell(t, { "install.sh": install });
			const started = one.start("install");
			for (const began = Date.now(); !started.output().includes("half"); ) {
				assert.ok(Date.now() - began < 120_000, started.output());
				await after(10);
			}
			started.kill();
			await started.ended;
			assert.ok(one.has("half"));
			// The prepare step runs again, too.
			one.write({ "f.txt": "the function" });
			const again = new Pod(t, { runtime: language(t, { "install.sh": INSTALL }), files: {}, shell: ["sh"], env: tools(t) });
			const { code, output } = await again.run("install", {
				KUBELESS_INSTALL_VOLUME: one.volume,
				KUBELESS_DEPS_FILE: join(one.volume, "deps"),
			});
			assert.equal(code, 0, output);
			assert.deepEqual(one.listing, [...GIVEN, ...MADE].sort());
		});

		test("that runs again after it has finished removes only the files that it made", async (t) => {
			const one = inShell(t, {});
			await one.run("install");
			one.write({ "made/by-the-function": "kept", deps: "thing 2.0" });
			assert.equal((await one.run("install")).code, 0);
			assert.deepEqual(one.listing, [...GIVEN, ...MADE, "made", "made/by-the-function"].sort());
			assert.equal(one.read("lib/own/thing"), "thing 2.0");
		});

		test("compiles after it installs, and compiles again after it installs again", async (t) => {
			const compile = `echo "$KUBELESS_FUNC_NAME with $(cat lib/own/thing)" >program`;
			const one = inShell(t, { "compile.sh": compile });
			assert.equal((await one.run("install")).code, 0);
			const { code, output } = await one.run("compile");
			assert.deepEqual([code, one.read("program")], [0, "handler with thing 1.0\n"], output);
			assert.deepEqual(one.listing, [...GIVEN, ...MADE, "program"].sort());
			assert.equal((await one.run("compile")).code, 0);
			assert.deepEqual(one.listing, [...GIVEN, ...MADE, "program"].sort());
		});

		test("lists the installed packages as CycloneDX, also with quotes and backslashes in names", async (t) => {
			const bom = String.raw`printf '@scope\tthing\t1.0\tpkg:npm/%%40scope/thing@1.0\tMIT\tSHA-256:%064d\n' 7
				printf '\tq"uo\\te\t1\tpkg:x/q@1\t\t\n\tq"uo\\te\t1\tpkg:x/q@1\tApache-2.0\t\n\tplain\t\t\t\t\n'`;
			const one = inShell(t, { "bom.sh": bom }, { env: { KUBELESS_RUNTIME_VERSION: "1.0" } });
			assert.equal((await one.run("install")).code, 0);
			const list = one.bom();
			assertCycloneDx(list);
			assert.deepEqual(
				list.components.map(({ name, version, purl }) => [name, version, purl]),
				[
					["plain", undefined, undefined],
					['q"uo\\te', "1", "pkg:x/q@1"],
					['q"uo\\te', "1", "pkg:x/q@1"],
					["thing", "1.0", "pkg:npm/%40scope/thing@1.0"],
				],
			);
		});

		test("gives a tool a HOME with the phase's secrets, and logs no secret", async (t) => {
			const install = `
				test -w "$HOME" && test -w "$TMPDIR" && test -z "$(ls -A "$TMPDIR")"
				echo "from the variable $MY_TOKEN, given $GIVEN, from the file $(sed -n 's/.*password //p' "$HOME/.netrc") and $(cat "$HOME/.toolrc")"
				echo "at https://user:url-password@registry.example/x by $SOME_PASSWORD"
				test "$MY_TOKEN" = tok-1234567890 && test "$GIVEN" = first && test "$SOME_PASSWORD" = "pass word"
				tail -n 1 "$SSL_CERT_FILE"; exit 3`;
			const secrets = {
				"one/.netrc": "machine registry.example login me password tidy-secret\n",
				"one/MY_TOKEN": "tok-1234567890",
				"two/GIVEN": "second",
				"two/.toolrc": "auth = c2VjcmV0LWluLXRoZS1maWxl",
				"two/ca.crt": "the authority\n",
			};
			const one = inShell(
				t,
				{ "install.sh": `set -e\n${install}` },
				{ secrets, env: { GIVEN: "first", SOME_PASSWORD: "pass word", HOME: "/nowhere" } },
			);
			const { code, output, log } = await one.run("install");
			assert.equal(code, 3, output);
			for (const text of [output, log]) {
				assert.match(text, /from the variable \*\*\*, given first, from the file \*\*\* and auth = \*\*\*/);
				assert.match(text, /at https:\/\/\*\*\*@registry\.example\/x by \*\*\*/);
				assert.match(text, /the authority/);
			}
		});

		test("hides a secret in every encoding in which a tool may print it", async (t) => {
			const password = 'p@/s:"w%\\&<é';
			const json = JSON.stringify(password).slice(1, -1);
			const base64 = (text: string) => Buffer.from(text).toString("base64");
			const printed = [
				password,
				encodeURIComponent(password),
				encodeURIComponent(password).toLowerCase(),
				json,
				json.replaceAll("/", "\\/").replace("&", "\\u0026").replace("<", "\\u003C").replace("é", "\\u00e9"),
				password.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
				...["", "u:", "us:", "user:"].map((user) => base64(user + password)),
				Buffer.from(`user:${password}`).toString("base64url"),
				"k9x",
				base64("user:four"),
				"file-secret",
				"a b&c",
				"a+b%26c",
				"from-the-lock",
			];
			const secrets = {
				"one/.netrc": `machine registry.example login user password ${password}\n`,
				"one/MY_TOKEN": "k9x",
				"one/BUNDLE_REGISTRY__EXAMPLE": "user:four",
				"one/.npmrc": `//registry.example/:_auth=${base64("user:file-secret")}\n`,
				"two/settings.xml": "<server>\n<password>a b&amp;c</password>\n</server>\n",
			};
			const files = {
				...FUNCTION,
				"deps.lock": "https://user:from-the-lock@registry.example/x\n",
				printed: printed.map((text) => `printed: ${text}\n`).join(""),
			};
			const urls = [
				"https://user:p@ss@registry.example/x",
				"https://user:p/ss@registry.example/x",
				"https://registry.example:8080/@scope/x",
			];
			const install = `cat printed; ${urls.map((url) => `echo '${url}'`).join("; ")}; echo "k9xy and xk9x are other words"; exit 3`;
			const { output, log } = await inShell(t, { "install.sh": install }, { secrets, files }).run("install");
			const expected = [
				...printed.map(() => "printed: ***"),
				...["https://***@registry.example/x", "https://***@registry.example/x", "https://registry.example:8080/@scope/x"],
				"k9xy and xk9x are other words",
			];
			assert.deepEqual(output.split("\n").slice(0, expected.length), expected);
			assert.deepEqual(log.split("\n").slice(1, 1 + expected.length), expected);
		});

		test("takes the result from the cache volume after checking it, and does not install again", async (t) => {
			const cache = folderFor(t);
			const runtime = language(t, { "install.sh": INSTALL, "bom.sh": String.raw`printf '\tthing\t1.0\tpkg:x/thing@1.0\t\t\n'` });
			const env = { KUBELESS_CACHE: cache };
			const one = (files: Files = FUNCTION) => new Pod(t, { runtime, files, shell: ["sh"], env: { ...tools(t), ...env } });
			const installs = async (which: Pod, more: Record<string, string> = {}) => {
				const { code, output } = await which.run("install", more);
				assert.equal(code, 0, output);
				assert.deepEqual(
					which.listing.filter((name) => MADE.includes(name)),
					MADE,
				);
				assertCycloneDx(which.bom());
				assert.equal(which.bom().components[0]?.name, "thing");
				return output.includes("getting");
			};
			assert.equal(await installs(one()), true);
			const [entry] = readdirSync(cache);
			assert.match(entry as string, /^made-up-install-[0-9a-f]{32}-[0-9a-f]{64}\.tar$/);
			assert.equal(await installs(one()), false, "a second pod");
			assert.equal(await installs(one({ ...FUNCTION, "f.txt": "another function" })), false, "another function with the same dependencies");
			// A different input has a different entry.
			assert.equal(await installs(one({ ...FUNCTION, deps: "thing 2.0" })), true, "other dependencies");
			assert.equal(await installs(one({ ...FUNCTION, "deps.more": "locked" })), true, "another lock");
			assert.equal(await installs(one(), { KUBELESS_RUNTIME_VERSION: "1.1" }), true, "another version");
			assert.equal(readdirSync(cache).length, 4);
			// A damaged entry is not used.
			const bytes = readFileSync(join(cache, entry as string));
			writeFileSync(join(cache, entry as string), bytes.subarray(0, bytes.length / 2));
			assert.equal(await installs(one()), true, "half an entry");
			assert.equal(await installs(one()), false, "the entry is made again");
		});
	});
}

test("with @folder in the output of cache-key.sh, a changed file of the function is a different cache entry", async (t) => {
	const cache = folderFor(t);
	const runtime = language(t, { "install.sh": INSTALL, "cache-key.sh": "echo @folder" });
	const installs = async (files: Files) =>
		(await new Pod(t, { runtime, files }).run("install", { KUBELESS_CACHE: cache })).output.includes("getting");
	assert.equal(await installs(FUNCTION), true);
	assert.equal(await installs(FUNCTION), false);
	assert.equal(await installs({ ...FUNCTION, "lib/mine": "changed" }), true);
});

test("a runtime without a working cache-key.sh writes nothing to the cache", async (t) => {
	const cache = folderFor(t);
	for (const key of ["exit 1", undefined]) {
		const runtime = language(t, { "install.sh": INSTALL, "cache-key.sh": key ?? "" });
		if (key === undefined) rmSync(join(runtime, "cache-key.sh"));
		const { code } = await new Pod(t, { runtime, files: FUNCTION }).run("install", { KUBELESS_CACHE: cache });
		assert.deepEqual([code, readdirSync(cache)], [0, []]);
	}
});

test("a compiled program comes from the cache until a file of the function changes", async (t) => {
	const cache = folderFor(t);
	const runtime = language(t, { "compile.sh": "echo compiling; cat f.txt >program; echo changed >>deps" });
	const compiles = async (files: Files) => {
		const one = new Pod(t, { runtime, files });
		const { code, output } = await one.run("compile", { KUBELESS_CACHE: cache });
		assert.deepEqual([code, one.read("program"), one.read("deps")], [0, files["f.txt"], `${files["deps"]}changed\n`], output);
		return output.includes("compiling");
	};
	assert.equal(await compiles(FUNCTION), true);
	assert.equal(await compiles(FUNCTION), false);
	assert.equal(await compiles({ ...FUNCTION, "f.txt": "another" }), true);
});

test("pods that start at the same time with one cache all get the complete result", async (t) => {
	const cache = folderFor(t);
	const runtime = language(t, { "install.sh": `${INSTALL}\nsleep 0.3; head -c 3000000 /dev/zero >"$KUBELESS_INSTALL_VOLUME/lib/large"` });
	const pods = Array.from({ length: 6 }, () => new Pod(t, { runtime, files: FUNCTION }));
	const ends = await Promise.all(pods.map((one) => one.run("install", { KUBELESS_CACHE: cache })));
	for (const [index, { code, output }] of ends.entries()) {
		assert.equal(code, 0, output);
		assert.equal(statSync(join(pods[index]?.volume as string, "lib/large")).size, 3_000_000);
	}
	assert.deepEqual(
		readdirSync(cache).filter((name) => !name.endsWith(".tar")),
		[],
	);
	const late = new Pod(t, { runtime, files: FUNCTION });
	assert.match((await late.run("install", { KUBELESS_CACHE: cache })).output, /^Taken from the cache: /);
});

test("the cache stays within its limit, and drops the least recently used entry", async (t) => {
	const cache = folderFor(t);
	const runtime = language(t, { "install.sh": `${INSTALL}\nhead -c 400000 /dev/zero >"$KUBELESS_INSTALL_VOLUME/lib/large"` });
	const installs = async (deps: string) => {
		const one = new Pod(t, { runtime, files: { ...FUNCTION, deps } });
		const { code, output } = await one.run("install", { KUBELESS_CACHE: cache, KUBELESS_CACHE_LIMIT: "1" });
		assert.equal(code, 0, output);
		return output.includes("getting");
	};
	/** Makes all entries one hour older. */
	const age = () => {
		for (const name of readdirSync(cache)) {
			const { mtimeMs } = statSync(join(cache, name));
			utimesSync(join(cache, name), mtimeMs / 1000 - 3600, mtimeMs / 1000 - 3600);
		}
	};
	for (const deps of ["one", "two"]) assert.equal(await installs(deps).finally(age), true);
	assert.equal(await installs("one").finally(age), false);
	assert.equal(await installs("three").finally(age), true);
	assert.equal(readdirSync(cache).length, 2);
	assert.equal(await installs("one").finally(age), false, "the recently used entry has stayed");
	assert.equal(await installs("two"), true, "the least recently used entry has gone");
	const { code, log } = await new Pod(t, { runtime, files: FUNCTION }).run("install", { KUBELESS_CACHE_LIMIT: "1Gi" });
	assert.deepEqual([code, log], [1, "KUBELESS_CACHE_LIMIT is 1Gi: it must be a number of MiB.\n"]);
});

test("a file that an interrupted pod left in the cache is removed and never used", async (t) => {
	const cache = folderFor(t, { ".fresh.abc": "half", ".fresh.new": "being written" });
	utimesSync(join(cache, ".fresh.abc"), Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
	assert.match((await pod(t, {}).run("install", { KUBELESS_CACHE: cache })).output, /getting/);
	assert.deepEqual(
		readdirSync(cache).filter((name) => name.startsWith(".")),
		[".fresh.new"],
	);
});

test("a read-only cache is read, and does not make a phase fail", { skip: isRoot && "root can write everywhere" }, async (t) => {
	const cache = folderFor(t);
	const runtime = language(t, { "install.sh": INSTALL });
	const installs = (deps: string) =>
		new Pod(t, { runtime, files: { ...FUNCTION, deps } }).run("install", { KUBELESS_CACHE: cache }).then(({ code, output }) => {
			assert.equal(code, 0, output);
			return output;
		});
	await installs("one");
	chmodSync(cache, 0o555);
	for (const name of readdirSync(cache)) chmodSync(join(cache, name), 0o444);
	assert.match(await installs("one"), /^Taken from/);
	assert.match(await installs("two"), /^getting two\n$/);
	chmodSync(cache, 0o755);
});

describe("a user's mistake is reported in one sentence with a hint:", () => {
	const failureLog = async (one: Pod, env: Record<string, string> = {}) => {
		const { code, log, output } = await one.run("install", env);
		assert.notEqual(code, 0);
		assert.ok(output.includes(log.split("\n")[0] as string), output);
		return log;
	};

	test("a read-only volume", { skip: isRoot && "root can write everywhere" }, async (t) => {
		const one = pod(t, {});
		chmodSync(one.volume, 0o555);
		const log = await failureLog(one);
		chmodSync(one.volume, 0o755);
		assert.match(log, /^The volume .* cannot be written by user \d+: mount it writable, with fsGroup in the pod's securityContext/);
	});

	test("a missing dependency file, a missing runtime, a runtime that does not compile", async (t) => {
		assert.match(
			await failureLog(pod(t, {}), { KUBELESS_DEPS_FILE: "/kubeless/none" }),
			/^The dependency file \/kubeless\/none does not exist\. Set KUBELESS_DEPS_FILE to its path\.\n$/,
		);
		assert.match(
			await failureLog(pod(t, {}), { KUBELESS_RUNTIME_MANIFEST: "/none.json" }),
			/^The runtime manifest \/none\.json cannot be read/,
		);
		assert.match((await pod(t, {}).run("compile")).log, /^The runtime made-up compiles nothing: there is no .*compile\.sh\.\n$/);
	});

	const cases: readonly (readonly [string, string, RegExp])[] = [
		["a full disk", "write error: No space left on device", /the disk is full: give the volume/],
		["a read-only root file system", "mkdir: cannot create directory '/x': Read-only file system", /must be writable/],
		["no network", "getaddrinfo EAI_AGAIN registry.example", /the registry does not answer: .*HTTPS_PROXY/],
		["no compiler", "error: command 'gcc' failed: No such file or directory", /has to be compiled, and this image has no compiler/],
		["no compiler, as make reports it", "sh: 1: make: not found", /has to be compiled, and this image has no compiler/],
		[
			"a certificate of an unknown authority",
			"SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
			/not trusted: put its certificate authority into a secret of this phase as ca\.crt/,
		],
		["a wrong token", "HTTP Error 401 Unauthorized for https://registry.example", /refuses this installer: pass a token/],
	];
	for (const [what, text, hint] of cases) {
		test(what, async (t) => {
			const log = await failureLog(pod(t, { "install.sh": `echo "${text}" >&2; exit 9` }));
			assert.match(log.split("\n")[0] as string, hint);
			assert.ok(log.includes(text));
		});
	}

	test("a hint of the runtime counts before the common hints", async (t) => {
		const hints = "# a pattern, a tab, the hint\nthe lock is (wrong|old)\twrite the lock again.\n";
		const log = await failureLog(pod(t, { hints, "install.sh": "echo 'No space left on device: the lock is old'; exit 1" }));
		assert.match(log, /^Cannot install .*: write the lock again\.\nNo space/);
	});

	test("an installer that is killed because of its memory", async (t) => {
		assert.match(
			await failureLog(pod(t, { "install.sh": "kill -KILL $$" })),
			/^Cannot install .*: it was killed, most likely for its memory: give the init container .*limit\.\n/,
		);
	});

	test("every line of every hints file has a valid pattern that does not match normal output", () => {
		const runtimes = join(import.meta.dirname, "../../runtimes");
		const own = readdirSync(runtimes).map((id) => join(runtimes, id, "hints"));
		const tables = [join(import.meta.dirname, "../../images/installer/hints"), ...own.filter((path) => existsSync(path))];
		assert.ok(tables.length > 5, String(tables));
		for (const table of tables) {
			const lines = readFileSync(table, "utf8").split("\n").slice(0, -1);
			for (const line of lines.filter((one) => !one.startsWith("#"))) {
				const [pattern = "", sentence, ...more] = line.split("\t");
				assert.deepEqual(more, [], line);
				if (sentence !== "") assert.match(sentence ?? "", /^[a-zA-Z].*\.$/, `${table}: ${line}`);
				const { status, stderr } = spawnSync("grep", ["-Eiq", "-e", pattern], {
					input: "added 12 packages in 3 seconds\n",
					encoding: "utf8",
				});
				assert.equal(status, 1, `${table}: ${pattern} ${stderr}`);
			}
		}
	});

	test("an unknown failure is reported with the tool's output", async (t) => {
		assert.match(
			await failureLog(pod(t, { "install.sh": "echo 'something new'; exit 4" })),
			/^Cannot install .*: it ended with exit code 4\.\nsomething new\n$/,
		);
	});
});

test("a termination log that does not exist is not created", async (t) => {
	const log = join(folderFor(t), "log");
	const { code } = await pod(t, { "install.sh": "exit 5" }).run("install", { KUBELESS_TERMINATION_LOG: log });
	assert.deepEqual([code, existsSync(log)], [5, false]);
});

test("with a read-only root file system, temporary files are in the volume", async (t) => {
	const one = pod(t, { "install.sh": `${INSTALL}\ndate >"$TMPDIR/x"; date >"$HOME/x"` });
	const { code, output } = await one.run("install", { TMPDIR: "/nowhere" });
	assert.equal(code, 0, output);
	assert.deepEqual(readdirSync(join(one.volume, ".kubeless")).sort(), ["bom.cdx.json", "install.made"]);
});

test("read-only folders that a tool has made are removed when it fails", { skip: isRoot && "root can write everywhere" }, async (t) => {
	const one = pod(t, {
		"install.sh": `mkdir -p made/in "$HOME/kept/in"; date >made/in/x; date >"$HOME/kept/in/x"; chmod -R a-w made "$HOME/kept"; exit 1`,
	});
	const { output, left } = await one.run("install");
	assert.deepEqual([one.listing, left], [GIVEN, []], output);
});

test("--help prints the help and does nothing else", async (t) => {
	const one = pod(t, {}, { command: `${COMMANDS}/kubeless-install --help && ${COMMANDS}/kubeless-compile -h` });
	const { code, output } = await one.run("install");
	assert.equal(code, 0, output);
	assert.equal(output, readFileSync(join(COMMANDS, "help"), "utf8").repeat(2));
	assert.deepEqual(one.listing, GIVEN);
});

test("arguments that Kubeless passes to compile scripts are ignored", async (t) => {
	const one = pod(t, { "compile.sh": "echo done >program" }, { command: `${COMMANDS}/kubeless-compile /elsewhere` });
	const { code, output } = await one.run("compile");
	assert.deepEqual([code, one.read("program")], [0, "done\n"], output);
});

test("a manifest's command is not interpreted by a shell", async (t) => {
	const runtime = folderFor(t, {
		"runtime.json": `{"id":"made-up","depsFile":"deps","install":["sh","-c","echo \\u0041"]}`,
		"other.json": `{ "install": ["printf", "%s|", "a  b", "$(touch x)", ";", "$(RUNTIME_DIR)/y"], "id": "made-up", "depsFile": "deps" }`,
	});
	const one = new Pod(t, { runtime, files: FUNCTION });
	assert.match((await one.run("install")).log, /"install" contains a backslash\. Put the command into a script next to the manifest\.\n$/);
	const { code, output } = await one.run("install", { KUBELESS_RUNTIME_MANIFEST: join(runtime, "other.json") });
	assert.equal(code, 0, output);
	assert.equal(output.trim(), `a  b|$(touch x)|;|${runtime}/y|`);
	assert.deepEqual(one.listing, GIVEN);
});
