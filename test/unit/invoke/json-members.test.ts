import assert from "node:assert/strict";
import test from "node:test";
import { base64Bytes, membersOf, stringBytes, textOf } from "../../../kubeless-loader/src/invoke/json-members.ts";
import { ended } from "../../support/steps.ts";

/** The text in parts of `size` bytes. */
function inParts(text: string, size: number): Buffer[] {
	const bytes = Buffer.from(text);
	return Array.from({ length: Math.ceil(bytes.length / size) }, (_, part) => bytes.subarray(part * size, (part + 1) * size));
}

const TEXTS = [
	"{}",
	' \n{ "a" : 1 , "b":[1,{"c":"]}"},[]] ,"s":"x\\"y\\\\", "t":true,"n":null, "o":{"{":"}"},"e":"" } \t',
	'{"a":1,"a":2}',
	'{"\\u0061b":"č🎉","number":-12.5e3}',
];

for (const text of TEXTS) {
	test(`the members of ${text} are found, wherever its parts begin`, () => {
		const expected = Object.entries(JSON.parse(text));
		for (let size = 1; size <= 20; size++) {
			const parts = inParts(text, size);
			const members = [...ended(membersOf(parts))].map(([name, span]) => [name, JSON.parse(textOf(parts, span))]);
			assert.deepEqual(members, expected, `in parts of ${size} bytes`);
		}
	});
}

for (const text of [
	"",
	" ",
	"[]",
	"1",
	'"x"',
	"{",
	'{"a"}',
	'{"a":}',
	'{"a":1,}',
	'{"a":1',
	'{"a":"x}',
	'{"a":[1}',
	"{a:1}",
	"{}x",
	'{"a":1 2}',
	"{,}",
]) {
	test(`${JSON.stringify(text)} is no object`, () => assert.throws(() => ended(membersOf([Buffer.from(text)]))));
}

for (const text of ["", "plain", "č🎉", 'a"b\\c/d\b\f\n\r\t', "\\".repeat(50), "\ud83c\udf89\u010d\u0000", "x".repeat(300_000)]) {
	test(`the bytes of the string ${JSON.stringify(text.slice(0, 40))} are those of its characters`, () => {
		for (const json of [
			JSON.stringify(text),
			JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`),
		]) {
			for (const size of [1, 5, 65_536]) {
				const parts = inParts(json, size);
				assert.equal(ended(stringBytes(parts, { start: 0, end: Buffer.byteLength(json) })).toString(), text);
				if (json.length > 1000) break;
			}
		}
	});
}

test("a backslash that escapes nothing is an error", () => {
	for (const json of ['"\\x"', '"\\u12g4"']) assert.throws(() => ended(stringBytes([Buffer.from(json)], { start: 0, end: json.length })));
});

test("base64 is decoded, and what is not base64 is found", () => {
	const bytes = Buffer.from([...Array(256).keys()]);
	assert.deepEqual(ended(base64Bytes(Buffer.from(bytes.toString("base64")))), bytes);
	assert.deepEqual(ended(base64Bytes(Buffer.from(""))), Buffer.alloc(0));
	for (const text of ["abc", "ab=c", "ab-_", "====", "a b c d ", `${"A".repeat(262_143)}=AAAA`]) {
		assert.equal(ended(base64Bytes(Buffer.from(text))), undefined, text.slice(0, 20));
	}
});

test("the work between two yields is bounded, whatever the text", () => {
	for (const value of [`[${"0,".repeat(1_000_000)}0]`, " ".repeat(2_000_000), `"${'\\"'.repeat(1_000_000)}"`, "[".repeat(1_000_000)]) {
		const steps = membersOf([Buffer.from(`{"data":${value}`)]);
		let yields = 0;
		assert.throws(() => {
			while (!steps.next().done) yields++;
		});
		assert.ok(yields >= 200, `${yields} yields for ${value.slice(0, 10)}`);
	}
});
