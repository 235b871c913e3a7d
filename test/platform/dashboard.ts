import { text } from "./manifests.ts";

export interface Panel {
	readonly id: number;
	readonly type: string;
	readonly title: string;
	readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
	readonly datasource?: { readonly type: string; readonly uid: string };
	readonly targets?: readonly {
		readonly refId: string;
		readonly expr: string;
		readonly legendFormat: string;
		readonly datasource: object;
	}[];
	readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export interface Dashboard {
	readonly title: string;
	readonly uid: string;
	readonly schemaVersion: number;
	readonly panels: readonly Panel[];
	readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[] };
}

export const dashboard = (): Dashboard => JSON.parse(text("examples/compose/grafana/dashboards/function.json"));

/**
 * Returns a panel's expression with Grafana's variables replaced, as Grafana sends it to
 * Prometheus.
 */
export const filled = (expression: string): string => expression.replaceAll("$function", ".*").replaceAll("$__rate_interval", "1m");

/** Returns every expression of the dashboard with its panel. */
export const expressions = ({ panels }: Dashboard): { panel: string; expr: string; legend: string }[] =>
	panels.flatMap(({ title, targets = [] }) =>
		targets.map(({ expr, legendFormat }) => ({ panel: title, expr: filled(expr), legend: legendFormat })),
	);
