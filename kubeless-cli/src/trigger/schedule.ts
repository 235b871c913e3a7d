// Cron schedules, as the API server takes them for a CronJob. The controller makes the CronJob
// later: checked here, a mistake ends the command.

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Field {
	readonly title: string;
	readonly min: number;
	readonly max: number;
	/** Words for the values from `min` on. */
	readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
	{ title: "MINUTE", min: 0, max: 59 },
	{ title: "HOUR", min: 0, max: 23 },
	{ title: "DAY", min: 1, max: 31 },
	{ title: "MONTH", min: 1, max: 12, words: MONTHS },
	{ title: "WEEKDAY", min: 0, max: 6, words: DAYS },
];
const WORD = /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every (?:\d+(?:\.\d+)?(?:h|m|s|ms))+)$/;

/** Returns what is wrong with a schedule, as the end of a sentence; undefined if it is one. */
export function scheduleFault(schedule: string): string | undefined {
	if (WORD.test(schedule)) return undefined;
	const values = schedule.split(/\s+/);
	if (values.length !== FIELDS.length) return "is not a schedule";
	for (const [index, field] of FIELDS.entries()) {
		const wrong = (values[index] ?? "").split(",").find((part) => !isPart(part, field));
		if (wrong !== undefined) return `is not a schedule: ${field.title} is "${wrong}", and it goes from ${field.min} to ${field.max}`;
	}
	return undefined;
}

/** Whether a text is `*`, a value or a range, with or without a step. */
function isPart(part: string, field: Field): boolean {
	const [, range = "", step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
	if (step !== undefined && Number(step) === 0) return false;
	if (range === "*" || range === "?") return true;
	const [from = Number.NaN, to = from, ...rest] = range.split("-").map((text) => numberOf(text, field));
	return rest.length === 0 && from >= field.min && from <= to && to <= field.max;
}

function numberOf(text: string, { words = [], min }: Field): number {
	if (/^\d+$/.test(text)) return Number(text);
	const index = words.indexOf(text.toLowerCase());
	return index < 0 ? Number.NaN : index + min;
}
