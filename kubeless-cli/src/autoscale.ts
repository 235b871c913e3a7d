// kubeless autoscale: the HorizontalPodAutoscaler of a Function.
import { type Command, Option } from "commander";
import type { Fields, FunctionSpec, KubelessFunction } from "../../kubeless-controller/src/api/types.ts";
import { UsageError } from "./errors.ts";
import { type Column, print, printList, printObject } from "./output.ts";
import { dryRunnable, namespaced, printed, Session, type Shared, type Shell } from "./session.ts";
import { whole } from "./trigger/objects.ts";

interface ScaleFlags {
	readonly min: string;
	readonly max: string;
	readonly metric: "cpu" | "qps";
	readonly value: string;
}

interface Autoscaler {
	readonly minReplicas?: number;
	readonly maxReplicas?: number;
	readonly metrics?: readonly Fields[];
}

export function addAutoscale(program: Command, shell: Shell): void {
	const group = program.command("autoscale").description("scale functions by CPU or by calls");
	dryRunnable(namespaced(group.command("create <name>")))
		.description("scale a function, or change how it is scaled")
		.option("--min <number>", "fewest pods", "1")
		.option("--max <number>", "most pods", "1")
		.addOption(
			new Option("--metric <metric>", "what decides: cpu (percent of the request) or qps (calls per second)")
				.choices(["cpu", "qps"])
				.default("cpu"),
		)
		.requiredOption("--value <value>", "value of the metric to keep, such as 70 for cpu")
		.action(async (name: string, flags: ScaleFlags, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const session = new Session(shell, shared);
			const change = (fn: KubelessFunction): KubelessFunction => ({ ...fn, spec: scaled(name, fn.spec, flags) });
			if (shared.dryRun) return printObject(shell, change(await session.get<KubelessFunction>("Function", name)), shared.output);
			await session.update<KubelessFunction>("Function", name, change);
			print(shell, `Function ${name} is scaled between ${flags.min} and ${flags.max} pods`);
		});
	printed(namespaced(group.command("list").alias("ls")))
		.description("list scaled functions")
		.option("-A, --all-namespaces", "of all namespaces")
		.action(async (_, command: Command) => {
			const shared = command.optsWithGlobals<Shared>();
			const functions = await new Session(shell, shared).list<KubelessFunction>("Function");
			printList(
				shell,
				functions.filter((fn) => autoscaler(fn).maxReplicas),
				COLUMNS,
				shared.output,
			);
		});
	namespaced(group.command("delete <name>"))
		.description("stop to scale a function: it keeps the pods that it has")
		.action(async (name: string, _, command: Command) => {
			const session = new Session(shell, command.optsWithGlobals());
			await session.update<KubelessFunction>("Function", name, (fn) => {
				const { horizontalPodAutoscaler: __, ...spec } = fn.spec;
				return { ...fn, spec };
			});
			print(shell, `Function ${name} is not scaled any more`);
		});
}

/**
 * Returns the spec with an autoscaler (autoscaling/v2). The metric qps needs a monitor of the
 * Prometheus operator and its adapter.
 */
export function scaled(name: string, spec: FunctionSpec, { min, max, metric, value }: ScaleFlags): FunctionSpec {
	const [minReplicas = 1, maxReplicas = 1] = [whole("--min", min, 1), whole("--max", max, 1)];
	if (maxReplicas < minReplicas) throw new UsageError(`--max ${max} is less than --min ${min}. Give a larger one.`);
	if (metric === "cpu") {
		const target = { type: "Utilization", averageUtilization: whole("--value", value.replace(/%$/, ""), 1) };
		const metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
		return { ...spec, horizontalPodAutoscaler: { spec: { minReplicas, maxReplicas, metrics } } };
	}
	if (!/^\d+(?:\.\d+)?[mk]?$/.test(value))
		throw new UsageError(`--value ${value} is not a quantity. Give calls per second, such as 10 or 500m.`);
	const describedObject = { apiVersion: "v1", kind: "Service", name };
	const metrics = [{ type: "Object", object: { describedObject, metric: { name: "function_calls" }, target: { type: "Value", value } } }];
	return { ...spec, monitor: spec.monitor || "service", horizontalPodAutoscaler: { spec: { minReplicas, maxReplicas, metrics } } };
}

const autoscaler = ({ spec }: KubelessFunction): Autoscaler => (spec.horizontalPodAutoscaler?.["spec"] ?? {}) as Autoscaler;

/**
 * Returns name and target of an autoscaler's first metric, in the form of autoscaling/v2 or
 * v2beta1.
 */
export function metricOf({ metrics = [] }: Autoscaler): [name: string, target: string] {
	const source = (metrics[0]?.["resource"] ?? metrics[0]?.["object"] ?? {}) as Fields;
	const target = { ...source, ...(source["target"] as Fields | undefined) };
	const name = String(source["name"] ?? (source["metric"] as Fields | undefined)?.["name"] ?? source["metricName"] ?? "");
	const value = target["averageUtilization"] ?? target["targetAverageUtilization"] ?? target["value"] ?? target["targetValue"] ?? "";
	return [name === "function_calls" ? "qps" : name, String(value)];
}

const COLUMNS: readonly Column<KubelessFunction>[] = [
	{ title: "NAME", of: ({ metadata }) => metadata.name },
	{ title: "NAMESPACE", of: ({ metadata }) => metadata.namespace },
	{ title: "TARGET", of: ({ metadata }) => metadata.name },
	{ title: "MIN", of: (fn) => autoscaler(fn).minReplicas },
	{ title: "MAX", of: (fn) => autoscaler(fn).maxReplicas },
	{ title: "METRIC", of: (fn) => metricOf(autoscaler(fn))[0] },
	{ title: "VALUE", of: (fn) => metricOf(autoscaler(fn))[1] },
];
