import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What was done with a version of a language, from most to least. */
export const LEVELS = ["run", "checked"] as const;

/** An entry of results.json, of which docs/support.md is made. */
export interface Result {
	/** the manifest's id */
	readonly runtime: string;
	/** the full version, such as 3.14.8 */
	readonly version: string;
	readonly level: (typeof LEVELS)[number];
	/** where the version came from, or what checked the worker */
	readonly by: string;
	/** the numbers of kept vectors; with level run only */
	readonly mandatory?: number;
	readonly optional?: number;
	/** the number of broken vectors and failed checks is 0 */
	readonly ok: boolean;
	/** year-month-day */
	readonly date: string;
}

const FILE = join(import.meta.dirname, "results.json");
const key = ({ runtime, version, level }: Result) => `${runtime} ${version} ${level}`;

export const today = (): string => new Date().toISOString().slice(0, 10);

/** Writes results into results.json, in place of those of the same runtime, version and level. */
export function record(results: readonly Result[]): void {
	const known: Result[] = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : [];
	const merged = new Map([...known, ...results].map((result) => [key(result), result]));
	const sorted = [...merged.values()].sort(
		(one, other) =>
			one.runtime.localeCompare(other.runtime) ||
			other.version.localeCompare(one.version, "en", { numeric: true }) ||
			one.level.localeCompare(other.level),
	);
	writeFileSync(`${FILE}.new`, `[\n${sorted.map((result) => `\t${JSON.stringify(result)}`).join(",\n")}\n]\n`);
	renameSync(`${FILE}.new`, FILE);
}

/** Returns the results as lines of a table. */
export function table(results: readonly Result[]): string {
	const rows = [
		["language", "version", "how", "by", "mandatory", "optional", "date"],
		...results.map(({ runtime, version, level, by, mandatory, optional, ok, date }) => [
			runtime,
			version,
			ok ? level : `${level}: BROKEN`,
			by,
			`${mandatory ?? "-"}`,
			`${optional ?? "-"}`,
			date,
		]),
	];
	const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}
