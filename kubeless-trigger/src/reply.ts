import type { Message, Publication } from "./message.ts";

/**
 * The event that a function answered with, to be published: its response has CloudEvents attributes
 * as ce-* headers (binary mode), or is a structured CloudEvent. Returns undefined for an answer
 * that is not an event.
 */
export function replyOf(
	answer: { readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Buffer },
	topic: string,
	{ key }: Message,
): Publication | undefined {
	const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value ?? "")]));
	const attributes = Object.entries(headers)
		.filter(([name]) => name.startsWith("ce-"))
		.map(([name, value]) => [name, decoded(value)] as const);
	const type = headers["content-type"] ?? "";
	if (attributes.length === 0 && !type.startsWith("application/cloudevents")) return undefined;
	const passed = ["content-type", "traceparent"].flatMap((name) => {
		const value = headers[name];
		return value === undefined ? [] : [[name, value] as const];
	});
	return { topic, key, value: answer.body, headers: [...passed, ...attributes] };
}

/** Decodes an attribute's header (CloudEvents HTTP protocol binding §3.1.3.2). */
function decoded(value: string): string {
	if (!value.includes("%")) return value;
	try {
		return decodeURIComponent(value);
	} catch {
		return value; // a percent sign that encodes nothing
	}
}
