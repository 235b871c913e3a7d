import { LogStream } from "../log.ts";

/** Log records as a person at a terminal wants them: the function's output as it is, the loader's words in plain text. */
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
	const text = stack === undefined ? msg : stack.includes(msg) ? stack : `${msg}\n${stack}`;
	return level === "info" || level === "debug" ? text : `${level}: ${text}`;
}
