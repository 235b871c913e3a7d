import assert from "node:assert/strict";
import test from "node:test";
import type { EventFields, WorkerCall } from "../../../../kubeless-loader/src/worker/contract.ts";
import { callLine } from "../../../../kubeless-loader/src/worker/wire/call-line.ts";

const EVENT: EventFields = {
	eventId: undefined,
	eventType: undefined,
	eventTime: undefined,
	eventNamespace: undefined,
	attributes: undefined,
	json: false,
	envelope: undefined,
};

function written(call: Partial<WorkerCall>): { line: string; head: string } {
	const base = { method: "GET", url: "/", headers: [], address: "", event: EVENT, deadline: 7, body: undefined };
	const text = callLine(3, { ...base, ...call } as unknown as WorkerCall);
	const end = text.indexOf("\n") + 1;
	return { line: text.slice(0, end), head: text.slice(end) };
}
const fields = (call: Partial<WorkerCall>) => JSON.parse(written(call).line);
const always = { type: "call", id: 3, method: "GET", path: "/", deadline: 7 };

test("a call line has path and query as received, and no field without a value", () => {
	assert.deepEqual(fields({ url: "/a%20b?x=1?y" }), { ...always, path: "/a%20b", query: "x=1?y" });
	assert.deepEqual(fields({}), always);
	assert.deepEqual(fields({ url: "/?", event: { ...EVENT, json: true } }), { ...always, query: "", json: true });
});

test("a call line has the caller's address if it is known", () => {
	assert.equal(fields({ address: "10.0.0.1" }).address, "10.0.0.1");
	assert.equal(fields({ address: "fe80::1" }).address, "fe80::1");
});

test("a call line states the lengths of head and body, and the head has all headers as received", () => {
	const { line, head } = written({
		headers: ["Host", "x", "X-A", "1", "x-a", "ol\u00e9"],
		body: { parts: [Buffer.from("ab"), Buffer.from("c")], length: 3 },
	});
	assert.equal(head, "Host: x\r\nX-A: 1\r\nx-a: ol\u00e9\r\n");
	assert.deepEqual(JSON.parse(line), { ...always, head: head.length, body: 3 });
	assert.deepEqual(fields({ body: { parts: [], length: 0 } }), { ...always, body: 0 });
});

test("a call line is one line of ASCII, whatever the event holds", () => {
	const attributes = { specversion: "1.0", a: "🎉\n" };
	const { line } = written({ url: "/\u00ff", event: { ...EVENT, eventId: '"\\ \u00ff\u0085', attributes } });
	assert.match(line, /^[ -~]+\n$/);
	const got = JSON.parse(line);
	assert.deepEqual([got.path, got["event-id"], got.extensions], ["/\u00ff", '"\\ \u00ff\u0085', attributes]);
});
