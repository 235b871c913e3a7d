// The command line of `kubeless-loader conform`. conform/ plays the loader to a worker and checks
// every frame; it shares no code with the loader's own side of the wire, so that each can find
// mistakes of the other.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../errors.ts";
import { DependencyCache } from "../local/dependencies.ts";
import { type Run, readArguments, USAGE } from "./arguments.ts";
import { withLibraries } from "./candidate.ts";
import { type Result, runSuite } from "./conform.ts";
import { NotStarted } from "./fault.ts";
import { junit } from "./junit.ts";
import { disposeAll } from "./player.ts";
import { heading, listing, suiteLines, summary } from "./report.ts";
import { readSuites, type Suite } from "./vectors.ts";

/** docs/conformance.md; only defined in a bundle, by build.mjs. */
declare const CONFORMANCE_PAGE: string;

/**
 * Runs `kubeless-loader conform`: tests whether a worker keeps the rules of the wire. Returns the
 * exit code.
 */
export async function conform(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
	const print = (text: string) => process.stdout.write(`${text}\n`);
	try {
		const asked = readArguments(args, env, readSuites());
		if (asked.show === "help") print(USAGE.trimEnd());
		else if (asked.show === "handlers") print(handlersText());
		else if (asked.show === "list") print(listing(asked.suites));
		else return await run(asked, env, print);
		return 0;
	} catch (error) {
		const sentence = mistakeOf(error);
		process.stderr.write(`kubeless-loader: ${sentence}\n`);
		return 2;
	}
}

async function run(asked: Run, env: NodeJS.ProcessEnv, print: (text: string) => void): Promise<number> {
	const { suites, manifest, junit: file } = asked;
	const cache = new DependencyCache(env, print);
	process.once("exit", () => {
		cache.stop();
		disposeAll();
	});
	for (const [signal, code] of [
		["SIGINT", 130],
		["SIGTERM", 143],
		["SIGHUP", 129],
	] as const)
		process.once(signal, () => process.exit(code));
	const candidate = manifest ? await withLibraries(asked.candidate, manifest, cache) : asked.candidate;
	print(heading(candidate));
	const all: Result[] = [];
	let group: boolean | undefined;
	for (const suite of suites) {
		if (suite.optional !== group) print(`\n${suite.optional ? "Optional" : "Mandatory"}`);
		group = suite.optional;
		const results = await resultsOf(candidate, suite);
		for (const line of suiteLines(suite, results)) print(line);
		all.push(...results);
	}
	print(`\n${summary(all)}`);
	if (file !== undefined) writeFileSync(file, junit(all));
	return all.some(({ outcome }) => outcome === "broken") ? 1 : 0;
}

async function resultsOf(candidate: Parameters<typeof runSuite>[0], suite: Suite): Promise<Result[]> {
	const results: Result[] = [];
	for await (const result of runSuite(candidate, suite)) results.push(result);
	return results;
}

/** Returns the sentence for a mistake of the user; throws every other error again. */
function mistakeOf(error: unknown): string {
	if (error instanceof StartError) return error.message;
	if (error instanceof NotStarted) return `The worker's command cannot be run (${error.message}): is it installed, and on PATH?`;
	throw error;
}

function handlersText(): string {
	const page =
		typeof CONFORMANCE_PAGE === "undefined"
			? readFileSync(join(import.meta.dirname, "../../../docs/conformance.md"), "utf8")
			: CONFORMANCE_PAGE;
	return page.split("## The handlers\n")[1]?.split("\n## ")[0]?.trim() ?? "";
}
