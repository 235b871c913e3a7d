import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { StartError } from "../errors.ts";

/** Bytes in a readable form: UTF-8 text, base64, or a repetition of either. */
export type Content = string | { base64: string } | { repeat: Content; times: number };

/**
 * A frame to send: `head` and `body` are its content; their lengths are computed when it is sent.
 */
export interface FrameToSend {
	type: string;
	id?: number;
	/** header lines without their line ends, or the whole block */
	head?: string[] | Exclude<Content, string>;
	body?: Content;
	[field: string]: unknown;
}

export type CallToSend = Omit<FrameToSend, "type"> & { id: number };

/**
 * "bytes": each byte alone; "parts": split in the middle of the line, of the head and of the body.
 */
export type Split = "bytes" | "parts";

/**
 * `ahead`: the calls may exceed the worker's concurrency by the number that its `ready` accepts
 * ahead (5.5).
 */
export type SendStep =
	| { call: CallToSend; times?: number; split?: Split; ahead?: true }
	| { send: FrameToSend; split?: Split }
	| { raw: Content };

/** Fields by name, each a plain value or a matcher (`match.ts`). */
export interface Expected {
	id?: number;
	type?: string;
	head?: unknown;
	body?: unknown;
	[field: string]: unknown;
}

export type CheckStep =
	| { expect: Expected }
	| { answer: Expected & { id: number }; times?: number }
	| { ended: number }
	| { order: number[] }
	| { quiet: number; ms: number }
	| { output: string; stream: "stdout" | "stderr" }
	| { alive: number }
	| { eof: true }
	| { exit: unknown };

/** `within` is how long a check waits, in ms. */
export type Step = SendStep | { joined: SendStep[] } | { close: true } | { kill: true } | (CheckStep & { within?: number });

/** The start of a test's own worker, as far as it differs from the suite's. */
export interface Start {
	handler?: string;
	/** the part after the dash: "broken" is conformance-broken.* */
	file?: string;
	/** null removes a variable */
	env?: Record<string, string | null>;
}

export interface Test {
	description: string;
	start?: Start;
	steps: Step[];
}

export interface Suite {
	/** the file's name without its suffix */
	name: string;
	optional: boolean;
	description: string;
	/** the rules of PROTOCOL.md that it checks, the main rule first */
	rule: string[];
	handler: string;
	/** abilities without which the tests are skipped */
	needs: string[];
	tests: Test[];
}

type SuiteFile = Omit<Suite, "name" | "optional" | "needs"> & { needs?: string[] };

/** The files by their path in `vectors/`; only defined in a bundle, by build.mjs. */
declare const VECTOR_FILES: Readonly<Record<string, SuiteFile>>;

/**
 * Returns all suites in the order of the rules, the optional ones last.
 * @throws {StartError} if no suite exists: without a test, every worker would pass
 */
export function readSuites(files = vectorFiles()): Suite[] {
	if (Object.keys(files).length === 0) throw new StartError("USAGE", "This kubeless-loader has no conformance vectors. Run: npm run build");
	const suites = Object.entries(files).map(([file, { needs = [], ...suite }]) => {
		return { ...suite, name: basename(file, ".json"), optional: dirname(file) === "optional", needs };
	});
	const byRule = (a: Suite, b: Suite) => String(a.rule[0]).localeCompare(String(b.rule[0]), "en", { numeric: true });
	return suites.sort((a, b) => Number(a.optional) - Number(b.optional) || byRule(a, b) || a.name.localeCompare(b.name));
}

function vectorFiles(): Readonly<Record<string, SuiteFile>> {
	return typeof VECTOR_FILES === "undefined" ? readFiles(join(import.meta.dirname, "../../../runtimes/vectors")) : VECTOR_FILES;
}

function readFiles(folder: string): Record<string, SuiteFile> {
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
	return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(folder, file), "utf8"))]));
}
