import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffMs } from "../../src/delivery.ts";
import type { Message } from "../../src/message.ts";
import { replyOf } from "../../src/reply.ts";
import { requestHeaders } from "../../src/request.ts";
import { readSettings } from "../../src/settings.ts";

const settings = readSettings("kafka", { TRIGGER_TOPIC: "t", TRIGGER_TARGETS: '[{"function":"f","url":"http://f","group":"g"}]' });
const message = (value: string | Buffer, headers: [string, string][] = [], key: string | null = null): Message => {
	return {
		topic: "t",
		partition: 1,
		offset: 7n,
		id: "t-1-7",
		time: 0,
		key: key === null ? null : Buffer.from(key),
		value: Buffer.from(value),
		headers,
	};
};
const headersOf = (...args: Parameters<typeof message>) => requestHeaders(message(...args), settings);

describe("the request that a message becomes", () => {
	const types: [string, string][] = [
		['{"a":1}', "application/json"],
		[' {"a":1}\n', "application/json"],
		["[1]", "application/x-www-form-urlencoded"],
		['"text"', "application/x-www-form-urlencoded"],
		["{broken}", "application/x-www-form-urlencoded"],
		["", "application/x-www-form-urlencoded"],
		[`{"a":"${"x".repeat(100_000)}"}`, "application/json"],
		[`${"x".repeat(100_000)}}`, "application/x-www-form-urlencoded"],
	];
	for (const [value, type] of types) {
		test(`the body ${value.slice(0, 20)} (${value.length} bytes) is sent as ${type}`, () => {
			const headers = headersOf(value);
			assert.equal(headers["content-type"], type);
			assert.equal(headers["event-type"], type);
		});
	}

	test("headers that a request must not carry, and names that are not header names, are left out", () => {
		const headers = headersOf("x", [
			["Host", "evil"],
			["Content-Length", "9"],
			["transfer-encoding", "chunked"],
			["event-id", "forged"],
			["a b", "c"],
			["kubeless-refused", "x"],
		]);
		for (const name of ["host", "content-length", "transfer-encoding", "a b", "kubeless-refused"])
			assert.equal(headers[name], undefined, name);
		assert.equal(headers["event-id"], "t-1-7");
	});

	test("characters that a header cannot hold are percent-encoded", () => {
		const headers = headersOf("x", [["ce_subject", 'č "100%"\r\nX: y']], "kľúč");
		assert.equal(headers["ce-subject"], "%C4%8D%20%22100%25%22%0D%0AX:%20y");
		assert.equal(headers["event-key"], "k%C4%BE%C3%BA%C4%8D");
	});

	test("a message that is no CloudEvent gets attributes; one that is keeps its own", () => {
		assert.equal(headersOf("x")["ce-type"], "io.kubeless.message");
		const own = headersOf("x", [
			["ce_specversion", "1.0"],
			["ce_type", "order"],
			["ce_id", "9"],
			["ce_source", "/s"],
		]);
		assert.deepEqual([own["ce-type"], own["ce-id"], own["ce-source"], own["ce-time"]], ["order", "9", "/s", undefined]);
		const structured = headersOf("{}", [["content-type", "application/cloudevents+json"]]);
		assert.deepEqual([structured["content-type"], structured["ce-id"]], ["application/cloudevents+json", undefined]);
	});

	test("an answer is a reply only if it is an event", () => {
		const answer = (headers: Record<string, string>) => replyOf({ headers, body: Buffer.from("b") }, "reply", message("x", [], "k"));
		assert.equal(answer({ "content-type": "text/plain" }), undefined);
		assert.deepEqual(answer({ "ce-id": "1", "content-type": "text/plain", date: "now" })?.headers, [
			["content-type", "text/plain"],
			["ce-id", "1"],
		]);
		assert.equal(answer({ "content-type": "application/cloudevents+json; charset=utf-8" })?.topic, "reply");
	});

	test("the wait between attempts doubles, with jitter, up to the limit", () => {
		for (const [waits, min, max] of [
			[0, 100, 200],
			[1, 200, 400],
			[5, 3200, 6400],
			[40, 30_000, 60_000],
		] as const) {
			for (let round = 0; round < 100; round++) {
				const ms = backoffMs(waits, 60_000);
				assert.ok(ms >= min && ms <= max, `${waits}: ${ms}`);
			}
		}
	});
});
