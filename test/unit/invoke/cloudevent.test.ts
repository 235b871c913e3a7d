import assert from "node:assert/strict";
import test from "node:test";
import { fillFromAttributes, isStructured, openEnvelope } from "../../../kubeless-loader/src/invoke/cloudevent.ts";
import { readHead } from "../../../kubeless-loader/src/invoke/event.ts";

const open = (text: string, raw: string[] = []) => {
	const head = readHead(raw);
	const { data, json } = openEnvelope(head, Buffer.from(text));
	return { head, data: data?.toString(), json };
};
const envelope = (rest: string) => `{"specversion":"1.0","id":"1","source":"s","type":"t"${rest}}`;

test("only the content type decides whether a CloudEvent is in structured mode", () => {
	assert.ok(isStructured("application/cloudevents+json"));
	assert.ok(isStructured("Application/CloudEvents+JSON; charset=utf-8"));
	assert.ok(!isStructured("application/cloudevents-batch+json"));
	assert.ok(!isStructured("application/json"));
});

test("data keeps its digits, the order of its fields and its characters", () => {
	const data = '{"b":1.0,"a":123456789012345678901234567890,"c":[1e400,-0,0.1],"č":"🎉"}';
	assert.equal(open(envelope(`,"data":${data}`)).data, data);
});

test("data null is a body of null, and missing data is an empty body", () => {
	assert.deepEqual([open(envelope(',"data":null')).data, open(envelope("")).data], ["null", undefined]);
});

test("attributes are strings, null attributes are left out, and data is not an attribute", () => {
	const { head } = open(envelope(',"n":5,"b":false,"x":null,"big":9007199254740993,"data":1'));
	assert.deepEqual(head.attributes, { specversion: "1.0", id: "1", source: "s", type: "t", n: "5", b: "false", big: "9007199254740993" });
});

test("an attribute with the name __proto__ is an ordinary attribute", () => {
	const { head } = open(envelope(',"__proto__":"x"'));
	assert.equal(Object.getPrototypeOf(head.attributes), Object.prototype);
	assert.equal(({} as { x?: string }).x, undefined);
});

test("headers take precedence over attributes, and attributes without specversion are ignored", () => {
	const own = readHead(["event-id", "mine", "ce-specversion", "1.0", "ce-id", "theirs", "ce-type", "t"]);
	fillFromAttributes(own);
	assert.deepEqual([own.eventId, own.eventType], ["mine", "t"]);
	const none = readHead(["ce-id", "1"]);
	fillFromAttributes(none);
	assert.deepEqual([none.eventId, none.attributes], [undefined, undefined]);
});

for (const text of [
	"",
	"{",
	"[]",
	"1",
	"null",
	"{}",
	'{"specversion":1,"id":"1","source":"s","type":"t"}',
	envelope("").replace('"t"', "null"),
]) {
	test(`${JSON.stringify(text)} is not a CloudEvent`, () => assert.throws(() => open(text), Error));
}
