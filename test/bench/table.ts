import type { Figure, Target, Unit } from "./figure.ts";

/** A row of cells. */
export type Row = readonly string[];

const HEADER: Row = ["", "of", "measured", "bare", "compared", "from to", "reach", "aim", ""];
/** Columns with text; the others have numbers. */
const LEFT = new Set([0, 1, 8]);

/** Returns the figures of one scenario as text. */
export const table = (figures: readonly Figure[]): string => aligned([HEADER, ...figures.map(row)], LEFT);

/**
 * Returns rows as text; the first is the header. A column is as wide as its widest cell; empty
 * columns are left out.
 */
export function aligned(rows: readonly Row[], left: ReadonlySet<number>): string {
	const columns = rows[0]?.map((_, column) => column) ?? [];
	const used = columns.map((column) => rows.slice(1).some((cells) => cells[column] !== ""));
	const widths = columns.map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
	return rows
		.map((cells) =>
			cells
				.map((cell, column) => (left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
				.filter((_, column) => used[column])
				.join("  ")
				.trimEnd(),
		)
		.map((line) => `  ${line}\n`)
		.join("");
}

function row(line: Figure): Row {
	const { what, of, unit, value, bare, compared, figure, least, most, target } = line;
	const shown = (number: number) => show(number, compared, unit);
	return [
		what,
		of,
		`${round(value)} ${unit}`,
		bare === undefined ? "" : `${round(bare)} ${unit}`,
		compared === "value" ? "" : shown(figure),
		line.samples.length > 1 ? `${shown(least)} … ${shown(most)}` : "",
		target?.reach === undefined ? "" : bound(target, shown(target.reach)),
		target?.aim === undefined ? "" : bound(target, shown(target.aim)),
		verdict(line),
	];
}

export function show(number: number, compared: Figure["compared"], unit: Unit): string {
	if (compared === "ratio") return `× ${number.toFixed(2)}`;
	return `${compared === "difference" && number >= 0 ? "+" : ""}${round(number)} ${unit}`;
}

export const bound = ({ better }: Target, shown: string): string => `${better === "less" ? "≤" : "≥"} ${shown}`;

/**
 * Returns a word for the table. It does not change the exit code: machines and their load differ.
 */
function verdict({ figure, target }: Figure): string {
	if (!target) return "";
	if (target.aim !== undefined && meets(figure, target.better, target.aim)) return "aim met";
	if (target.reach === undefined) return "";
	return meets(figure, target.better, target.reach) ? "reached" : "short";
}

export const meets = (figure: number, better: Target["better"], limit: number): boolean =>
	better === "less" ? figure <= limit : figure >= limit;

/** Returns a number with three significant digits, or with all digits of its integer part. */
function round(value: number): string {
	const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.1))));
	return value.toFixed(Math.min(2, decimals));
}
