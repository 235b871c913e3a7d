import assert from "node:assert/strict";
import test from "node:test";
import { LineSplitter } from "../../../../kubeless-loader/src/worker/process/lines.ts";

function split(...chunks: (string | Buffer)[]): string[] {
	const lines: string[] = [];
	const splitter = new LineSplitter((line) => lines.push(line));
	for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
	splitter.end();
	return lines;
}

test("lines end at LF or CRLF, and the last line may have no line break", () => {
	assert.deepEqual(split("one\ntwo\r\n\nlast"), ["one", "two", "", "last"]);
	assert.deepEqual(split("one\n"), ["one"]);
	assert.deepEqual(split(""), []);
});

test("lines and characters that arrive in pieces are joined", () => {
	const bytes = Buffer.from("čš🎉\nend\n");
	assert.deepEqual(split(...[...bytes].map((byte) => Buffer.from([byte]))), ["čš🎉", "end"]);
});

test("invalid UTF-8 becomes U+FFFD", () => {
	assert.deepEqual(split(Buffer.from([0x61, 0xff, 0x0a, 0xc4])), ["a\ufffd", "\ufffd"]);
});

test("a line over the size limit is split, and no byte is lost", () => {
	const long = "x".repeat(100_000);
	for (const lines of [split(long, "\n"), split(long), split(`${long}\n`), split(...(long.match(/.{1,999}/g) as string[]))]) {
		assert.ok(lines.every((line) => line.length <= 16 * 1024));
		assert.equal(lines.join(""), long);
	}
});
