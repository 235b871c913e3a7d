import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import test from "node:test";
import { callFields, isJson, readHead } from "../../../kubeless-loader/src/invoke/event.ts";

test("JSON is application/json and everything +json, with any parameters", () => {
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

test("the head has the event's headers in any case, the first of each counting", () => {
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

test("the head tells a declared length, chunks and no body apart", () => {
	assert.equal(readHead(["Content-Length", "0"]).length, 0);
	assert.equal(readHead(["content-length", "12"]).length, 12);
	assert.equal(readHead(["Transfer-Encoding", "chunked"]).length, -1);
	assert.equal(readHead(["Host", "x"]).length, undefined);
});

test("the block has all headers as they came", () => {
	assert.equal(readHead(["Host", "x", "X-A", "1", "x-a", "ol\u00e9"]).block, "Host: x\r\nX-A: 1\r\nx-a: ol\u00e9\r\n");
});

const fields = (url: string, raw: string[], json = false) =>
	JSON.parse(`{${callFields({ method: "GET", url, socket: {} } as IncomingMessage, readHead(raw), json, 7)}}`);

test("the call's fields have path and query as received, and nothing that is absent", () => {
	assert.deepEqual(fields("/a%20b?x=1?y", []), { method: "GET", path: "/a%20b", query: "x=1?y", deadline: 7 });
	assert.deepEqual(fields("/", []), { method: "GET", path: "/", deadline: 7 });
	assert.deepEqual(fields("/?", [], true), { method: "GET", path: "/", query: "", deadline: 7, json: true });
});

test("the call's fields have the caller's address, version 4 in its own form", () => {
	const from = (remoteAddress: string) =>
		JSON.parse(`{${callFields({ method: "GET", url: "/", socket: { remoteAddress } } as IncomingMessage, readHead([]), false, 7)}}`)
			.address;
	assert.equal(from("::ffff:10.0.0.1"), "10.0.0.1");
	assert.equal(from("fe80::1"), "fe80::1");
});

test("the call's fields are one line of ASCII, whatever the headers hold", () => {
	const head = readHead(["event-id", '"\\ \u00ff\u0085', "ce-specversion", "1.0", "ce-a", "%F0%9F%8E%89%0A"]);
	const text = callFields({ method: "GET", url: "/\u00ff", socket: {} } as IncomingMessage, head, false, 7);
	assert.match(text, /^[ -~]+$/);
	const got = JSON.parse(`{${text}}`);
	assert.deepEqual([got["event-id"], got.extensions.a], ['"\\ \u00ff\u0085', "🎉\n"]);
});
