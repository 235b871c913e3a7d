import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder } from "../../../test/support/loader.ts";
import { poll } from "../../../test/support/poll.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// What holds in every language is tested in test/conformance/.

const { missing, candidate } =
	readRuntimes().find(({ id }) => id === "custom") ?? assert.fail("runtimes/custom has no conformance functions");
const hasBash = spawnSync("bash", ["-c", ":"]).status === 0;
const needsBash = { skip: hasBash ? false : "there is no bash" };
const needsProc = { skip: process.platform === "linux" ? false : "there is no /proc" };

const start = (t: TestContext, files: Files, handler = "hello", env: Env = {}) =>
	new WireEnd(t, candidate(), firstOf(t, files), handler, env);

describe("shell", { skip: missing ?? false }, () => {
	for (const line of ["#!/bin/bash", "#!/usr/bin/env bash", "#! /bin/bash -e", "#!/usr/bin/env -S bash -u"])
		test(`a file that begins with ${line} runs in bash, and its handler is called`, needsBash, async (t) => {
			const source = `${line}\nwords=(one two)\nhello() {\n\tlocal -a all=("\${words[@]}" "$(cat "$1/data")")\n\tprintf '%s' "\${#all[@]} \${all[2]^^} \${BASH_VERSION:+bash}"\n}\n`;
			assert.equal((await start(t, { "f.sh": source }).ask({ body: "three" })).text, "3 THREE bash");
		});

	test("a bash function may be written with the word function", needsBash, async (t) => {
		const worker = start(t, { "f.sh": "#!/bin/bash\nfunction hello {\n\t[[ $1 ]] && printf called\n}\n" });
		assert.equal((await worker.ask()).text, "called");
	});

	test("a bash file without the handler is refused with the names of its functions", async (t) => {
		const failed = await start(t, { "f.sh": "#!/bin/bash\nother() { :; }\n" }).failed();
		assert.deepEqual([failed.code, failed.handlers], ["HANDLER_NOT_FOUND", ["other"]]);
		assert.match(failed.message ?? "", /^no line of the file begins with hello\(\)\./);
	});

	test("a syntax error of bash is refused with its line", needsBash, async (t) => {
		const failed = await start(t, { "f.sh": "#!/bin/bash\nhello() {\n\t[[ x ]\n}\n" }).failed();
		assert.match(failed.message ?? "", /f\.sh: line \d/);
	});

	test("an error in a bash function names the function's line", needsBash, async (t) => {
		const worker = start(t, { "f.sh": "#!/bin/bash\n\nhello() { return 4; }\n" });
		const { error } = await worker.ask();
		assert.equal(error?.message, "hello returned 4");
		assert.match(error?.stack ?? "", /at hello \(.*f\.sh:3\)$/);
	});

	test("a handler in another shell is refused: it would not be called", async (t) => {
		for (const shell of ["zsh", "ksh", "ksh93"]) {
			const failed = await start(t, { "f.sh": `#!/bin/${shell}\nhello() { print hello; }\n` }).failed();
			assert.equal(failed.code, "HANDLER_FAILED_TO_LOAD");
			assert.match(failed.message ?? "", /functions are called in sh and bash only/);
		}
	});

	test("a bash file without functions is a program", needsBash, async (t) => {
		const worker = start(t, { "f.sh": '#!/bin/bash\n_twice() { echo "$1$1"; }\nread -r word\n[[ -d $1 ]] && _twice "$word"\n' });
		assert.equal((await worker.ask({ body: "ab\n" })).text, "abab\n");
	});

	/** Returns a PATH on which this script is found in place of a program. */
	const withTool = (t: TestContext, name: string, script: string): Env => {
		const tools = folder(t, { [name]: `#!/bin/sh\n${script}\n` });
		chmodSync(join(tools, name), 0o755);
		return { PATH: `${tools}:${process.env["PATH"]}` };
	};

	test("a file that is replaced while the worker looks at it is not taken for a program", async (t) => {
		const replacing = withTool(t, "tr", `PATH=\${PATH#*:} tr "$@"; cp "$KUBELESS_HANDLER_FILE.new" "$KUBELESS_HANDLER_FILE"`);
		const files = { "f.sh": "hello() { printf one; }\n", "f.sh.new": "hello() { printf another; }\n" };
		assert.equal((await start(t, files, "hello", replacing).ask()).text, "another");
	});

	test("a file that cannot be read for a moment is not taken for a program", async (t) => {
		const failing = withTool(t, "sed", "exit 2");
		const failed = await start(t, { "f.sh": "hello() { printf one; }\n" }, "hello", failing).failed();
		assert.match(failed.message ?? "", /f\.sh does not exist or cannot be read$/);
	});

	test("a worker removes the folders of killed workers, and of no other", needsProc, async (t) => {
		const place = folder(t);
		const env = { TMPDIR: place };
		const killed = start(t, { "f.sh": 'hello() { cat "$1/data"; }\n' }, "hello", env);
		await killed.ask({ body: "secret" });
		const [left] = readdirSync(place);
		killed.child.kill("SIGKILL");
		await killed.exited;
		assert.deepEqual(readdirSync(place), [left]);
		mkdirSync(join(place, "kubeless.other"));
		const first = start(t, { "f.sh": "hello() { printf first; }\n" }, "hello", env);
		await first.ready();
		const second = start(t, { "f.sh": "hello() { printf second; }\n" }, "hello", env);
		assert.equal((await second.ask()).text, "second");
		assert.equal((await first.ask()).text, "first");
		assert.ok(!readdirSync(place).includes(left as string));
		assert.equal(readdirSync(place).length, 3);
		await Promise.all([first.stop(), second.stop()]);
		assert.deepEqual(readdirSync(place), ["kubeless.other"]);
	});

	test("a worker removes the folder of a zombie, and one whose name has no start time", needsProc, async (t) => {
		const place = folder(t);
		const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
		t.after(() => void parent.kill("SIGKILL"));
		const [pid] = await once(parent.stdout, "data");
		const stat = await poll(
			() =>
				[
					readFileSync(`/proc/${Number(pid)}/stat`, "latin1")
						.replace(/.*\) /, "")
						.split(" "),
				].find(([state]) => state === "Z"),
			() => `process ${pid} is no zombie`,
		);
		const namespace = readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
		mkdirSync(join(place, `kubeless.${namespace}.${Number(pid)}.${stat[19]}.abcdef`));
		mkdirSync(join(place, `kubeless.${namespace}.${Number(pid)}..abcdef`));
		const worker = start(t, { "f.sh": "hello() { :; }\n" }, "hello", { TMPDIR: place });
		await worker.ready();
		await worker.stop();
		assert.deepEqual(readdirSync(place), []);
	});

	test("a worker whose function cannot be loaded leaves no folder", async (t) => {
		const place = folder(t);
		const worker = start(t, { "f.sh": "exit 3\nhello() { :; }\n" }, "hello", { TMPDIR: place });
		assert.match((await worker.failed()).message ?? "", /ended the shell when it was loaded$/);
		await worker.exited;
		assert.deepEqual(readdirSync(place), []);
	});

	test("a body is passed on as it came, also if it should be JSON and is not", async (t) => {
		const worker = start(t, { "f.sh": 'hello() { cat "$1/data"; }\n' });
		for (const body of ["{", "\ufeff[1]", `[${"1".repeat(500_000)}]`]) assert.equal((await worker.ask({ json: true, body })).text, body);
	});

	test("headers over 1 MiB end their own call and not the worker", async (t) => {
		const source = `hello() {
	[ "$(cat "$1/data")" != long ] || { printf 'X-A: '; head -c 1048576 /dev/zero | tr '\\0' a; } >"$1/extensions/response/headers"
	printf short
}
`;
		const worker = start(t, { "f.sh": source });
		const { error } = await worker.ask({ body: "long" });
		assert.equal(error?.code, "RESULT_INVALID");
		assert.match(error?.message ?? "", /headers has \d+ bytes: the limit is 1048576/);
		assert.equal((await worker.ask()).text, "short");
	});
});
