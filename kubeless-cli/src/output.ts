// The output of commands: tables, JSON, YAML, names, and a line of progress.
import { styleText } from "node:util";
import Table from "cli-table3";
import { stringify } from "yaml";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import type { Shell } from "./session.ts";

export type Format = "json" | "yaml" | "wide" | "name";

export interface Column<T> {
	readonly title: string;
	readonly of: (item: T) => string | number | undefined;
	/** Only with -o wide. */
	readonly wide?: boolean;
}

const NO_LINES = Object.fromEntries(
	["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
		.concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
		.map((part) => [part, ""]),
);

export const print = ({ stdout }: Shell, text: string): void => void stdout.write(`${text}\n`);
/** Writes a line to standard error, beside the result. */
export const note = ({ stderr }: Shell, text: string): void => void stderr.write(`${text}\n`);
export const paint = ({ stdout }: Shell, color: "green" | "red" | "yellow", text: string): string =>
	styleText(color, text, { stream: stdout });

export function table<T>(columns: readonly Column<T>[], items: readonly T[], wide = false): string {
	const shown = columns.filter((column) => wide || !column.wide);
	const made = new Table({
		head: shown.map(({ title }) => title),
		chars: { ...NO_LINES, middle: "   " },
		style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
	});
	made.push(...items.map((item) => shown.map((column) => String(column.of(item) ?? ""))));
	return made.toString().replaceAll(/ +$/gm, "");
}

/** Prints a list as a table, or in the format that -o names. */
export function printList<T extends KubeObject>(shell: Shell, items: readonly T[], columns: readonly Column<T>[], format?: Format): void {
	if (format === "name") for (const item of items) print(shell, nameOf(item));
	else if (format === "json" || format === "yaml")
		printObject(shell, { apiVersion: "v1", kind: "List", items: items.map(readable) }, format);
	else print(shell, table(columns, items, format === "wide"));
}

/** Prints an object, without the fields of the API server's book-keeping. */
export function printObject(shell: Shell, object: object, format: Format = "yaml"): void {
	const shown = "metadata" in object ? readable(object as KubeObject) : object;
	if (format === "name") print(shell, nameOf(object as KubeObject));
	else print(shell, format === "json" ? JSON.stringify(shown, null, 2) : stringify(shown, { lineWidth: 0 }).trimEnd());
}

const nameOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
	`${kind.toLowerCase()}${apiVersion.includes("/") ? `.${apiVersion.split("/", 1)[0]}` : ""}/${metadata.name}`;

function readable(object: KubeObject): KubeObject {
	const { managedFields: _, ...metadata } = object.metadata;
	return { ...object, metadata };
}

/** Returns the time since a timestamp, as kubectl writes it. */
export function age(timestamp: string | undefined, now = Date.now()): string {
	const seconds = Math.max(0, Math.floor((now - Date.parse(timestamp ?? "")) / 1000));
	if (Number.isNaN(seconds)) return "";
	if (seconds < 120) return `${seconds}s`;
	if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
	return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** One line that changes on a terminal; elsewhere a line for each change. */
export class Progress {
	readonly #stream: Shell["stderr"];
	#last = "";

	constructor({ stderr }: Shell) {
		this.#stream = stderr;
	}

	show(text: string): void {
		if (text === this.#last) return;
		this.#last = text;
		if (this.#stream.isTTY) this.#stream.write(`\r\u001b[K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
		else this.#stream.write(`${text}\n`);
	}

	/** Removes the line from a terminal. */
	end(): void {
		if (this.#stream.isTTY && this.#last) this.#stream.write("\r\u001b[K");
	}
}
