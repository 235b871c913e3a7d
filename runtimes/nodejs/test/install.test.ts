import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import type { Files } from "../../../test/support/wire-end.ts";
import { home, node } from "./worker.ts";

describe("nodejs: install.sh", () => {
	const pack = '{"name":"dep","version":"1.0.0","main":"i.js"}';

	/** Installs from a folder of its own into another one. The packages are on this disk: no registry is asked. */
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

	test("installs what is listed, and not what is for development", { skip: noNpm() }, (t) => {
		const dep = folder(t, { "package.json": pack, "i.js": "module.exports = 'installed'" });
		const tool = folder(t, { "package.json": pack.replace("dep", "tool"), "i.js": "" });
		const lists = { dependencies: { dep: `file:${dep}` }, devDependencies: { tool: `file:${tool}` } };
		const volume = install(t, { "package.json": JSON.stringify(lists) });
		const script = "require('dep') + ' ' + require('fs').existsSync('node_modules/tool')";
		assert.equal(execFileSync(node, ["-p", script], { cwd: volume, encoding: "utf8" }), "installed false\n");
	});

	test("has nothing to do without dependencies, and says what is missing", (t) => {
		for (const text of ["", " \n", "{}", '{"name":"x","dependencies":{}}']) assert.ok(install(t, { "package.json": text }));
		assert.throws(() => install(t, {}), /There is no dependency file .*package\.json/);
	});

	test("runs nothing that stands in NPM_*, and passes npm's words on", { skip: noNpm() }, (t) => {
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
