import assert from "node:assert/strict";
import test from "node:test";
import { isBodiless, readReplyHead, resultHeaders, streamHeaders } from "../../../kubeless-loader/src/invoke/reply.ts";

const CORS = ["Access-Control-Allow-Origin", "*"];

const cors = ["Access-Control-Allow-Origin", "*"];

test("an answer without headers gets CORS headers and the length", () => {
	assert.deepEqual(resultHeaders("", 200, 5, false), [...CORS, "Content-Length", "5"]);
});

test("headers keep their order, case and repetitions", () => {
	const block = "Set-Cookie: a=1\r\nX-Name:  Ada \r\nset-cookie: b=2\r\nX-Url: http://a:80/\r\n";
	assert.deepEqual(readReplyHead(block).pairs, [
		"Set-Cookie",
		"a=1",
		"X-Name",
		"Ada",
		"set-cookie",
		"b=2",
		"X-Url",
		"http://a:80/",
		...cors,
	]);
});

test("connection headers and lines that are not headers are left out", () => {
	const block =
		"Connection: close\r\nKEEP-ALIVE: x\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nTrailer: x\r\nnonsense\r\n: x\r\nA: b\r\n";
	assert.deepEqual(readReplyHead(block).pairs, ["A", "b", ...cors]);
});

test("a CORS header of the function replaces the loader's", () => {
	assert.deepEqual(resultHeaders("access-control-allow-origin: http://a\r\n", 200, 0, false), [
		"access-control-allow-origin",
		"http://a",
		"Content-Length",
		"0",
	]);
});

test("the loader sets the length of the body, except for HEAD, where the function's length counts", () => {
	assert.deepEqual(resultHeaders("Content-Length: 99\r\n", 200, 5, false), [...CORS, "Content-Length", "5"]);
	assert.deepEqual(resultHeaders("Content-Length: 99\r\n", 200, 0, true), [...CORS, "Content-Length", "99"]);
	assert.deepEqual(resultHeaders("", 200, 5, true), [...CORS, "Content-Length", "5"]);
});

test("204 and 304 have no length", () => {
	for (const status of [204, 304]) {
		assert.ok(isBodiless(status));
		assert.deepEqual(resultHeaders("", status, 0, false), CORS);
	}
});

test("a streamed answer has the function's length, if it gave one", () => {
	assert.deepEqual(streamHeaders("Content-Length: 10\r\nA: b\r\n", 200), {
		pairs: ["A", "b", ...CORS, "Content-Length", "10"],
		length: 10,
	});
	assert.deepEqual(streamHeaders("", 200), { pairs: CORS, length: undefined });
	assert.deepEqual(streamHeaders("Content-Length: 10\r\n", 204), { pairs: CORS, length: undefined });
});

test("cached headers are not changed by their users", () => {
	const block = "X-Once: 1\r\n";
	resultHeaders(block, 200, 1, false).push("more", "and more");
	assert.deepEqual(resultHeaders(block, 200, 1, false), ["X-Once", "1", ...CORS, "Content-Length", "1"]);
});

for (const length of ["0x4", "+4", "4.0", "abc", "-1", "1e3", "", "4 4", "99999999999999999999"]) {
	test(`a Content-Length of "${length}" is not sent where it would be the function's own`, () => {
		const block = `Content-Length: ${length}\r\n`;
		assert.throws(() => streamHeaders(block, 200), /^Error: Content-Length is /);
		assert.throws(() => resultHeaders(block, 200, 0, true), /^Error: Content-Length is /);
		assert.deepEqual(resultHeaders(block, 200, 5, false), [...CORS, "Content-Length", "5"]);
	});
}

test("two lengths that differ are no length, and two that agree are one", () => {
	assert.throws(() => streamHeaders("Content-Length: 4\r\nContent-Length: 5\r\n", 200), /Content-Length is "4, 5"/);
	assert.equal(streamHeaders("Content-Length: 4\r\nContent-Length: 4\r\n", 200).length, 4);
});
