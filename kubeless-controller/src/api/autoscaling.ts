// HorizontalPodAutoscalers: Functions hold them as autoscaling/v2beta1, which Kubernetes 1.25
// removed, or as autoscaling/v2.
import type { Fields } from "./types.ts";

/**
 * Returns a metric in the form of autoscaling/v2. One that has that form already passes unchanged.
 */
export function metricV2(metric: Fields): Fields {
	const source = (name: string): Fields => (metric[name] ?? {}) as Fields;
	switch (metric["type"]) {
		case "Resource": {
			const { name, target, ...old } = source("resource");
			return { type: "Resource", resource: { name, target: target ?? targetV2(old) } };
		}
		case "Pods": {
			const { metricName, metric: given, selector, target, ...old } = source("pods");
			return { type: "Pods", pods: { metric: given ?? named(metricName, selector), target: target ?? targetV2(old) } };
		}
		case "Object": {
			const { metricName, metric: given, selector, describedObject, target, ...old } = source("object");
			// In v2beta1 `target` is the object; in v2 it is the value.
			if (describedObject) return metric;
			return { type: "Object", object: { describedObject: target, metric: given ?? named(metricName, selector), target: targetV2(old) } };
		}
		case "External": {
			const { metricName, metric: given, metricSelector, target, ...old } = source("external");
			return { type: "External", external: { metric: given ?? named(metricName, metricSelector), target: target ?? targetV2(old) } };
		}
		default:
			return metric;
	}
}

function named(name: unknown, selector: unknown): Fields {
	return selector ? { name, selector } : { name };
}

function targetV2(old: Fields): Fields {
	const average = old["targetAverageValue"] ?? old["averageValue"];
	if (old["targetAverageUtilization"] !== undefined) {
		return { type: "Utilization", averageUtilization: old["targetAverageUtilization"] };
	}
	if (average !== undefined && average !== "0") return { type: "AverageValue", averageValue: average };
	return { type: "Value", value: old["targetValue"] ?? old["value"] };
}
