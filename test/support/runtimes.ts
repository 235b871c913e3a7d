import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import type { Speaks } from "../../kubeless-loader/src/manifest.ts";
import { type Runtime, readRuntimes } from "../conformance/runtimes.ts";
import { type Loader, startLoader } from "./loader.ts";
import type { Owner } from "./owner.ts";

/** A language as the behaviour tests see it: the functions of its examples/conformance.*, served. */
export interface Served {
	readonly id: string;
	readonly speaks: Speaks;
	/** what its worker cannot do, by need, with the reason */
	readonly lacks: Readonly<Record<string, string>>;
	/** the variable that says where what its worker offers to functions is installed, if it offers anything */
	libraries(): Record<string, string>;
	/** Serves the conformance function of this name. */
	serve(owner: Owner, handler: string, env?: Readonly<Record<string, string>>): Promise<Loader>;
}

/** Languages at once: a worker that starts or sleeps leaves the machine to others. */
const AT_ONCE = 3;

/**
 * The same tests for every language that runtimes/ has. One that is not installed is skipped, by name and with the cure;
 * where CI is set that is a failure.
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
			describe(`${id}: ${what}`, { skip: missing ?? false, concurrency: 1 }, () => tests(servedBy(runtime)));
		}
	});
}

function servedBy({ id, speaks, lacks, candidate }: Runtime): Served {
	const libraries = (): Record<string, string> => {
		const folder = candidate().env["RUNTIME_LIBRARIES"];
		return folder === undefined ? {} : { RUNTIME_LIBRARIES: folder };
	};
	return {
		id,
		speaks,
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
