import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import test from "node:test";
import { readHead } from "../../../kubeless-loader/src/invoke/event.ts";
import { refusalOf } from "../../../kubeless-loader/src/invoke/request-check.ts";

const status = (headers: readonly string[], { method = "GET", url = "/", minor = 1, major = 1 } = {}) =>
	refusalOf({ method, url, httpVersionMajor: major, httpVersionMinor: minor } as IncomingMessage, readHead(headers))?.status;

for (const host of ["x", "X.example", "a-b_c.ns.svc:8080", "127.0.0.1", "[::1]:8080", "[fe80::1%25eth0]", "", "x:", "caf%C3%A9", "x."]) {
	test(`a Host of "${host}" is taken`, () => assert.equal(status(["Host", host]), undefined));
}

for (const host of ["a,b", "u@h", "h/p", "h h", "a?b", "a#b", "h:80:80", "h:x", "[::1", "é", 'a"b', "http://h"]) {
	test(`a Host of "${host}" is refused with 400 (RFC 9112 §3.2)`, () => {
		assert.equal(status(["Host", host]), 400);
		assert.equal(status(["Host", host]), 400, "the second time too");
	});
}

test("two Host lines are refused with 400, also if they agree", () => {
	assert.equal(status(["Host", "x", "host", "x"]), 400);
});

test("only OPTIONS may have the target *, and every other target is a path or a URL", () => {
	assert.equal(status([], { url: "*" }), 400);
	assert.equal(status([], { url: "*", method: "OPTIONS" }), undefined);
	assert.equal(status([], { url: "*/x", method: "OPTIONS" }), 400);
	assert.equal(status([], { url: "http://h/p" }), undefined);
	assert.equal(status([], { url: "h:80" }), 400);
	assert.equal(status([], { url: "/a%2" }), 400);
});

test("what the loader does not do is refused with the status that says so", () => {
	assert.equal(status([], { method: "CONNECT", url: "h:80" }), 501);
	assert.equal(status(["Transfer-Encoding", "gzip, chunked"]), 501);
	assert.equal(status(["Transfer-Encoding", "gzip", "Transfer-Encoding", "chunked"]), 501);
	assert.equal(status(["Transfer-Encoding", "Chunked"]), undefined);
	assert.equal(status(["Transfer-Encoding", "chunked"], { minor: 0 }), 400);
	assert.equal(status(["Expect", "x"]), 417);
	assert.equal(status(["Expect", "x"], { minor: 0 }), undefined, "HTTP/1.0 has no Expect");
	assert.equal(status(["Expect", "100-Continue"]), undefined);
	assert.equal(status([], { major: 2, minor: 0 }), 505);
});
