import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "../errors.ts";
import { type Manifest, readManifest } from "../manifest.ts";
import { conformanceFile, manifestCandidate, plainCandidate } from "./candidate.ts";
import type { Candidate } from "./start.ts";
import type { Suite } from "./vectors.ts";

export const USAGE = `Usage: kubeless-loader conform [options] -- COMMAND [ARGUMENT …]
       kubeless-loader conform --manifest runtime.json [options]

Starts a worker repeatedly, plays the loader to it, and checks that it keeps the rules of the wire (PROTOCOL.md).
COMMAND gets what the loader would give it: the wire on file descriptor 3, and KUBELESS_HANDLER_FILE, FUNC_HANDLER,
MOD_NAME and the other variables of rule 3.1; it runs in the folder of the function's file.

  --function FILE  the function's file for the worker to load, with the handlers that --handlers describes;
                   beside it are FILE-single and FILE-broken, the suffix kept: conformance.lua, conformance-single.lua;
                   not needed with --lacks files, by a worker that has the handlers in itself
  --manifest FILE  a runtime.json: its command where none is given, its variables, what it lacks; the function's file
                   is examples/conformance with the manifest's suffix, beside it, if --function does not name another
  --lacks WORD     the worker cannot do this, so skip the optional vectors that need it; may be given more than once
  --only WORD      only the vectors of this name or this rule; may be given more than once
  --patience N     multiply all waiting times by N, for a slow machine (default: 1)
  --junit FILE     also write the results to FILE as JUnit XML
  --list           list the vectors: name, rules, handler, needs
  --handlers       describe the handlers that the function's file must have
  --help           this text

Exit code: 0 if every mandatory vector is kept, and every optional one that the worker is not said to lack;
1 if a rule is broken; 2 for a mistake on the command line, or if the command cannot be started.
`;

/** The parsed command line. */
export type Parsed =
	| { readonly show: "help" }
	| { readonly show: "handlers" }
	| { readonly show: "list"; readonly suites: readonly Suite[] }
	| Run;

export interface Run {
	readonly show: "run";
	readonly suites: readonly Suite[];
	readonly candidate: Candidate;
	/** the candidate's manifest, if it was named */
	readonly manifest: Manifest | undefined;
	/** the file for JUnit XML */
	readonly junit: string | undefined;
}

/** @throws {StartError} USAGE with one sentence about the mistake and its cure */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv, all: readonly Suite[]): Parsed {
	const end = args.indexOf("--");
	const command = end < 0 ? [] : args.slice(end + 1);
	const { values, positionals } = parse(end < 0 ? args : args.slice(0, end));
	if (values.help) return { show: "help" };
	if (values.handlers) return { show: "handlers" };
	if (positionals.length > 0) {
		const words = positionals.join(" ");
		throw mistake(`"${words}" stands where an option should: write -- before the worker's command, conform --function FILE -- ${words}`);
	}
	const suites = values.only ? values.only.flatMap((word) => chosen(word, all)) : all;
	if (values.list) return { show: "list", suites: all.filter((suite) => suites.includes(suite)) };

	const junit = values.junit === undefined ? undefined : resolve(values.junit);
	if (junit !== undefined && !existsSync(dirname(junit))) throw mistake(`There is no folder ${dirname(junit)} for --junit: make it first`);
	const manifest = values.manifest === undefined ? undefined : readManifest(fileOf(values.manifest, "--manifest"));
	if (command.length === 0 && manifest === undefined) {
		throw mistake("Which worker? Write its command behind --, or name its manifest: conform --manifest runtime.json");
	}
	if (manifest && manifest.speaks !== "wire") {
		throw mistake(`The worker of ${values.manifest} speaks ${manifest.speaks}, but conform tests only workers that speak the wire`);
	}
	const lacks = { ...lacking(values.lacks ?? [], all), ...manifest?.lacks };
	if (manifest && !manifest.suffixes?.length) lacks["files"] ??= "its manifest has no suffixes";
	const file = "files" in lacks && values.function === undefined ? undefined : functionFile(values.function, manifest);
	const candidate = manifest ? manifestCandidate(manifest, file, env) : plainCandidate(command, file, env);
	return {
		show: "run",
		suites: all.filter((suite) => suites.includes(suite)),
		manifest,
		candidate: {
			...candidate,
			command: command.length > 0 ? command : candidate.command,
			lacks,
			patience: patienceOf(values.patience),
		},
		junit,
	};
}

function parse(args: readonly string[]) {
	try {
		return parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				function: { type: "string" },
				manifest: { type: "string" },
				lacks: { type: "string", multiple: true },
				only: { type: "string", multiple: true },
				patience: { type: "string" },
				junit: { type: "string" },
				list: { type: "boolean" },
				handlers: { type: "boolean" },
				help: { type: "boolean", short: "h" },
			},
		});
	} catch (cause) {
		const { code, message } = cause as NodeJS.ErrnoException;
		const option = /'(-[^'\s]*)/.exec(message)?.[1] ?? "";
		if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw mistake(`Unknown option ${option}: see conform --help`);
		throw mistake(`${message}: see conform --help for ${option}`);
	}
}

function chosen(word: string, all: readonly Suite[]): Suite[] {
	const suites = all.filter(({ name, rule }) => name === word || rule.includes(word));
	if (suites.length > 0) return suites;
	throw mistake(`--only ${word} names no vectors: give a name or a rule that conform --list shows`);
}

function lacking(given: readonly string[], all: readonly Suite[]): Record<string, string> {
	const words = [...new Set(all.flatMap(({ needs }) => needs))].sort();
	for (const word of given) if (!words.includes(word)) throw mistake(`--lacks ${word} is unknown: give one of ${words.join(", ")}`);
	return Object.fromEntries(given.map((word) => [word, "as --lacks says"]));
}

function patienceOf(text = "1"): number {
	const factor = Number(text);
	if (factor > 0 && factor < Number.POSITIVE_INFINITY) return factor;
	throw mistake(`--patience ${text} is not a factor: give a number over 0, such as 3`);
}

function functionFile(given: string | undefined, manifest: Manifest | undefined): string {
	if (given !== undefined) return fileOf(given, "--function");
	const file = manifest && conformanceFile(manifest);
	if (file) return resolve(file);
	if (manifest)
		throw mistake(`${manifest.folder} has no examples/conformance${manifest.suffixes?.[0]}: name the function's file with --function`);
	throw mistake("Which function is the worker to load? Give --function FILE, with the handlers that conform --handlers describes");
}

function fileOf(given: string, option: string): string {
	const file = resolve(given);
	const stats = statSync(file, { throwIfNoEntry: false });
	if (stats?.isFile()) return file;
	throw mistake(stats ? `${option} ${given} is a folder: give the file in it` : `${option} ${given}: there is no file ${file}`);
}

function mistake(sentence: string): StartError {
	return new StartError("USAGE", `${sentence}.`);
}
