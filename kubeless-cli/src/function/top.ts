// kubeless function top: calls, failures and durations, from the metrics of all pods of a function.
import type { Command } from "commander";
import { targetPort } from "../../../kubeless-controller/src/api/function.ts";
import { withoutNulls } from "../../../kubeless-controller/src/api/names.ts";
import type { KubelessFunction, KubeObject } from "../../../kubeless-controller/src/api/types.ts";
import type { PodStatus } from "../../../kubeless-controller/src/pods.ts";
import { sentenceOf } from "../errors.ts";
import { type Column, print, printObject, table } from "../output.ts";
import { assertPassedOn, namespaced, printed, Session, type Shared, type Shell } from "../session.ts";

const SCRAPE_MS = 5000;

interface Row {
	readonly name: string;
	readonly namespace: string;
	readonly method: string;
	readonly total_calls: number;
	readonly total_failures: number;
	readonly total_duration_seconds: number;
	readonly avg_duration_seconds: number;
	readonly message: string;
}

const round = (seconds: number): number => Number(seconds.toPrecision(4));
const COLUMNS = (
	["name", "namespace", "method", "total_calls", "total_failures", "total_duration_seconds", "avg_duration_seconds", "message"] as const
).map((field): Column<Row> => ({ title: field.toUpperCase(), of: (row) => row[field] }));

export function addTop(group: Command, shell: Shell): void {
	printed(namespaced(group.command("top").alias("stats")), ["json", "yaml"])
		.description("show calls, failures and durations of functions")
		.option("-f, --function <name>", "only of this function")
		.option("-A, --all-namespaces", "of all namespaces")
		.action(async (flags: { function?: string }, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const session = new Session(shell, shared);
			const functions = flags.function
				? [await session.get<KubelessFunction>("Function", flags.function)]
				: await session.list<KubelessFunction>("Function");
			const rows = (await Promise.all(functions.map((fn) => rowsOf(session, fn)))).flat();
			if (shared.output) printObject(shell, rows, shared.output);
			else print(shell, table(COLUMNS, rows));
		});
}

async function rowsOf(session: Session, fn: KubelessFunction): Promise<Row[]> {
	const { name, namespace } = fn.metadata;
	const empty = (message: string): Row[] => [
		{ name, namespace, method: "", total_calls: 0, total_failures: 0, total_duration_seconds: 0, avg_duration_seconds: 0, message },
	];
	try {
		const { items } = await session.api.get<{ items: KubeObject[] }>(`/api/v1/namespaces/${namespace}/pods`, {
			labelSelector: `created-by=kubeless,function=${name}`,
		});
		const ready = items.filter(({ status }) =>
			(status as PodStatus).conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
		);
		if (ready.length === 0) return empty("no pod is ready");
		const port = targetPort(withoutNulls(fn.spec));
		const texts = await Promise.all(
			ready.map(({ metadata }) => scrape(session, `/api/v1/namespaces/${namespace}/pods/${metadata.name}:${port}/proxy/metrics`)),
		);
		const rows = callStatistics(texts.join("\n")).map((statistics) => ({ name, namespace, ...statistics, message: "" }));
		return rows.length > 0 ? rows : empty("no calls");
	} catch (error) {
		return empty(sentenceOf(error, session.cluster.server));
	}
}

async function scrape(session: Session, path: string): Promise<string> {
	const { statusCode, headers, body } = await session.raw(path, { signal: AbortSignal.timeout(SCRAPE_MS) });
	const text = await body.text();
	assertPassedOn(statusCode, String(headers["content-type"] ?? ""), text);
	if (statusCode !== 200) throw new Error(`/metrics answers ${statusCode}`);
	return text;
}

/** Returns the sums for each method over texts in the format of Prometheus. */
export function callStatistics(text: string): Omit<Row, "name" | "namespace" | "message">[] {
	const sums = new Map<string, Record<string, number>>();
	for (const line of text.split("\n")) {
		const [, metric = "", labels = "", value = ""] = /^(function_[a-z_]+)\{([^}]*)\} (\S+)/.exec(line) ?? [];
		const method = /(?:^|,)method="([^"]*)"/.exec(labels)?.[1];
		if (method === undefined) continue;
		const sum = sums.get(method) ?? {};
		sum[metric] = (sum[metric] ?? 0) + Number(value);
		sums.set(method, sum);
	}
	return [...sums].map(([method, sum]) => {
		const duration = sum["function_duration_seconds_sum"] ?? 0;
		const count = sum["function_duration_seconds_count"] || 1;
		return {
			method,
			total_calls: sum["function_calls_total"] ?? 0,
			total_failures: sum["function_failures_total"] ?? 0,
			total_duration_seconds: round(duration),
			avg_duration_seconds: round(duration / count),
		};
	});
}
