import { expand } from "../manifest.ts";
import type { Candidate, Result } from "./conform.ts";
import type { Suite } from "./vectors.ts";

/** Returns the text of a result for the worker's author; empty if the test passed. */
export function report({ outcome, rule, reason, expected, sent, got, output }: Result): string {
	if (outcome === "kept") return "";
	if (outcome === "skipped") return `skipped, for want of ${reason}`;
	return [
		`Rule ${rule} of PROTOCOL.md is broken: ${reason}.`,
		...block("expected", expected ? [expected] : []),
		...block("the last that was sent", sent),
		...block("the last that came back", got),
		...block(
			"the end of what was printed",
			output
				.split("\n")
				.filter((line) => line !== "")
				.slice(-15),
		),
	].join("\n");
}

function block(title: string, lines: readonly string[]): string[] {
	return lines.length > 0 ? [`${title}:`, ...lines.map((line) => `    ${line}`)] : [];
}

/** Returns the lines that name the tested worker and function. */
export function heading({ command, env, file }: Candidate): string {
	return `worker    ${command.map((word) => expand(word, env)).join(" ")}\nfunction  ${file ?? "in the worker itself"}`;
}

/** Returns a suite as one line, followed by the broken tests. */
export function suiteLines({ name, rule, description }: Suite, results: readonly Result[]): string[] {
	const broken = results.filter(({ outcome }) => outcome === "broken");
	const skipped = results.find(({ outcome }) => outcome === "skipped");
	const word = broken.length > 0 ? "BROKEN" : skipped ? "skipped" : "kept";
	const more = word === "skipped" && skipped ? ` (${skipped.reason})` : "";
	const line = `  ${word.padEnd(7)}  ${String(rule[0]).padEnd(4)}  ${name}: ${description}${more}`;
	const byRule = Map.groupBy(broken, ({ rule: one }) => one);
	return [line, ...[...byRule].flatMap((group) => brokenLines(group, `${description}: `))];
}

/** Returns the first broken test of a rule in full, the others by name. */
function brokenLines([, tests]: [rule: string, tests: readonly Result[]], about: string): string[] {
	const [first, ...others] = tests as [Result, ...Result[]];
	const title = ({ description }: Result) => description.slice(about.length);
	return [
		"",
		...[title(first), "", ...report(first).split("\n")].map((line) => `      ${line}`.trimEnd()),
		...others.map((other) => `      the same rule: ${title(other)}`),
		"",
	];
}

/** Returns the summary of the whole run. */
export function summary(results: readonly Result[]): string {
	const broken = results.filter(({ outcome }) => outcome === "broken");
	const rules = [...new Set(broken.map(({ rule }) => rule))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
	const lines = byDuty(results, tally);
	if (broken.length === 0) return [...lines, "The worker keeps the wire."].join("\n");
	lines.push(`The worker does not keep the wire: see ${rules.length > 1 ? "rules" : "rule"} ${rules.join(", ")} of PROTOCOL.md.`);
	if (broken.some(({ optional }) => optional)) {
		lines.push("What is optional and cannot be done is declared: --lacks WORD, or lacks in its manifest; conform --list has the words.");
	}
	return lines.join("\n");
}

function tally(title: string, results: readonly Result[]): string[] {
	if (results.length === 0) return [];
	const counts = (["kept", "broken", "skipped"] as const)
		.map((outcome) => [results.filter((result) => result.outcome === outcome).length, outcome] as const)
		.filter(([count]) => count > 0)
		.map(([count, outcome]) => `${count} ${outcome}`);
	return [`${`${title}:`.padEnd(10)} ${counts.join(", ")}`];
}

/** Returns the lines of the mandatory suites, then those of the optional ones. */
function byDuty<T extends { readonly optional: boolean }>(
	all: readonly T[],
	lines: (title: string, some: readonly T[]) => string[],
): string[] {
	const some = (wanted: boolean) => all.filter(({ optional }) => optional === wanted);
	return [...lines("Mandatory", some(false)), ...lines("Optional", some(true))];
}

/** Returns all suites, one per line. */
export function listing(suites: readonly Suite[]): string {
	const wide = Math.max(...suites.map(({ name }) => name.length));
	const most = Math.max(...suites.map(({ rule }) => rule.join(" ").length));
	const line = ({ name, rule, handler, needs, description }: Suite) =>
		`  ${name.padEnd(wide)}  ${rule.join(" ").padEnd(most)}  ${handler.padEnd(9)}  ${description}${needs.length > 0 ? ` (needs ${needs.join(", ")})` : ""}`;
	const group = (title: string, some: readonly Suite[]) =>
		some.length > 0 ? [`${title}: name, rules, handler, what a worker does`, ...some.map(line)] : [];
	return byDuty(suites, group).join("\n");
}
