import type { Figure, Target, Unit } from "./figure.ts";

/** A row of cells; the columns are as wide as their widest cell. */
type Row = readonly string[];

const HEADER: Row = ["", "of", "measured", "bare", "compared", "from to", "reach", "aim", ""];
/** These columns hold words, the others numbers. */
const LEFT = new Set([0, 1, 8]);

/** The figures of one scenario as text. */
export function table(figures: readonly Figure[]): string {
	const rows = [HEADER, ...figures.map(row)];
	const used = HEADER.map((_, column) => rows.slice(1).some((cells) => cells[column] !== ""));
	const widths = HEADER.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
	return rows
		.map((cells) =>
			cells
				.map((cell, column) => (LEFT.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
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

function show(number: number, compared: Figure["compared"], unit: Unit): string {
	if (compared === "ratio") return `× ${number.toFixed(2)}`;
	return `${compared === "difference" && number >= 0 ? "+" : ""}${round(number)} ${unit}`;
}

const bound = ({ better }: Target, shown: string): string => `${better === "less" ? "≤" : "≥"} ${shown}`;

/** A word, not an exit code: machines and their other work differ. */
function verdict({ figure, target }: Figure): string {
	if (!target) return "";
	const meets = (limit: number | undefined) => limit !== undefined && (target.better === "less" ? figure <= limit : figure >= limit);
	if (meets(target.aim)) return "aim met";
	if (meets(target.reach)) return "reached";
	return target.reach === undefined ? "" : "short";
}

/** Three digits that count, and no fewer than the whole number has. */
function round(value: number): string {
	const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.1))));
	return value.toFixed(Math.min(2, decimals));
}
