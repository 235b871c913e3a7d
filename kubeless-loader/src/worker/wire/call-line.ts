import type { HeldBody, WorkerCall } from "../contract.ts";

/**
 * Returns the `call` frame's line and head (PROTOCOL 4.1); the body follows them.
 * @param envelope is sent behind the data of the event in it (PROTOCOL 4.11)
 */
export function callLine(id: number, call: WorkerCall, envelope?: HeldBody): string {
	const { method, url, address, deadline, event, body } = call;
	const mark = url.indexOf("?");
	// The field order is the same for every call: a line costs one concatenation per field.
	let line = `{"type":"call","id":${id},"method":"${method}","path":${quote(mark < 0 ? url : url.slice(0, mark))}`;
	if (mark >= 0) line += `,"query":${quote(url.slice(mark + 1))}`;
	if (address !== "") line += `,"address":"${address}"`;
	line += `,"deadline":${deadline}`;
	if (event.eventId !== undefined) line += `,"event-id":${quote(event.eventId)}`;
	if (event.eventType !== undefined) line += `,"event-type":${quote(event.eventType)}`;
	if (event.eventTime !== undefined) line += `,"event-time":${quote(event.eventTime)}`;
	if (event.eventNamespace !== undefined) line += `,"event-namespace":${quote(event.eventNamespace)}`;
	if (event.attributes !== undefined) line += `,"extensions":${asciiJson(event.attributes)}`;
	if (event.json) line += ',"json":true';
	const head = headerBlock(call.headers);
	if (head !== "") line += `,"head":${head.length}`;
	if (envelope !== undefined) {
		if (body !== undefined) line += `,"data":${body.length}`;
		line += `,"envelope":${envelope.length},"body":${(body?.length ?? 0) + envelope.length}`;
	} else if (body !== undefined) line += `,"body":${body.length}`;
	return `${line}}\n${head}`;
}

/** Returns [name, value, …] as one block of header lines (PROTOCOL 2.5). */
function headerBlock(headers: readonly string[]): string {
	let block = "";
	for (let index = 0; index < headers.length; index += 2) block += `${headers[index]}: ${headers[index + 1]}\r\n`;
	return block;
}

function asciiJson(attributes: Readonly<Record<string, string>>): string {
	const members = Object.entries(attributes).map(([name, value]) => `${quote(name)}:${quote(value)}`);
	return `{${members.join(",")}}`;
}

/** Returns a string as JSON in pure ASCII (PROTOCOL 2.6). */
export function quote(text: string): string {
	if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
	return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
