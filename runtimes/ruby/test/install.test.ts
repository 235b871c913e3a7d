import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folderFor } from "../../../test/installers/pod.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, VERSIONS } from "../../../test/installers/tool.ts";

const FUNCTION = 'require "thing"\n\ndef handler(event, context)\n  THING_VERSION\nend\n';
const path = (version: string) => `/gems/thing-${version}.gem`;
const gemfile = (base: string) => `source "${base}"\ngem "thing", "~> 1.0"\n`;

const variable = (host: string) => `BUNDLE_${host.replace(/:.*/, "").replaceAll(".", "__").toUpperCase()}`;

const ruby: Tool = {
	id: "ruby",
	depsFile: "Gemfile",
	phase: "install",
	packages(owner, bulk) {
		const gems = VERSIONS.map((version) => {
			const place = folderFor(owner, {
				"lib/thing.rb": `THING_VERSION = "${version}"\n`,
				bulk,
				"thing.gemspec": `Gem::Specification.new { |s| s.name = "thing"; s.version = "${version}"; s.summary = s.author = "thing"; s.license = "MIT"; s.files = ["lib/thing.rb", "bulk"] }`,
			});
			const { status, stderr } = spawnSync("gem", ["build", "thing.gemspec"], { cwd: place, encoding: "utf8" });
			if (status !== 0) throw new Error(stderr);
			return [version, readFileSync(join(place, `thing-${version}.gem`))] as const;
		});
		// The compact index, https://guides.rubygems.org/rubygems-org-compact-index-api/
		const info = `---\n${gems.map(([version, bytes]) => `${version} |checksum:${hash("sha256", bytes)}\n`).join("")}`;
		return () => ({
			"/versions": `created_at: 2020-01-01T00:00:00Z\n---\nthing ${VERSIONS.join(",")} ${hash("md5", info)}\n`,
			"/names": "---\nthing\n",
			"/info/thing": info,
			...Object.fromEntries(gems.map(([version, bytes]) => [path(version), bytes])),
		});
	},
	files: (base) => ({ "f.rb": FUNCTION, Gemfile: gemfile(base) }),
	locked: (base) => ({
		...ruby.files(base),
		"Gemfile.lock": `GEM\n  remote: ${base}/\n  specs:\n    thing (1.0.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  thing (~> 1.0)!\n`,
	}),
	secrets: (host, password = PASSWORD) => ({ [`gems/${variable(host)}`]: `${USER}:${encodeURIComponent(password)}` }),
	verbose: { DEBUG: "1" },
	kubeless: {
		command: "bundle install --gemfile=$KUBELESS_DEPS_FILE --path=$KUBELESS_INSTALL_VOLUME",
		env: (host) => ({ [variable(host)]: `${USER}:${PASSWORD}` }),
	},
	file: path("1.0.0"),
	purl: "pkg:gem/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

installs(ruby);
