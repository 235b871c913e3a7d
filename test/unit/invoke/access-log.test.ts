import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import test from "node:test";
import { accessLine } from "../../../kubeless-loader/src/invoke/access-log.ts";
import { readHead } from "../../../kubeless-loader/src/invoke/event.ts";

const line = (url: string, rawHeaders: string[] = [], remoteAddress: string | undefined = "10.0.0.1") =>
	accessLine({ method: "GET", url, httpVersion: "1.1", socket: { remoteAddress } } as IncomingMessage, readHead(rawHeaders), 200, 11);

test("an access line has Apache's combined format, with empty strings for missing headers", () => {
	assert.match(line("/"), /^10\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/ HTTP\/1\.1" 200 11 "" ""\n$/);
});

test("an access line has the time in UTC", () => {
	const before = Math.floor(Date.now() / 1000) * 1000; // the log has whole seconds
	const [, day, month, year, time] = line("/").match(/\[(\d+)\/(\w+)\/(\d+):([\d:]+) /) as RegExpMatchArray;
	const logged = Date.parse(`${day} ${month} ${year} ${time} UTC`);
	assert.ok(before <= logged && logged <= Date.now(), `${before} ≤ ${logged}`);
});

test("an access line has Referer and User-Agent, in any case of the names", () => {
	assert.match(line("/", ["REFERER", "r", "user-agent", "u"]), /"r" "u"\n$/);
});

test("an access line stays one valid line, whatever callers send", () => {
	assert.match(line('/"x', ["User-Agent", 'a"b\\c\t\u00e9']), /"GET \/\\"x HTTP\/1\.1" 200 11 "" "a\\"b\\\\c\\x09\\xe9"\n$/);
});

test("an access line has a dash for a caller that has disconnected", () => {
	assert.match(
		accessLine({ method: "GET", url: "/", httpVersion: "1.1", socket: {} } as unknown as IncomingMessage, readHead([]), 499, 0),
		/^- - - /,
	);
});
