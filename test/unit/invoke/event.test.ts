import assert from "node:assert/strict";
import test from "node:test";
import { isJson, readHead } from "../../../kubeless-loader/src/invoke/event.ts";

test("a content type is JSON if it is application/json or ends with +json, with any parameters", () => {
	for (const type of [
		"application/json",
		"Application/JSON; charset=utf-8",
		" application/json ;a",
		"application/ld+json",
		"text/x+JSON;q",
	]) {
		assert.ok(isJson(type), type);
	}
	for (const type of ["", "application/jsonp", "text/json", "application/json5", "a; application/json", "+json", "json"]) {
		assert.ok(!isJson(type), type);
	}
});

test("the head has the event's headers in any case, and the first of equal names counts", () => {
	const head = readHead([
		"EVENT-ID",
		"1",
		"Event-Id",
		"2",
		"event-Type",
		"t",
		"Event-Time",
		"now",
		"event-namespace",
		"n",
		"Traceparent",
		"tp",
	]);
	assert.deepEqual([head.eventId, head.eventType, head.eventTime, head.eventNamespace, head.traceparent], ["1", "t", "now", "n", "tp"]);
});

test("the head distinguishes a declared length, chunks and no body", () => {
	assert.equal(readHead(["Content-Length", "0"]).length, 0);
	assert.equal(readHead(["content-length", "12"]).length, 12);
	assert.equal(readHead(["Transfer-Encoding", "chunked"]).length, -1);
	assert.equal(readHead(["Host", "x"]).length, undefined);
});
