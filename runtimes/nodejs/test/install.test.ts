import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import type { Files } from "../../../test/support/wire-end.ts";
import { home, node } from "./worker.ts";

describe("nodejs: install.sh", () => {
	const pack = '{"name":"dep","version":"1.0.0","main":"i.js"}';

	/**
	 * Installs from one folder into another. The packages are on this disk, so no registry is needed.
	 */
	function install(owner: Owner, files: Files, env: Record<string, string> = {}): string {
		const volume = folder(owner);
		execFileSync("sh", [join(home, "install.sh")], {
			env: {
				PATH: process.env["PATH"],
				HOME: folder(owner),
				KUBELESS_DEPS_FILE: join(folder(owner, files), "package.json"),
				KUBELESS_INSTALL_VOLUME: volume,
				npm_config_install_links: "true",
				...env,
			},
			stdio: "pipe",
		});
		return volume;
	}

	test("dependencies are installed, development dependencies are not", { skip: noNpm() }, (t) => {
		const dep = folder(t, { "package.json": pack, "i.js": "module.exports = 'installed'" });
		const tool = folder(t, { "package.json": pack.replace("dep", "tool"), "i.js": "" });
		const lists = { dependencies: { dep: `file:${dep}` }, devDependencies: { tool: `file:${tool}` } };
		const volume = install(t, { "package.json": JSON.stringify(lists) });
		const script = "require('dep') + ' ' + require('fs').existsSync('node_modules/tool')";
		assert.equal(execFileSync(node, ["-p", script], { cwd: volume, encoding: "utf8" }), "installed false\n");
	});

	test("development dependencies are not even looked up, and package.json stays as it is", { skip: noNpm() }, (t) => {
		const dep = folder(t, { "package.json": pack, "i.js": "module.exports = 'installed'" });
		const lists = {
			dependencies: { dep: `file:${dep}` },
			devDependencies: { "not-there-at-all": "1.0.0" },
			overrides: { "not-there-at-all": "$not-there-at-all" },
		};
		const offline = { NPM_REGISTRY: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" };
		const volume = install(t, { "package.json": JSON.stringify(lists) }, offline);
		assert.deepEqual(JSON.parse(readFileSync(join(volume, "package.json"), "utf8")), lists);
		// In a pod the file lies in the volume itself.
		const pod = folder(t, { "package.json": JSON.stringify(lists) });
		install(t, {}, { ...offline, KUBELESS_DEPS_FILE: join(pod, "package.json"), KUBELESS_INSTALL_VOLUME: pod });
		assert.deepEqual(JSON.parse(readFileSync(join(pod, "package.json"), "utf8")), lists);
		assert.equal(execFileSync(node, ["-p", "require('dep')"], { cwd: pod, encoding: "utf8" }), "installed\n");
	});

	test("workspaces, packages by path and install scripts come from the function's folder", { skip: noNpm() }, (t) => {
		const outside = folder(t, { "shared/package.json": pack.replace("dep", "shared"), "shared/i.js": "module.exports = 'shared'" });
		const lists = {
			workspaces: ["packages/*"],
			dependencies: { "is-number": "*", mylib: "file:./mylib", shared: `file:../${basename(outside)}/shared` },
			scripts: { postinstall: "node scripts/after.js" },
		};
		const files = {
			"package.json": JSON.stringify(lists),
			"packages/is-number/package.json": pack.replace("dep", "is-number"),
			"packages/is-number/i.js": "module.exports = 'workspace'",
			"mylib/package.json": pack.replace("dep", "mylib"),
			"mylib/i.js": "module.exports = 'by path'",
			"scripts/after.js": "require('fs').writeFileSync('after.txt', 'ran')",
			".hidden/file": "",
			"node_modules/other/index.js": "",
		};
		// A place below the function's folder must not be copied into itself.
		const from = folder(t, files);
		for (const volume of [folder(t), join(from, "cache/volume")]) {
			mkdirSync(volume, { recursive: true });
			const offline = { NPM_REGISTRY: "http://127.0.0.1:9/", npm_config_fetch_retries: "0", npm_config_install_links: "false" };
			install(t, {}, { ...offline, KUBELESS_DEPS_FILE: join(from, "package.json"), KUBELESS_INSTALL_VOLUME: volume });
			const script = "[require('is-number'), require('mylib'), require('shared'), require('fs').readFileSync('after.txt', 'utf8')].join()";
			assert.equal(execFileSync(node, ["-p", script], { cwd: volume, encoding: "utf8" }), "workspace,by path,shared,ran\n");
			for (const name of [".hidden", "node_modules/other", "cache/volume"]) assert.ok(!existsSync(join(volume, name)), name);
		}
	});

	test("a setting that npm does not know does not end the installation", { skip: noNpm() }, (t) => {
		const dep = folder(t, { "package.json": pack, "i.js": "" });
		const files = { "package.json": JSON.stringify({ dependencies: { dep: `file:${dep}` } }) };
		for (const extra of ["always-auth true", "always-auth=true fund=false", "//localhost/:_password a#b;c"]) {
			assert.ok(existsSync(join(install(t, files, { NPM_CONFIG_EXTRA: extra }), "node_modules/dep/i.js")), extra);
		}
	});

	test("nothing is installed without dependencies, and a missing file is reported", (t) => {
		for (const text of ["", " \n", "{}", '{"name":"x","dependencies":{}}']) assert.ok(install(t, { "package.json": text }));
		assert.throws(() => install(t, {}), /There is no dependency file .*package\.json/);
	});

	test("the text of NPM_* variables is never run, and npm's errors are passed on", { skip: noNpm() }, (t) => {
		const trap = join(folder(t), "trapped");
		const files = { "package.json": '{"dependencies":{"not-there-at-all":"1.0.0"}}' };
		const settings = {
			npm_config_fetch_retries: "0",
			NPM_SCOPE: `@x; touch ${trap};`,
			NPM_REGISTRY: `http://127.0.0.1:9/$(touch ${trap})`,
		};
		assert.throws(() => install(t, files, { ...settings, NPM_CONFIG_EXTRA: "registry http://127.0.0.1:9/" }), /npm error|npm ERR!/);
		assert.throws(() => readFileSync(trap), /ENOENT/);
	});
});

function noNpm(): string | false {
	try {
		execFileSync("npm", ["--version"], { stdio: "ignore" });
		return false;
	} catch {
		return "npm is missing; on Debian: apt-get install npm";
	}
}
