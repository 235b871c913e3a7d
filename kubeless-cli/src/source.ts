// The function's file: its content type, its checksum, and the defaults that follow from its name.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Runtime } from "../../kubeless-controller/src/api/runtimes.ts";
import { CliError, networkFault, UsageError } from "./errors.ts";
import type { Shell } from "./session.ts";

/**
 * An object of the API server takes at most 1.5 MiB, and a ConfigMap, which the function becomes, 1
 * MiB. In bytes.
 */
const MAX_FUNCTION_BYTES = 1024 * 1024 - 4096;

export interface Source {
	/** The value of spec.function: text, base64 or the URL. */
	readonly function: string;
	readonly contentType: string;
	/** Empty if the file behind a URL could not be read from here. */
	readonly checksum: string;
	/** The file's name; empty for standard input. */
	readonly file: string;
	/** The bytes, to look into. */
	readonly bytes: Buffer;
}

const isUrl = (place: string): boolean => /^https?:\/\//.test(place);

/**
 * Reads a file, a URL, or standard input (-). Throws a CliError if it is not there. @param option
 * the option that names it
 */
export async function readPlace(place: string, option: string, { stdin }: Pick<Shell, "stdin">): Promise<Buffer> {
	if (place === "-") return Buffer.concat(await stdin.toArray());
	if (isUrl(place)) {
		const response = await fetch(place).catch((error) => {
			throw new CliError(
				`${place} cannot be read: ${networkFault(error) ?? error.cause?.message ?? error.message}. Check the URL of ${option}.`,
			);
		});
		if (!response.ok) throw new CliError(`${place} cannot be read: its server answers ${response.status}. Check the URL of ${option}.`);
		return Buffer.from(await response.arrayBuffer());
	}
	try {
		return await readFile(place);
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		if (code === "ENOENT") throw new UsageError(`The file ${place} does not exist. Give the path of a file with ${option}.`);
		if (code === "EISDIR") throw new UsageError(`${place} is a folder. Give a file with ${option}; for more files, a .zip or .tar.gz.`);
		throw new CliError(`The file ${place} cannot be read: ${message}`);
	}
}

/** Returns the parts of a Function that its file determines. @param place a path, a URL, or - */
export function sourceOf(place: string, bytes: Buffer): Source {
	const file = place === "-" ? "" : basename(isUrl(place) ? new URL(place).pathname : place);
	const archive = /\.zip$/i.test(file) ? "+zip" : /\.(?:tar|t?[gx]z|tar\.\w+|tbz2?)$/i.test(file) ? "+compressedtar" : "";
	const checksum = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
	if (isUrl(place)) return { function: place, contentType: `url${archive}`, checksum, file, bytes };
	const text = bytes.toString("utf8");
	const binary = archive !== "" || !Buffer.from(text).equals(bytes);
	const value = binary ? bytes.toString("base64") : text;
	if (value.length > MAX_FUNCTION_BYTES) {
		throw new CliError(
			`${place} is too large: ${value.length} bytes${binary ? " in base64" : ""}, and a Function takes ${MAX_FUNCTION_BYTES}. Put it on a web server and give its URL with --from-file.`,
		);
	}
	return { function: value, contentType: binary ? `base64${archive}` : "text", checksum, file, bytes };
}

/**
 * Returns the content type, with +deps if the archive has the runtime's file of dependencies and no
 * other one is given.
 */
export function contentTypeOf({ contentType, bytes }: Source, runtime: Runtime | undefined, hasDeps: boolean): string {
	const archive = /\+(zip|compressedtar)$/.exec(contentType)?.[1];
	if (!archive || hasDeps || !runtime?.depName) return contentType;
	// Both formats have file names as plain text.
	return unpacked(bytes).includes(runtime.depName) ? `${contentType}+deps` : contentType;
}

function unpacked(bytes: Buffer): Buffer {
	if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
	try {
		return gunzipSync(bytes);
	} catch {
		return bytes;
	}
}

/**
 * Returns the newest runtime for the file's suffix, or undefined if no language has it, or more
 * than one.
 */
export function runtimeFor(file: string, runtimes: readonly Runtime[]): Runtime | undefined {
	const fitting = runtimes.filter(({ suffix }) => suffix !== "" && file.endsWith(suffix));
	if (new Set(fitting.map(({ name }) => name.replace(/[0-9.]+$/, ""))).size !== 1) return undefined;
	const number = ({ name }: Runtime): string => /[0-9.]+$/.exec(name)?.[0] ?? "";
	return fitting.sort((a, b) => number(b).localeCompare(number(a), "en", { numeric: true }))[0];
}

/** Returns FILE.handler if the file's text has that word, or undefined. */
export function handlerFor({ file, contentType, bytes }: Source): string | undefined {
	const module = moduleOf(file);
	const plain = contentType === "text" || contentType === "url";
	return module !== "" && plain && /\bhandler\b/.test(bytes.toString("utf8")) ? `${module}.handler` : undefined;
}

export const moduleOf = (file: string): string => file.replace(/\..*$/, "");
