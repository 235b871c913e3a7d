/** `JSON.rawJSON` and the reviver's third argument are newer than the types of ES2024. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * A reviver for `JSON.parse`: numbers are written again with their digits, also those that a
 * JavaScript number cannot hold.
 */
export function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
	if (typeof value !== "number" || context?.source === undefined) return value;
	return String(value) === context.source ? value : rawJSON(context.source);
}
