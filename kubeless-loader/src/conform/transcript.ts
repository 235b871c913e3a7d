/** Frames of each side that are kept for a report. */
const MAX_FRAMES = 12;
/** Characters of a frame's line that are kept for a report. */
export const MAX_LINE_LENGTH = 300;

/** Keeps a frame for the report: its line, shortened if long, and the length of head and body. */
export function note(list: string[], line: string, more = 0): void {
	const text = line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length} characters)` : line;
	list.push(more > 0 ? `${text} + ${more} bytes` : text);
	if (list.length > MAX_FRAMES) list.shift();
}
