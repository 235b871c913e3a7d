import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import { env, home, needsPython, python, start } from "./worker.ts";

describe("Python: install.sh", needsPython, () => {
	const run = (own: NodeJS.ProcessEnv) => spawnSync("/bin/sh", [join(home, "install.sh")], { env: own, encoding: "utf8" });

	test("install.sh does not run pip if the file lists nothing", (t) => {
		const place = folder(t, { "requirements.txt": "\n  # nothing yet\n\n" });
		const tools = folder(t);
		for (const name of ["grep"]) writeFileSync(join(tools, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
		const { status, stderr } = run({
			PATH: tools,
			KUBELESS_DEPS_FILE: join(place, "requirements.txt"),
			KUBELESS_INSTALL_VOLUME: place,
		});
		assert.deepEqual([status, stderr], [0, ""]);
	});

	test("install.sh installs a wheel beside the file into the prefix, without a home folder", async (t) => {
		const place = folder(t);
		execFileSync(python, ["-c", WHEEL], { cwd: place });
		const wheel = readdirSync(place).find((name) => name.endsWith(".whl"));
		writeFileSync(join(place, "requirements.txt"), `./${wheel}\n`);
		const prefix = folder(t);
		const { status, stdout, stderr } = run({
			PATH: env.PATH,
			PIP_NO_INDEX: "1",
			KUBELESS_DEPS_FILE: join(place, "requirements.txt"),
			KUBELESS_INSTALL_VOLUME: prefix,
		});
		assert.equal(status, 0, stdout + stderr);
		const worker = start(t, { "f.py": "import mine\ndef handler(event, context):\n    return mine.of\n" }, "handler", {
			KUBELESS_INSTALL_VOLUME: prefix,
		});
		assert.equal((await worker.ask()).text, "mine");
	});
});

describe("Python: cache-key.sh", needsPython, () => {
	const LINES = [
		["an included file", "-r ../shared.txt", "shared.txt"],
		["a constraints file in the short form", "-c../shared.txt", "shared.txt"],
		["a file that an included file includes", "--requirement=../more.txt", "shared.txt"],
		["a local package", "-e ../lib[fast] # ours", "lib/src/mine.py"],
		["a local package by its URL", "mine @ file:../lib ; python_version > '3'", "lib/setup.py"],
	] as const;
	for (const [what, line, changed] of LINES) {
		test(`the key changes with ${what} outside the function's folder`, (t) => {
			const place = folder(t, {
				"f/requirements.txt": `${line}\n`,
				"shared.txt": "six==1.16.0\n-r more.txt\n",
				"more.txt": "-r shared.txt\n",
				"lib/setup.py": "",
				"lib/src/mine.py": "",
				"other.txt": "",
			});
			const key = () => {
				const given = { PATH: env.PATH, KUBELESS_DEPS_FILE: join(place, "f/requirements.txt") };
				const { status, stdout, stderr } = spawnSync("/bin/sh", [join(home, "cache-key.sh")], { env: given, encoding: "utf8" });
				assert.deepEqual([status, stderr], [0, ""]);
				return stdout;
			};
			const before = key();
			writeFileSync(join(place, "other.txt"), "changed");
			assert.equal(key(), before);
			writeFileSync(join(place, changed), "# changed");
			assert.notEqual(key(), before);
		});
	}

	test("the key of a function whose package is its own folder does not change with the function's file", (t) => {
		const place = folder(t, { "requirements.txt": "-e .\n./lib\n", "f.py": "", "lib/setup.py": "" });
		const given = { PATH: env.PATH, KUBELESS_DEPS_FILE: join(place, "requirements.txt") };
		const lines = spawnSync("/bin/sh", [join(home, "cache-key.sh")], { env: given, encoding: "utf8" })
			.stdout.trimEnd()
			.split("\n");
		assert.equal(lines.at(-1), "@folder", "the files in the folder are for the caller, who knows which one is the function's");
	});
});

/** Writes a wheel by hand: building one would fetch what it takes to build. */
const WHEEL = `
import zipfile
info = 'kubeless_test_mine-1.dist-info/'
with zipfile.ZipFile('kubeless_test_mine-1-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('mine.py', "of = 'mine'\\n")
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: kubeless-test-mine\\nVersion: 1\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', 'mine.py,,\\n%sMETADATA,,\\n%sWHEEL,,\\n%sRECORD,,\\n' % (info, info, info))
`;
