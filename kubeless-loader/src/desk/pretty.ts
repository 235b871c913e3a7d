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
	// A stack mostly says the message itself, with the error's name before it, behind it or not at all.
	const said = stack?.includes(msg.replace(/^[\w.:]+: /, ""));
	const text = stack === undefined ? msg : said ? stack : `${msg}\n${stack}`;
	return level === "info" || level === "debug" ? text : `${level}: ${text}`;
}
