// kubeless-config: the ConfigMap with the settings that apply to all functions. It is followed
// while the controller runs.
import { parseDocument } from "yaml";
import builtIn from "../../../images/runtime-images.json" with { type: "json" };
import { withoutNulls } from "./names.ts";
import { inRegistry, parseRuntimes, type Runtime, runtimesOf, withImages } from "./runtimes.ts";
import { type DeploymentInput, type Labels, SpecError } from "./types.ts";

export interface Config {
	readonly runtimes: readonly Runtime[];
	/** A Deployment that is merged below the one of each function. */
	readonly deployment: DeploymentInput;
	readonly provisionImage: string;
	readonly triggerImage: string;
	/** Secrets by which all pods pull their images. */
	readonly pullSecrets: readonly string[];
	/**
	 * NAMESPACE/NAME of the Gateway for HTTPTriggers that name none; empty: they become an Ingress.
	 */
	readonly gateway: string;
	readonly kafkaBrokers: string;
	readonly natsUrl: string;
	readonly clusterDomain: string;
}

/**
 * The fields of a Deployment that kubeless-config may set. A misspelled one would otherwise be
 * ignored in silence.
 */
const DEPLOYMENT_FIELDS = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

/**
 * Returns the configuration of a ConfigMap's data, with defaults for what is not there. Throws a
 * SpecError if a value cannot be read.
 * @param overrides the controller's environment: PYTHON3.13_RUNTIME replaces that runtime's image
 */
export function parseConfig(data: Labels = {}, overrides: Readonly<Record<string, string>> = {}): Config {
	const registry = data["registry"] || "kubeless";
	const runtimes = data["runtime-images"] ? parseRuntimes(data["runtime-images"]) : runtimesOf(builtIn);
	return {
		runtimes: withImages(runtimes, registry, overrides),
		deployment: deploymentOf(data["deployment"]),
		provisionImage: data["provision-image"] || inRegistry("kubeless/provision:latest", registry),
		triggerImage: data["trigger-image"] || inRegistry("kubeless/trigger:latest", registry),
		pullSecrets: ["provision-image-secret", "image-pull-secret"].flatMap((key) => data[key] || []),
		gateway: data["gateway"] ?? "",
		kafkaBrokers: data["kafka-brokers"] || "kafka.kubeless:9092",
		natsUrl: data["nats-url"] || "nats://nats.nats-io.svc.cluster.local:4222",
		clusterDomain: data["cluster-domain"] || "cluster.local",
	};
}

function deploymentOf(text = "{}"): DeploymentInput {
	// Duplicate keys are errors of the parser.
	const document = parseDocument(text);
	const [error] = document.errors;
	if (error) throw new SpecError("InvalidConfig", `deployment in kubeless-config: ${error.message.split("\n", 1)[0]}`);
	const deployment: unknown = document.toJS() ?? {};
	if (typeof deployment !== "object" || Array.isArray(deployment)) {
		throw new SpecError("InvalidConfig", "deployment in kubeless-config must be a Deployment.");
	}
	const unknown = Object.keys(deployment as object).find((field) => !DEPLOYMENT_FIELDS.has(field));
	if (unknown) throw new SpecError("InvalidConfig", `deployment in kubeless-config: unknown field "${unknown}".`);
	return withoutNulls(deployment as DeploymentInput);
}
