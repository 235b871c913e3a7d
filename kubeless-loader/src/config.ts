// Reads the environment: the only file that gives the loader's variables their meaning and their
// defaults.
import { resolve } from "node:path";
import { StartError } from "./errors.ts";

/** All settings, read once and frozen. */
export interface Config {
	readonly installVolume: string;
	/** the function's file without its suffix; undefined: the only one there */
	readonly modName: string | undefined;
	/** the handler's name; undefined: the only one in the file */
	readonly handler: string | undefined;
	readonly port: number;
	/** in seconds, as the user wrote it */
	readonly timeoutText: string;
	readonly timeoutMs: number;
	readonly runtime: string;
	readonly memoryLimit: string;
	/** the largest request body in bytes */
	readonly bodyLimit: number;
	/** worker processes; 0: one per CPU */
	readonly workers: number;
	/** calls that a worker takes at once; undefined: the worker's own number */
	readonly concurrency: number | undefined;
	/** calls that may wait for a worker */
	readonly queueLength: number;
	/** WebSockets that may be open at once */
	readonly webSockets: number;
	readonly shutdownTimeoutMs: number;
	readonly loadTimeoutMs: number;
	readonly accessLog: boolean;
	readonly logLevel: string;
	/** the manifest file; undefined: beside the loader, or by FUNC_RUNTIME */
	readonly manifest: string | undefined;
	/** the file from which Kubernetes reads why a container ended */
	readonly terminationLog: string;
	/** reload when the function's folder changes; "auto": if it is a mounted ConfigMap */
	readonly watch: "auto" | "true" | "false";
	/** the whole environment, for the workers to inherit */
	readonly env: Readonly<NodeJS.ProcessEnv>;
}

type Read<T> = { value: T } | { fault: string };
type Reader<T> = (text: string) => Read<T>;

const text: Reader<string> = (value) => ({ value });

function whole(what: string, min: number, max: number): Reader<number> {
	return (given) => {
		const value = Number(given);
		const fits = /^\d+$/.test(given) && value >= min && value <= max;
		return fits ? { value } : { fault: `give ${what} as a whole number from ${min} to ${max}` };
	};
}

function decimal(what: string, example: string, max: number): Reader<number> {
	return (given) => {
		const value = Number(given);
		const fits = /^\d+(\.\d+)?$/.test(given) && value > 0 && value <= max;
		return fits ? { value } : { fault: `give ${what} as a number above 0 and up to ${max}, such as ${example}` };
	};
}

function oneOf<T extends string>(...allowed: T[]): Reader<T> {
	return (given) => {
		const value = allowed.find((word) => word === given.toLowerCase());
		return value === undefined ? { fault: `give one of ${allowed.join(", ")}` } : { value };
	};
}

// setTimeout takes at most 2^31 - 1 ms; a longer wait would fire at once.
const MAX_SECONDS = 2_000_000;
const seconds = (example: string): Reader<number> => decimal("seconds", example, MAX_SECONDS);

/**
 * Reads the environment.
 * @throws {StartError} CONFIG_INVALID, with every invalid variable and the values it accepts
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
	const faults: string[] = [];
	const read = <T>(name: string, reader: Reader<T>, fallback: string): T => {
		const given = env[name]?.trim() || fallback;
		const result = reader(given);
		if ("value" in result) return result.value;
		faults.push(`${name} is "${given}": ${result.fault}.`);
		return undefined as T; // not used: the faults are thrown below
	};
	const optional = <T>(name: string, reader: Reader<T>): T | undefined => (env[name]?.trim() ? read(name, reader, "") : undefined);

	const config: Config = {
		installVolume: resolve(read("KUBELESS_INSTALL_VOLUME", text, "/kubeless")),
		modName: optional("MOD_NAME", (given) =>
			/^[^/\0]+$/.test(given) && given !== ".." && given !== "."
				? { value: given }
				: { fault: "give the name of a file in the install volume, without its suffix" },
		),
		handler: optional("FUNC_HANDLER", text),
		port: read("FUNC_PORT", whole("a port", 0, 65535), "8080"),
		timeoutText: env["FUNC_TIMEOUT"]?.trim() || "180",
		timeoutMs: read("FUNC_TIMEOUT", seconds("180"), "180") * 1000,
		runtime: read("FUNC_RUNTIME", text, ""),
		memoryLimit: read("FUNC_MEMORY_LIMIT", text, "0"),
		bodyLimit: Math.floor(read("REQ_MB_LIMIT", decimal("MB", "100", 1024), "100") * 1024 * 1024),
		workers: read("FUNC_WORKERS", (given) => (given === "auto" ? { value: 0 } : whole("processes (or auto)", 1, 1024)(given)), "1"),
		concurrency: optional("FUNC_CONCURRENCY", whole("calls at once", 1, 100_000)),
		queueLength: read("FUNC_QUEUE_LENGTH", whole("waiting calls", 0, 1_000_000), "1000"),
		webSockets: read("FUNC_WEBSOCKETS", whole("open WebSockets", 0, 1_000_000), "1000"),
		shutdownTimeoutMs: read("SHUTDOWN_TIMEOUT", seconds("10"), "10") * 1000,
		loadTimeoutMs: read("FUNC_LOAD_TIMEOUT", seconds("60"), "60") * 1000,
		accessLog: read("FUNC_ACCESS_LOG", oneOf("true", "false"), "true") === "true",
		logLevel: read("FUNC_LOG_LEVEL", oneOf("trace", "debug", "info", "warn", "error", "fatal"), "info"),
		manifest: optional("KUBELESS_RUNTIME_MANIFEST", text),
		terminationLog: read("KUBELESS_TERMINATION_LOG", text, "/dev/termination-log"),
		watch: read("FUNC_WATCH", oneOf("auto", "true", "false"), "auto"),
		env: Object.freeze({ ...env }),
	};
	if (faults.length > 0) throw new StartError("CONFIG_INVALID", faults.join("\n"));
	return Object.freeze(config);
}
