import assert from "node:assert/strict";
import test from "node:test";
import { isBinary, isStructured, openEnvelope, readBinary } from "../../../kubeless-loader/src/invoke/cloudevent.ts";
import { readHead } from "../../../kubeless-loader/src/invoke/event.ts";
import { ended } from "../../support/steps.ts";

const open = (text: string, raw: string[] = []) => {
	const head = readHead(raw);
	const { data, json } = ended(openEnvelope(head, [Buffer.from(text)]));
	return { head, data: data && Buffer.concat(data).toString(), json };
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

test("an attribute called __proto__ has no name that an attribute may have, and harms nothing", () => {
	assert.throws(() => open(envelope(',"__proto__":"x"')), /"__proto__"/);
	assert.equal(({} as { x?: string }).x, undefined);
});

test("headers stand before attributes, and attributes without a specversion are none", () => {
	const required = ["ce-specversion", "1.0", "ce-id", "theirs", "ce-type", "t", "ce-source", "s"];
	const own = readHead(["event-id", "mine", ...required]);
	readBinary(own);
	assert.deepEqual([own.eventId, own.eventType], ["mine", "t"]);
	assert.ok(!isBinary(readHead(["ce-id", "1"])));
});

const binary = (more: Record<string, string>) => {
	const head = readHead(Object.entries({ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t", ...more }).flat());
	readBinary(head);
	return head.attributes ?? {};
};

test("in binary mode the request's Content-Type is the attribute datacontenttype", () => {
	assert.equal(binary({ "Content-Type": "text/plain" })["datacontenttype"], "text/plain");
	assert.equal(binary({ "ce-datacontenttype": "a/b" })["datacontenttype"], undefined);
});

for (const [value, text] of [
	["plain", "plain"],
	['"quoted"', "quoted"],
	['"a \\"word\\" \\\\ more"', 'a "word" \\ more'],
	['"open', '"open'],
	["%C4%8D 100%25", "č 100%"],
	["100% of %C4%8D", "100% of č"],
	["%C4%8D%FF%C4", "č%FF%C4"],
	["%ED%A0%80 %F0%9F%8E%89", "%ED%A0%80 🎉"],
	['"%22"', '"'],
] as const) {
	test(`in binary mode ${value} is read as ${text} (HTTP binding §3.1.3.2)`, () => {
		assert.equal(binary({ "ce-subject": value })["subject"], text);
	});
}

for (const [rest, name] of [
	[',"subject":1', "subject"],
	[',"time":true', "time"],
	[',"n":1.5', "n"],
	[',"n":1e3', "n"],
	[',"n":{}', "n"],
	[',"n":[1]', "n"],
	[',"Upper":"x"', "Upper"],
	[',"with-dash":"x"', "with-dash"],
	[',"data_base64":"a"', "data_base64"],
	[',"data_base64":"!!!!"', "data_base64"],
	[',"data_base64":"YQ=="," data":1', " data"],
	[',"data_base64":"YQ==YQ=="', "data_base64"],
	[',"data_base64":"YQ-_"', "data_base64"],
	[',"data_base64":7', "data_base64"],
	[',"data_base64":"YQ==","data":1', "data_base64"],
] as const) {
	test(`an envelope with ${rest.slice(1)} is no CloudEvent, and the error names ${name}`, () => {
		assert.throws(() => open(envelope(rest)), new RegExp(`"${name}"`));
	});
}

for (const name of ["specversion", "id", "source", "type"]) {
	test(`an event without its ${name}, or with an empty one, is refused in both modes`, () => {
		const all: Record<string, string> = { specversion: "1.0", id: "1", source: "s", type: "t" };
		const { [name]: _, ...without } = all;
		assert.throws(() => open(JSON.stringify(without)), new RegExp(`"${name}" is missing`));
		assert.throws(() => open(JSON.stringify({ ...all, [name]: "" })), new RegExp(`"${name}" is empty`));
		assert.throws(() => binary({ [`ce-${name}`]: "" }), new RegExp(`"${name}" is empty`));
	});
}

test("an event of another specversion is refused in both modes", () => {
	assert.throws(() => open(envelope("").replace("1.0", "0.3")), /"specversion" must be "1.0"/);
	assert.throws(() => binary({ "ce-specversion": "1.1" }), /"specversion" must be "1.0"/);
});

for (const text of ["", "{", "[]", "1", "null", "{}", '{"specversion":1,"id":"1","source":"s","type":"t"}']) {
	test(`${JSON.stringify(text)} is no CloudEvent`, () => assert.throws(() => open(text), /^Error: not a CloudEvent: /));
}
