import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { before, test } from "node:test";
import { must } from "./docker.ts";
import { everyImage, imageOf } from "./images.ts";

/** Package managers of Linux and of the languages. */
const PACKAGE_MANAGERS =
	/^(apt.*|dpkg.*|rpm|yum|dnf|apk|npm|npx|yarn.*|corepack|pip[0-9.]*|easy_install.*|gem|bundle|bundler|composer|pear|pecl|mvn|nuget|go)$/;
/** Compilers and build tools. */
const COMPILERS = /^((.*-)?(gcc|g\+\+|cc|c\+\+|cpp|clang|ld|as)(-[0-9.]+)?|make|cmake|rustc|cargo|javac|tsc|phpize|php-config|gdb|perl.*)$/;
const SHELLS = /^(sh|bash|dash|rbash|ash|zsh|busybox)$/;
const PROGRAMS = /^(usr\/)?(local\/)?s?bin\/|\/bin\/[^/]+$/;

interface Entry {
	readonly mode: string;
	readonly owner: string;
	readonly path: string;
}

everyImage("what a runtime image has, and what it has not", (version) => {
	const image = imageOf(version.id, version.version);
	let entries: Entry[];
	let config: { User: string; Entrypoint: string[]; Cmd?: string[]; WorkingDir: string; ExposedPorts: object; Healthcheck?: object };

	before(async () => {
		entries = await list(image);
		config = JSON.parse(await must("image", "inspect", "--format", "{{json .Config}}", image));
	});
	const programs = (pattern: RegExp) =>
		entries.filter(({ mode, path }) => mode[0] !== "d" && PROGRAMS.test(path) && pattern.test(basename(path))).map(({ path }) => path);

	test("no package manager, no compiler", () => {
		assert.deepEqual([...programs(PACKAGE_MANAGERS), ...programs(COMPILERS)], []);
	});

	test("no shell, unless the worker is started by one", async () => {
		const { worker } = JSON.parse(
			await must(
				"run",
				"--rm",
				"--entrypoint",
				"/opt/kubeless/bin/node",
				image,
				"-p",
				`fs.readFileSync("/opt/kubeless/runtimes/${version.id}/runtime.json", "utf8")`,
			),
		);
		if (worker[0] === "sh") assert.notDeepEqual(programs(SHELLS), []);
		else assert.deepEqual(programs(SHELLS), []);
	});

	test("no setuid or setgid file, and no file that other users can change", () => {
		const open = entries.filter(({ mode, path }) => {
			if (/^[-l].*[sS]/.test(mode)) return true;
			return mode[0] !== "l" && mode[8] === "w" && !/^((var\/)?tmp\/|dev\/)/.test(path);
		});
		assert.deepEqual(open, []);
	});

	test("the user and its group can write only to /kubeless and the temporary folders", () => {
		const own = entries.filter(({ mode, owner }) => mode[0] !== "l" && /^1000\/|\/1000$/.test(owner));
		assert.deepEqual(
			own.map(({ path }) => path),
			["kubeless/"],
		);
	});

	test("no files of the build: no package lists, no caches, no documentation of the worker", () => {
		const left = entries.filter(({ path }) =>
			/^(var\/(lib\/apt|cache|log)\/.|root\/.|source\/|tmp\/.|usr\/src\/.|usr\/share\/man\/.)/.test(path),
		);
		assert.deepEqual(
			left.map(({ path }) => path),
			[],
		);
		assert.deepEqual(
			entries.filter(({ path }) => /^opt\/kubeless\/runtimes\/[^/]+\/(Dockerfile|README\.md|install\.sh|examples\/)$/.test(path)),
			[],
		);
	});

	test("the loader as entry point, a user other than root, the function's folder as working folder, a port, a health check", () => {
		assert.deepEqual([config.User, config.WorkingDir, config.Cmd], ["1000", "/kubeless", undefined]);
		assert.equal(config.Entrypoint.at(-1), "/opt/kubeless/start.mjs");
		assert.deepEqual(Object.keys(config.ExposedPorts), ["8080/tcp"]);
		assert.ok(config.Healthcheck);
	});
});

/** Returns all files of an image, as `tar tv` prints them. */
async function list(image: string): Promise<Entry[]> {
	const id = await must("create", image);
	try {
		const lines = await new Promise<string>((resolve, reject) => {
			const child = spawn("sh", ["-c", `docker export ${id} | tar tvf - --numeric-owner`], { stdio: ["ignore", "pipe", "inherit"] });
			let list = "";
			child.stdout.setEncoding("utf8").on("data", (text) => {
				list += text;
			});
			child.on("error", reject);
			child.on("close", (code) => (code === 0 ? resolve(list) : reject(new Error(`docker export or tar ended with ${code}`))));
		});
		return lines
			.trim()
			.split("\n")
			.map((line) => {
				const [mode = "", owner = "", , , , ...path] = line.split(/ +/);
				return { mode, owner, path: path.join(" ").split(" -> ")[0] as string };
			});
	} finally {
		await must("rm", id);
	}
}
