import type { Result } from "./conform.ts";
import { report } from "./report.ts";

/** Returns the results as JUnit XML, which CI servers read: a suite of vectors is a `testsuite`. */
export function junit(results: readonly Result[]): string {
	const suites = Map.groupBy(results, ({ suite }) => suite);
	const lines = [...suites].flatMap(([name, tests]) => [
		`\t<testsuite name="${xml(name)}" ${counts(tests)} skipped="${number(tests, "skipped")}">`,
		...tests.map((test) => testcase(test)),
		"\t</testsuite>",
	]);
	return `${['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${counts(results)}>`, ...lines, "</testsuites>"].join("\n")}\n`;
}

function testcase(result: Result): string {
	const { suite, optional, rule, description, outcome, reason, ms } = result;
	const group = `${optional ? "optional" : "mandatory"}.${suite}`;
	const open = `\t\t<testcase classname="${xml(group)}" name="${xml(description)}" time="${seconds(ms)}"`;
	if (outcome === "kept") return `${open}/>`;
	const inner =
		outcome === "skipped"
			? `<skipped message="${xml(reason)}"/>`
			: `<failure type="rule ${xml(rule)}" message="${xml(reason)}">${xml(report(result))}</failure>`;
	return `${open}>${inner}</testcase>`;
}

function counts(results: readonly Result[]): string {
	const ms = results.reduce((sum, result) => sum + result.ms, 0);
	return `tests="${results.length}" failures="${number(results, "broken")}" errors="0" time="${seconds(ms)}"`;
}

const number = (results: readonly Result[], outcome: Result["outcome"]): number =>
	results.filter((result) => result.outcome === outcome).length;

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;" };

/**
 * Escapes text for XML. A worker's output may have any character; XML 1.0 cannot represent most
 * control characters.
 */
function xml(text: string): string {
	return text
		.toWellFormed()
		.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]/g, "\ufffd")
		.replace(/[&<>"\n\t]/g, (char) => ENTITIES[char] ?? char);
}
