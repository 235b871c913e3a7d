import type { ScenarioResults } from "./results.ts";
import { aligned, bound, meets, type Row, show } from "./table.ts";

/**
 * Returns a table of the targets and each language's figures. Figures that miss their target have a
 * mark.
 */
export function overview(scenarios: readonly ScenarioResults[]): string {
	const figures = scenarios.flatMap(({ name, figures }) => figures.map((figure) => ({ ...figure, title: `${name}: ${figure.what}` })));
	const aimed = figures.filter(({ target }) => target !== undefined);
	const columns = [...new Set(aimed.map(({ of }) => of))].sort();
	const rows = [...new Set(aimed.map(({ title }) => title))].map((title): Row => {
		const cells = aimed.filter((figure) => figure.title === title);
		const reaches = new Set(
			cells.map(({ target, compared, unit }) => (target?.reach === undefined ? "" : bound(target, show(target.reach, compared, unit)))),
		);
		reaches.delete("");
		return [
			title,
			[...reaches].join(", "),
			...columns.map((column) => {
				const cell = cells.find(({ of }) => of === column);
				if (!cell) return "";
				const short = cell.target?.reach !== undefined && !meets(cell.figure, cell.target.better, cell.target.reach);
				return `${show(cell.figure, cell.compared, cell.unit)}${short ? " !" : "  "}`;
			}),
		];
	});
	return rows.length === 0 ? "" : aligned([["", "reach", ...columns.map((column) => `${column}  `)], ...rows], new Set([0]));
}
