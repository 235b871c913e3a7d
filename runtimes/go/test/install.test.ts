import { chmodSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { zip } from "../../../test/images/archive.ts";
import { type Files, folderFor } from "../../../test/installers/pod.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { BULK, hash, type Tool, VERSIONS } from "../../../test/installers/tool.ts";

const FUNCTION = `package kubeless

import (
	"example.org/thing"
	"github.com/kubeless/kubeless/pkg/functions"
)

func Handler(event functions.Event, context functions.Context) (string, error) {
	return thing.Version, nil
}
`;
const GO_CACHE = fileURLToPath(new URL("../../../node_modules/.cache/go-installers", import.meta.url));
const MODULE = "example.org/thing";
const GO_MOD = `module ${MODULE}\n\ngo 1.19\n`;
const path = (version: string, suffix: string) => `/${MODULE}/@v/v${version}.${suffix}`;
const sources = (version: string, bulk: string): Record<string, string> => ({
	"go.mod": GO_MOD,
	"thing.go": `package thing\n\nimport _ "embed"\n\n// Version is the module's version.\nconst Version = "${version}"\n\n//go:embed bulk\nvar Bulk string\n`,
	bulk,
});

/** Returns the h1: hash of files (https://go.dev/ref/mod#go-sum-files). */
function h1(files: Record<string, string>): string {
	const lines = Object.entries(files).map(([name, text]) => `${hash("sha256", text)}  ${name}\n`);
	return `h1:${hash("sha256", lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(""), "base64")}`;
}
const within = (version: string, bulk: string): Record<string, string> =>
	Object.fromEntries(Object.entries(sources(version, bulk)).map(([name, text]) => [`${MODULE}@v${version}/${name}`, text]));
const sums = (version: string) =>
	`${MODULE} v${version} ${h1(within(version, BULK))}\n${MODULE} v${version}/go.mod ${h1({ "go.mod": GO_MOD })}\n`;
const needing = (version: string): Files => ({ "f.go": FUNCTION, "go.mod": `module f\n\ngo 1.19\n\nrequire ${MODULE} v${version}\n` });

// Go 1.24 and later match the host with its port, earlier versions without.
const netrc = (machine: string, password: string) => `machine ${machine} login ${USER} password ${password}\n`;

const go: Tool = {
	id: "go",
	depsFile: "go.mod",
	phase: "compile",
	packages(_owner, bulk) {
		const files = VERSIONS.flatMap((version): [string, string | Buffer][] => [
			[path(version, "info"), JSON.stringify({ Version: `v${version}`, Time: "2020-01-01T00:00:00Z" })],
			[path(version, "mod"), GO_MOD],
			[path(version, "zip"), zip(within(version, bulk))],
		]);
		return () => ({ [`/${MODULE}/@v/list`]: VERSIONS.map((version) => `v${version}\n`).join(""), ...Object.fromEntries(files) });
	},
	files: () => needing("1.1.0"),
	locked: () => ({ ...needing("1.0.0"), "go.sum": sums("1.0.0") }),
	env: (base) => ({ GOPROXY: base, GONOSUMDB: "example.org" }),
	secrets: (host, password = PASSWORD) => ({ "go/.netrc": netrc(host, password) + netrc(host.replace(/:.*/, ""), password) }),
	verbose: { GOFLAGS: "-x" },
	file: path("1.0.0", "zip"),
	purl: `pkg:golang/${MODULE}`,
	served: { MOD_NAME: "f", FUNC_HANDLER: "Handler" },
	/**
	 * Go's cache stays from one run to the next: with an empty one, the first phase takes a minute of
	 * CPU.
	 */
	prepare: async (owner) => {
		mkdirSync(GO_CACHE, { recursive: true });
		chmodSync(GO_CACHE, 0o777); // a phase may run as another user
		const shared = { GOCACHE: GO_CACHE, KUBELESS_LOADER_CACHE: folderFor(owner) };
		return () => shared;
	},
};

installs(go);
