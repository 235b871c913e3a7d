import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import type { Speaks } from "../../kubeless-loader/src/manifest.ts";
import { type Runtime, readRuntimes } from "../conformance/runtimes.ts";
import { type Loader, startLoader } from "./loader.ts";
import type { Owner } from "./owner.ts";

/** A language for the behaviour tests, which serve the functions in examples/conformance.*. */
export interface Served {
	readonly id: string;
	readonly speaks: Speaks;
	/** the language's folder in runtimes/ */
	readonly folder: string;
	/** the features that the worker lacks, with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** Returns RUNTIME_LIBRARIES if the worker offers libraries to functions, else no variables. */
	libraries(): Record<string, string>;
	/** Serves the conformance function of this name. */
	serve(owner: Owner, handler: string, env?: Readonly<Record<string, string>>): Promise<Loader>;
}

/**
 * Languages that are tested at the same time: a worker that starts or sleeps leaves the CPU to
 * others.
 */
const AT_ONCE = 3;

/**
 * Registers the same tests for every language in runtimes/. A language that is not installed is
 * skipped, with its name and a hint; with CI set, its tests fail.
 */
export function everyRuntime(what: string, tests: (served: Served) => void): void {
	describe(what, { concurrency: AT_ONCE }, () => {
		for (const runtime of readRuntimes()) {
			const { id, missing, wanted } = runtime;
			if (wanted) {
				test(`${id}: ${what}`, () => assert.fail(missing));
				continue;
			}
			if (missing) console.log(`SKIPPED: ${id}: ${what}. ${missing}`);
			describe(`${id}: ${what}`, { skip: missing ?? false, concurrency: 1 }, () => {
				before(runtime.prepare);
				tests(servedBy(runtime));
			});
		}
	});
}

/**
 * Returns why a language cannot run on this machine, for a test's `skip`; false if it can, and with
 * CI set, so that the test fails instead.
 */
export function missingRuntime(id: string): string | false {
	const [runtime] = readRuntimes(id);
	if (runtime?.missing === undefined || runtime.wanted) return false;
	console.log(`SKIPPED: tests that need ${id}. ${runtime.missing}`);
	return runtime.missing;
}

function servedBy({ id, speaks, folder, lacks, candidate }: Runtime): Served {
	const libraries = (): Record<string, string> => {
		const folder = candidate().env["RUNTIME_LIBRARIES"];
		return folder === undefined ? {} : { RUNTIME_LIBRARIES: folder };
	};
	return {
		id,
		speaks,
		folder,
		lacks,
		libraries,
		serve(owner, handler, env) {
			const { file } = candidate();
			return startLoader(owner, {
				volume: dirname(file),
				env: {
					MOD_NAME: "conformance",
					FUNC_HANDLER: handler,
					FUNC_RUNTIME: id,
					...libraries(),
					...env,
				},
			});
		},
	};
}
