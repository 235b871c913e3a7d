import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { noJava, StandIn } from "./stand-in.ts";

// No registry has Ballerina's compiler. A stand-in takes its place, and what it builds answers for
// the function. Everything else is real: start.sh, compile.sh, the package they make, the loader,
// Java.

export const home = fileURLToPath(new URL("../", import.meta.url));
export const example = (name: string) => readFileSync(join(home, "examples", name), "utf8");

/** A function with this name. The stand-in chooses its behaviour by the name. */
export const source = (name: string, qualifier = "isolated ") => `import kubeless/kubeless;

public ${qualifier}function ${name}(kubeless:Event event, kubeless:Context context) returns string|error {
    return event.data;
}
`;

type Texts = Record<string, string>;

type Line = "bal" | "ballerina";

/** One stand-in for all tests of a suite. */
export class Suite {
	readonly #owner = suiteOwner();
	readonly #runtime: string;
	#standIn: StandIn | undefined;

	constructor(command: Line) {
		this.#runtime = command === "bal" ? "ballerina2201.13" : "ballerina0.981.0";
		before(() => {
			this.#standIn = new StandIn(this.#owner, command);
		});
		beforeEach(() => this.standIn.forget());
	}

	get standIn(): StandIn {
		return this.#standIn ?? assert.fail("the suite has not begun");
	}

	readonly options = (files: Texts, env: Texts = {}) => ({
		files,
		env: { ...this.standIn.env, FUNC_RUNTIME: this.#runtime, ...env },
	});

	readonly serve = (t: TestContext, files: Texts, env?: Texts): Promise<Loader> => startLoader(t, this.options(files, env));

	/** Returns what the loader prints about a function that cannot be served. */
	readonly reported = async (t: TestContext, files: Texts, env?: Texts): Promise<string> => {
		const { code, stderr } = await runLoader(t, this.options(files, env));
		assert.equal(code, 1, stderr);
		return stderr;
	};

	readonly only = (t: TestContext, name: string, env?: Texts): Promise<Loader> => this.serve(t, { "f.bal": source(name) }, env);
}

/** Defines a suite, which is skipped without Java. In CI, a missing Java is a failure. */
export function suite(title: string, define: (suite: Suite) => void, command: Line = "bal"): void {
	if (noJava && process.env["CI"]) test(title, () => assert.fail(String(noJava)));
	if (noJava) console.log(`SKIPPED: ${title}. ${noJava}`);
	describe(title, { skip: noJava }, () => define(new Suite(command)));
}
