// The controller's environment, read once.
import { hostname } from "node:os";

export interface Settings {
	readonly kubeconfig: string;
	/** A bearer token in place of the service account's. */
	readonly tokenFile: string;
	/** Where kubeless-config and the Lease are; empty: the pod's namespace. */
	readonly namespace: string;
	readonly configName: string;
	readonly identity: string;
	readonly port: number;
	readonly concurrency: number;
	readonly logLevel: string;
	/** Variables such as PYTHON3.13_RUNTIME. */
	readonly imageOverrides: Readonly<Record<string, string>>;
}

const MAX_PORT = 65_535;
const MAX_CONCURRENCY = 256;

/** Throws an Error that names all wrong variables. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
	const faults: string[] = [];
	const whole = (name: string, otherwise: number, max: number): number => {
		const value = Number(env[name] || otherwise);
		if (!Number.isInteger(value) || value < 1 || value > max)
			faults.push(`${name} must be a whole number from 1 to ${max}, not "${env[name]}"`);
		return value;
	};
	const settings = {
		kubeconfig: env["KUBECONFIG"] ?? "",
		tokenFile: env["KUBELESS_TOKEN_FILE_PATH"] ?? "",
		namespace: env["KUBELESS_NAMESPACE"] ?? "",
		configName: env["KUBELESS_CONFIG"] || "kubeless-config",
		identity: env["POD_NAME"] || hostname(),
		port: whole("PORT", 8080, MAX_PORT),
		concurrency: whole("KUBELESS_CONCURRENCY", 16, MAX_CONCURRENCY),
		logLevel: env["LOG_LEVEL"] || "info",
		imageOverrides: Object.fromEntries(Object.entries(env).filter(([name, value]) => name.endsWith("_RUNTIME") && value)) as Record<
			string,
			string
		>,
	};
	if (faults.length > 0) throw new Error(faults.join("; "));
	return settings;
}
