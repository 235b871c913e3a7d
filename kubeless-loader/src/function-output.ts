// What a function prints, as log records. FUNC_LOG_LEVEL is the level of the loader's own messages
// and does not silence it.
import type { Logger } from "pino";
import { keepDigits } from "./json-digits.ts";
import type { LogStream } from "./log.ts";

/** Where a printed line came from. */
export interface Printed {
	readonly stream: "stdout" | "stderr";
	/** the number of the call that printed it, and its W3C trace, if known */
	readonly call: number | undefined;
	readonly traceparent: string | undefined;
	/** the line is longer than a record: the next record continues it */
	readonly cut: boolean;
}

/** Names of levels in other logging libraries; pino and bunyan number theirs. */
const LEVELS: Readonly<Record<string, string>> = {
	trace: "trace",
	debug: "debug",
	info: "info",
	information: "info",
	notice: "info",
	warn: "warn",
	warning: "warn",
	error: "error",
	err: "error",
	fatal: "fatal",
	critical: "fatal",
	crit: "fatal",
	alert: "fatal",
	emergency: "fatal",
	10: "trace",
	20: "debug",
	30: "info",
	40: "warn",
	50: "error",
	60: "fatal",
};
/** The fields in which logging libraries state a level. */
const LEVEL_FIELDS = ["level", "severity", "levelname", "lvl"];

/**
 * Returns the writer of a function's lines. A line that is a JSON object keeps its fields and its
 * level, except locally.
 */
export function functionOutput(log: Logger, stream: LogStream, local: boolean): (line: string, from: Printed) => void {
	const always = log.child({}, { level: "trace" });
	return (line, from) => {
		const fields = local || from.cut ? undefined : jsonObject(line);
		const level = from.stream === "stderr" ? "warn" : "info";
		if (fields !== undefined) return stream.write(record(fields, level, from));
		const { cut, ...marks } = from;
		always[level](cut ? { ...marks, cut } : marks, line);
	};
}

function jsonObject(line: string): Record<string, unknown> | undefined {
	if (!line.startsWith("{") || !line.trimEnd().endsWith("}")) return undefined;
	try {
		return JSON.parse(line, keepDigits);
	} catch {
		return undefined;
	}
}

/**
 * Returns a record of the function's own fields, which stand before the loader's of the same name.
 */
function record(fields: Record<string, unknown>, level: string, { stream, call, traceparent }: Printed): string {
	const own = LEVEL_FIELDS.map((name) => LEVELS[String(fields[name]).toLowerCase()]).find((known) => known !== undefined);
	const { level: stated = level, time = new Date().toISOString(), ...rest } = fields;
	return `${JSON.stringify({ level: own ?? stated, time, stream, call, traceparent, ...rest })}\n`;
}
