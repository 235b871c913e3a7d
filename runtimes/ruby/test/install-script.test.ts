import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Env } from "../../../test/support/wire-end.ts";
import { home, needsRuby, start, startIn } from "./worker.ts";

describe("Ruby: install.sh", needsRuby, () => {
	/** A place that serves gems as a gem server does: RubyGems and Bundler take a folder for one. */
	function gemServer(t: TestContext): string | undefined {
		const place = folder(t);
		for (const version of ["1.0.0", "1.1.0"]) {
			const gem = folder(t, {
				"lib/greeting.rb": `module Greeting; VERSION = '${version}'; end`,
				"greeting.gemspec": `Gem::Specification.new { |s| s.name = 'greeting'; s.version = '${version}'; s.summary = 'a greeting'; s.authors = ['me']; s.files = ['lib/greeting.rb'] }`,
			});
			mkdirSync(join(place, "gems"), { recursive: true });
			execFileSync("ruby", ["-S", "gem", "build", "--silent", "greeting.gemspec", "-o", join(place, `gems/greeting-${version}.gem`)], {
				cwd: gem,
				stdio: "ignore",
			});
		}
		spawnSync("ruby", ["-S", "gem", "generate_index", "--silent", "--directory", place], { stdio: "ignore" });
		return existsSync(join(place, "specs.4.8.gz")) ? place : undefined;
	}

	function install(file: string, volume: string, env: Env = {}) {
		return spawnSync("sh", [join(home, "install.sh")], {
			cwd: volume,
			encoding: "utf8",
			env: { ...process.env, HOME: "/nowhere", KUBELESS_INSTALL_VOLUME: volume, KUBELESS_DEPS_FILE: file, ...env },
		});
	}

	const GREETS = "require 'greeting'\ndef handler(event, context)\n  Greeting::VERSION + Gem.loaded_specs['greeting'].version.to_s\nend";

	test("install.sh does nothing for a Gemfile without gems", (t) => {
		for (const text of ["", "\n \n", "# nothing yet\n"]) {
			const place = folder(t, { Gemfile: text });
			const began = Date.now();
			const { status, stdout } = install(join(place, "Gemfile"), place);
			assert.deepEqual([status, stdout, readdirSync(place)], [0, "", ["Gemfile"]]);
			assert.ok(Date.now() - began < 1000);
		}
	});

	test("install.sh installs the gems where the worker finds them, and leaves the function's folder unchanged", async (t) => {
		const server = gemServer(t);
		if (!server) return t.skip("this RubyGems cannot make an index of gems");
		const place = folder(t, { "f.rb": GREETS, Gemfile: `source 'file://${server}'\ngem 'greeting', '~> 1.0.0'\n` });
		const volume = folder(t);
		const { status, stdout, stderr } = install(join(place, "Gemfile"), volume);
		assert.equal(status, 0, stdout + stderr);
		assert.deepEqual(readdirSync(place).sort(), ["Gemfile", "f.rb"]);
		const worker = startIn(t, join(place, "f.rb"), undefined, { KUBELESS_INSTALL_VOLUME: volume });
		assert.equal((await worker.ask()).text, "1.0.01.0.0");
		const bundled = start(t, { "f.rb": `require 'bundler/setup'\nBundler.require\n${GREETS}` }, undefined, {
			KUBELESS_INSTALL_VOLUME: volume,
		});
		assert.equal((await bundled.ask()).text, "1.0.01.0.0");
		const child = start(
			t,
			{ "f.rb": "def handler(event, context)\n  `ruby -e \"require 'greeting'; print Greeting::VERSION\"`\nend" },
			undefined,
			{ KUBELESS_INSTALL_VOLUME: volume },
		);
		assert.equal((await child.ask()).text, "1.0.0");
	});

	test("install.sh installs into the function's own folder, as in a pod, and obeys Gemfile.lock", async (t) => {
		const server = gemServer(t);
		if (!server) return t.skip("this RubyGems cannot make an index of gems");
		const lock = `GEM\n  remote: file://${server}/\n  specs:\n    greeting (1.0.0)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n  aarch64-linux\n\nDEPENDENCIES\n  greeting\n`;
		const place = folder(t, { "f.rb": GREETS, Gemfile: `source 'file://${server}'\ngem 'greeting'\n`, "Gemfile.lock": lock });
		const { status, stdout, stderr } = install(join(place, "Gemfile"), place);
		assert.equal(status, 0, stdout + stderr);
		assert.equal(readFileSync(join(place, "Gemfile.lock"), "utf8"), lock);
		assert.equal((await startIn(t, join(place, "f.rb")).ask()).text, "1.0.01.0.0");

		writeFileSync(join(place, "Gemfile"), `source 'file://${server}'\ngem 'greeting', '1.1.0'\n`);
		const other = install(join(place, "Gemfile"), place);
		assert.notEqual(other.status, 0);
		assert.match(other.stdout + other.stderr, /frozen|deployment mode|lockfile/i);
	});

	test("install.sh accepts a gem in a folder beside the Gemfile", async (t) => {
		const place = folder(t, {
			"f.rb": GREETS,
			Gemfile: "gem 'greeting', path: './own'\n",
			"own/lib/greeting.rb": "module Greeting; VERSION = '2.0.0'; end",
			"own/greeting.gemspec":
				"Gem::Specification.new { |s| s.name = 'greeting'; s.version = '2.0.0'; s.summary = 'a greeting'; s.authors = ['me'] }",
		});
		// Bundler 2.1, which Ruby 2.7 brings, mistakes a path that stands in a Gemfile elsewhere.
		const old = /^2\.[01]\./.test(execFileSync("ruby", ["-e", "require 'bundler'; print Bundler::VERSION"], { encoding: "utf8" }));
		for (const volume of old ? [place] : [folder(t), place]) {
			const { status, stdout, stderr } = install(join(place, "Gemfile"), volume);
			assert.equal(status, 0, stdout + stderr);
			const worker = startIn(t, join(place, "f.rb"), undefined, { KUBELESS_INSTALL_VOLUME: volume });
			assert.equal((await worker.ask()).text, "2.0.02.0.0");
		}
	});

	test("install.sh names the gem that does not exist", (t) => {
		const server = folder(t);
		const place = folder(t, { Gemfile: `source 'file://${server}'\ngem 'nosuchgem'\n` });
		const { status, stdout, stderr } = install(join(place, "Gemfile"), place, { BUNDLE_RETRY: "0" });
		assert.notEqual(status, 0);
		assert.match(stdout + stderr, /nosuchgem|could not find|index/i);
		assert.ok(!existsSync(join(place, "Gemfile.lock")));
	});
});
