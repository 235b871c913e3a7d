import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Why the stand-in cannot be had here: what it compiles runs on a real Java. */
export const noJava: string | false =
	spawnSync("javac", ["-version"], { stdio: "ignore" }).status === 0
		? false
		: "a JDK is missing; on Debian: apt-get install default-jdk-headless";

/** What the script of the command `ballerina` does around Java, which older/run.sh changes. */
const RUN = `
[ -n "$JAVA_HOME" ] || { echo "You must set the JAVA_HOME variable before running Ballerina."; exit 1; }
BALLERINA_HOME=$(cd "$(dirname "$0")/.." && pwd)
JAVACMD=$JAVA_HOME/bin/java
$JAVACMD \\
	-Xms256m -Xmx1024m \\
	$JAVA_OPTS \\
	-classpath "$BALLERINA_HOME/classes" \\
	Function "$@"
`;

/**
 * A distribution of Ballerina that is none: its command `bal` is bal.mjs beside this file, the
 * command `ballerina` of earlier versions is ballerina.mjs.
 */
export class StandIn {
	/** its own folder, with its `bin` */
	readonly place: string;
	/** where what is compiled at a start is kept */
	readonly cache: string;

	constructor(owner: Owner, command: "bal" | "ballerina") {
		this.place = folder(owner);
		this.cache = folder(owner);
		const { status, stderr } = spawnSync("javac", ["-d", join(this.place, "classes"), here("Function.java")], { encoding: "utf8" });
		if (status !== 0) throw new Error(stderr);
		mkdirSync(join(this.place, "bin"));
		const start = `export KUBELESS_STAND_IN='${this.place}'\nexec '${process.execPath}' '${here(`${command}.mjs`)}' "$@"\n`;
		const script = command === "bal" ? `#!/bin/sh\n${start}` : `#!/bin/bash\nif [ "$1" != run ]; then\n${start}fi\n${RUN}`;
		writeFileSync(join(this.place, "bin", command), script, { mode: 0o755 });
		// The user of a pod builds too.
		chmodSync(this.place, 0o777);
	}

	/** What a loader that finds it sees. */
	get env(): Record<string, string> {
		return {
			PATH: [join(this.place, "bin"), join(process.execPath, "../../../test/support"), process.env["PATH"]].join(delimiter),
			KUBELESS_LOADER_CACHE: this.cache,
		};
	}

	/** How often it has built something. */
	get builds(): number {
		const file = join(this.place, "builds");
		return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
	}

	/** A file of the package that was built last. */
	built(name: string): string {
		return readFileSync(join(this.place, "package", name), "utf8");
	}

	/** Puts a program or a note of the distribution's into its place, until `forget`. */
	put(name: string, text: string): void {
		const file = join(this.place, name);
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, text, { mode: 0o755 });
	}

	forget(): void {
		for (const name of ["builds", "package", "dependencies", "distributions"])
			rmSync(join(this.place, name), { recursive: true, force: true });
	}
}
