import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { FAULTS } from "../../kubeless-loader/src/errors.ts";
import { suiteOwner } from "../support/owner.ts";
import { dashboard, expressions, type Panel } from "./dashboard.ts";
import { documents, text } from "./manifests.ts";
import { asked } from "./promql.ts";
import { troubled } from "./troubled.ts";

/** Labels that a scrape adds. */
const SCRAPED = ["function", "instance", "job", "namespace", "pod"];
const RULES = "examples/compose/prometheus/rules.yaml";

interface Rule {
	readonly alert: string;
	readonly expr: string;
	readonly for?: string;
	readonly labels: { readonly severity: string };
	readonly annotations: { readonly summary: string };
}
const rules = (): Rule[] => documents(RULES).flatMap(({ groups }) => groups.flatMap((group: { rules: Rule[] }) => group.rules));

describe("the expressions of the dashboard and the alerts", () => {
	const owner = suiteOwner();
	/** the labels of each series that a loader has shown */
	const seen = new Map<string, Set<string>>();
	const queries = [
		...expressions(dashboard()).map(({ panel, expr }) => ({ where: `panel "${panel}"`, expr })),
		...rules().map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
	];

	before(async () => {
		const { loader } = await troubled(owner);
		for (const [, name = "", labels = ""] of (await loader.figures()).text.matchAll(/^([a-z0-9_]+)(?:\{(.*)\})? /gm)) {
			const known = seen.get(name) ?? new Set();
			for (const [, label = ""] of labels.matchAll(/([a-z_]+)="/g)) known.add(label);
			seen.set(name, known);
		}
		seen.set("up", new Set());
	});

	test("are valid PromQL and use more than thirty series", () => {
		assert.ok(queries.length > 35, String(queries.length));
		for (const { expr } of queries) assert.ok(asked(expr).metrics.size > 0, expr);
		assert.throws(() => asked("sum by (function (rate(x[1m]))"), /not PromQL/);
	});

	test("use only metrics that a running loader has", () => {
		for (const { where, expr } of queries) {
			for (const name of asked(expr).metrics) assert.ok(seen.has(name), `${where} uses ${name}, which a loader does not have`);
		}
	});

	test("use only labels of those metrics, or labels that the scrape adds", () => {
		for (const { where, expr } of queries) {
			const { metrics, labels } = asked(expr);
			for (const label of labels) {
				const has = SCRAPED.includes(label) || [...metrics].some((name) => seen.get(name)?.has(label));
				assert.ok(has, `${where} uses the label ${label}`);
			}
		}
	});

	test("use every metric about the function", () => {
		const metrics = [...seen.keys()].filter((name) => name.startsWith("function_")).map((name) => name.replace(/_(bucket|sum|count)$/, ""));
		const used = new Set(queries.flatMap(({ expr }) => [...asked(expr).metrics].map((name) => name.replace(/_(bucket|sum|count)$/, ""))));
		assert.deepEqual(
			[...new Set(metrics)].filter((name) => !used.has(name)),
			[],
		);
	});

	test("use only existing values of the label `reason`", () => {
		const reasons = text("kubeless-loader/src/worker/contract.ts").match(/type ExitReason =([^;]+);/)?.[1] ?? "";
		const exits = [...reasons.matchAll(/"(\w+)"/g)].map(([, reason]) => reason);
		const refusals = Object.keys(FAULTS).map((code) => code.toLowerCase());
		const named = queries.flatMap(({ expr }) => [...expr.matchAll(/reason[!=]~"([^"]+)"/g)].flatMap(([, list = ""]) => list.split("|")));
		assert.ok(named.length >= 5, String(named));
		for (const reason of named) assert.ok([...exits, ...refusals].includes(reason), reason);
	});
});

describe("the dashboard", () => {
	const { panels, templating, uid } = dashboard();

	test("has valid panels: each with a unique id, a place without overlap, a unit and a selectable data source", () => {
		assert.match(uid, /^[\w-]{1,40}$/);
		assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
		for (const panel of panels) {
			const { x, w, h } = panel.gridPos;
			assert.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, panel.title);
			if (panel.type === "row") continue;
			assert.ok(["timeseries", "stat", "heatmap"].includes(panel.type), panel.type);
			// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana
			const chosen = { type: "prometheus", uid: "${datasource}" };
			for (const source of [panel.datasource, ...(panel.targets ?? []).map(({ datasource }) => datasource)])
				assert.deepEqual(source, chosen, panel.title);
			assert.ok(panel.type === "heatmap" || panel.fieldConfig?.defaults.unit, `${panel.title} has no unit`);
			const names = (panel.targets ?? []).map(({ refId }) => refId);
			assert.ok(names.length > 0 && new Set(names).size === names.length, panel.title);
		}
		const overlap = panels.flatMap((one, index) => panels.slice(index + 1).map((other) => [one, other] as const)).find(overlaps);
		assert.equal(overlap, undefined);
	});

	test("shows calls, errors, latency, queue, workers and resources", () => {
		const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
		assert.deepEqual(rows, ["Calls", "Latency", "Queue", "Workers", "Resources"]);
	});

	test("uses the variables that it defines, and only labels of its series in legends", () => {
		const defined = templating.list.map(({ name }) => name);
		assert.deepEqual(defined, ["datasource", "function"]);
		for (const { targets = [], title } of panels) {
			for (const { expr, legendFormat } of targets) {
				for (const [, name = ""] of expr.matchAll(/\$(\w+)/g))
					assert.ok(name.startsWith("__") || defined.includes(name), `${title}: $${name}`);
				for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
					assert.match(expr, new RegExp(`by \\([^)]*\\b${label}\\b`), `${title}: the legend's ${label} is summed away`);
			}
		}
	});
});

describe("the alerts", () => {
	test("each have a name, a severity and a sentence, and group by the function", () => {
		const names = rules().map(({ alert }) => alert);
		assert.equal(new Set(names).size, names.length);
		for (const { alert, expr, labels, annotations } of rules()) {
			assert.match(alert, /^Function[A-Z]/);
			assert.ok(["warning", "critical"].includes(labels.severity), alert);
			assert.match(annotations.summary, /\{\{ \$labels\.function \}\}.*\.$/, alert);
			assert.ok(asked(expr).labels.has("function"), alert);
		}
	});

	test("each have a test case in which they fire", () => {
		const cases = JSON.stringify(documents("examples/compose/prometheus/rules.test.yaml"));
		for (const { alert } of rules()) assert.ok(cases.includes(`"alertname":"${alert}"`), `rules.test.yaml has no case for ${alert}`);
	});
});

function overlaps([one, other]: readonly [Panel, Panel]): boolean {
	const [a, b] = [one.gridPos, other.gridPos];
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
