// What follows from a Function's spec alone: handler, content type, file name, timeout, port.
import { createHash } from "node:crypto";
import { type FunctionSpec, type ServicePort, SpecError } from "./types.ts";

export const DEFAULT_TIMEOUT = "180";
export const DEFAULT_PORT = 8080;
/**
 * The name that `kubeless function call` and the triggers of Kubeless 1.0 address. It is too long
 * for an Ingress, which takes 15 characters.
 */
export const PORT_NAME = "http-function-port";

const CONTENT_TYPE = /^(?:text|base64|url)?(?:\+zip|\+compressedtar)?(?:\+deps)?$/;
/** The characters that a ConfigMap's key may have: the module's name becomes one. */
const KEY = /^[-_a-zA-Z0-9]+$/;

export interface Handler {
	/** The file's name without its suffix. */
	readonly module: string;
	/** The function in that file. */
	readonly name: string;
}

/**
 * Returns the two parts of `module.handler`. Throws a SpecError if there is not exactly one dot.
 */
export function splitHandler(handler = ""): Handler {
	const [module = "", name = "", ...rest] = handler.split(".");
	if (!KEY.test(module) || name === "" || rest.length > 0) {
		throw new SpecError(
			"InvalidHandler",
			`handler "${handler}" must be FILE.FUNCTION, with one dot and without a path, such as "hello.handler".`,
		);
	}
	return { module, name };
}

export interface Content {
	/** Where the bytes come from. */
	readonly source: "text" | "base64" | "url";
	readonly archive: "none" | "zip" | "tar";
	/** Whether the archive contains the file of dependencies. */
	readonly bundlesDeps: boolean;
}

/** Returns the parts of `function-content-type`. Throws a SpecError if it is unknown. */
export function contentOf(type = ""): Content {
	if (!CONTENT_TYPE.test(type)) {
		const known = "text, base64, url, each with +zip or +compressedtar, and +deps";
		throw new SpecError("InvalidContentType", `function-content-type "${type}" is unknown. Use ${known}.`);
	}
	return {
		source: type.startsWith("base64") ? "base64" : type.startsWith("url") ? "url" : "text",
		archive: type.includes("+zip") ? "zip" : type.includes("+compressedtar") ? "tar" : "none",
		bundlesDeps: type.includes("+deps"),
	};
}

/**
 * Returns the name of the function's file in /src: with the suffix, unless it is an archive or has
 * its dependencies in it.
 */
export function fileName(spec: FunctionSpec, suffix: string): string {
	const { archive, bundlesDeps } = contentOf(spec["function-content-type"]);
	return splitHandler(spec.handler).module + (archive === "none" && !bundlesDeps ? suffix : "");
}

/**
 * Returns the hexadecimal digest of `checksum`, or undefined if there is none. Throws a SpecError
 * if it is not `sha256:` and 64 digits.
 */
export function digestOf(checksum = ""): string | undefined {
	if (checksum === "" || checksum === "sha256:") return undefined;
	const digest = /^sha256:([0-9a-f]{64})$/.exec(checksum)?.[1];
	if (!digest) throw new SpecError("InvalidChecksum", `checksum "${checksum}" must be sha256: and 64 hexadecimal digits, or empty.`);
	return digest;
}

/** Returns the timeout as the function's environment has it, in seconds. */
export const timeoutOf = (spec: FunctionSpec): string => spec.timeout || DEFAULT_TIMEOUT;

/** Returns the timeout as a number, in s. Throws a SpecError if it is not a positive number. */
export function timeoutSeconds(spec: FunctionSpec): number {
	const seconds = Number(timeoutOf(spec));
	if (Number.isFinite(seconds) && seconds > 0) return seconds;
	throw new SpecError("InvalidTimeout", `timeout "${spec.timeout}" must be a positive number of seconds, such as "180".`);
}

export function servicePorts(spec: FunctionSpec): readonly [ServicePort, ...ServicePort[]] {
	const [first, ...rest] = spec.service?.ports ?? [];
	if (!first) return [{ name: PORT_NAME, protocol: "TCP", port: DEFAULT_PORT, targetPort: DEFAULT_PORT }];
	return [first, ...rest].map((port) => ({ protocol: "TCP", ...port })) as [ServicePort, ...ServicePort[]];
}

/** Returns the port that the function listens on. */
export function targetPort(spec: FunctionSpec): number {
	const [{ targetPort, port }] = servicePorts(spec);
	if (typeof targetPort === "string") return DEFAULT_PORT;
	return targetPort || port;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
