import type { Result } from "./conform.ts";

/** A result in words, for a person who has to mend the worker; "" where there is nothing to mend. */
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
