import { LogStream } from "./log.ts";

/**
 * Log records for a person at a terminal: the function's output as it is, the loader's messages as
 * plain text.
 */
export class PrettyStream extends LogStream {
	override write(lines: string): void {
		for (const line of lines.split("\n")) {
			if (line !== "") super.write(`${line.startsWith("{") ? pretty(line) : line}\n`);
		}
	}
}

interface Record {
	readonly level?: string;
	readonly msg?: string;
	readonly stream?: string;
	readonly stack?: string;
	readonly err?: { readonly stack?: string };
}

function pretty(line: string): string {
	let record: Record;
	try {
		record = JSON.parse(line);
	} catch {
		return line;
	}
	const { level, msg = "", stream, stack = record.err?.stack } = record;
	if (stream !== undefined) return msg;
	// Most stacks contain the message, with or without the error's name.
	const contained = stack?.includes(msg.replace(/^[\w.:]+: /, ""));
	const text = stack === undefined ? msg : contained ? stack : `${msg}\n${stack}`;
	return level === "info" || level === "debug" ? text : `${level}: ${text}`;
}
