import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { zip } from "../../../test/images/archive.ts";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, VERSIONS, xml } from "../../../test/installers/tool.ts";

const FUNCTION = `package io.kubeless;

public class F {
    public String handler(Event event, Context context) throws Exception {
        return new String(F.class.getResourceAsStream("/thing.txt").readAllBytes());
    }
}
`;
const pom = (base: string, version: string): string => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>f</groupId><artifactId>f</artifactId><version>1.0</version>
  <repositories><repository><id>inside</id><url>${base}</url></repository></repositories>
  <dependencies><dependency><groupId>example</groupId><artifactId>thing</artifactId><version>${version}</version></dependency></dependencies>
</project>
`;
const path = (version: string, suffix: string) => `/example/thing/${version}/thing-${version}.${suffix}`;
const settings = (password: string) =>
	`<settings><servers><server><id>inside</id><username>${USER}</username><password>${xml(password)}</password></server></servers></settings>`;

const java: Tool = {
	id: "java",
	depsFile: "pom.xml",
	phase: "install",
	packages(_owner, bulk) {
		const files = VERSIONS.flatMap((version): [string, string | Buffer][] => [
			[path(version, "jar"), zip({ "thing.txt": version, bulk })],
			[
				path(version, "pom"),
				`<project><modelVersion>4.0.0</modelVersion><groupId>example</groupId><artifactId>thing</artifactId><version>${version}</version></project>`,
			],
		]);
		return () =>
			Object.fromEntries(files.flatMap(([name, content]) => [[name, content], [`${name}.sha1`, hash("sha1", content)] as const]));
	},
	// Of a range Maven does not say why it found nothing.
	files: (base) => ({ "F.java": FUNCTION, "pom.xml": pom(base, "1.1.0") }),
	// Maven has no lock file: the version is the lock, and the hash is beside the jar.
	locked: (base) => ({ "F.java": FUNCTION, "pom.xml": pom(base, "1.0.0") }),
	secrets: (_host, password = PASSWORD) => ({ "maven/settings.xml": settings(password) }),
	file: path("1.0.0", "jar"),
	purl: "pkg:maven/example/thing",
	served: { MOD_NAME: "F", FUNC_HANDLER: "handler" },
	/** Maven's own plugins come from its usual repository, once. */
	prepare: async (owner) => {
		const plugins = folderFor(owner);
		const repository = (place: string) => ({ MAVEN_OPTS: `-Dmaven.repo.local=${place}` });
		const files = { "pom.xml": pom("https://localhost:9", "1.0.0").replace(/<dependencies>.*/, "") };
		const { code, output } = await new Pod(owner, { runtime: "java", depsFile: "pom.xml", files, env: repository(plugins) }).run("install");
		assert.equal(code, 0, output);
		return (pod) => {
			const place = folderFor(pod);
			cpSync(plugins, place, { recursive: true });
			return repository(place);
		};
	},
};

installs(java);
