import { parser } from "@prometheus-io/lezer-promql";

/** The metrics and labels in a PromQL expression. */
export interface Asked {
	readonly metrics: ReadonlySet<string>;
	readonly labels: ReadonlySet<string>;
}

/** Parses an expression. @throws if it is not PromQL */
export function asked(expression: string): Asked {
	const metrics = new Set<string>();
	const labels = new Set<string>();
	parser.parse(expression).iterate({
		enter({ name, type, from, to }) {
			if (type.isError) throw new Error(`not PromQL, from ${from} on: ${expression}`);
			if (name === "Identifier") metrics.add(expression.slice(from, to));
			if (name === "LabelName") labels.add(expression.slice(from, to));
		},
	});
	return { metrics, labels };
}
