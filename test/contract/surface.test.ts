import assert from "node:assert/strict";
import { METHODS } from "node:http";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { WireTap } from "../support/wire-tap.ts";

describe("the HTTP surface", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner);
	});
	const calls = async () => (await loader.figures()).sum("function_calls_total");
	const raw = async (t: test.TestContext, text: string) => (await WireTap.open(loader.port, t)).write(text).untilEnd();

	test("/healthz answers 200 OK to GET, and HEAD without a body", async () => {
		const get = await loader.ask("/healthz");
		assert.deepEqual([get.status, get.text], [200, "OK"]);
		const head = await loader.ask({ path: "/healthz", method: "HEAD" });
		assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", "2"]);
		assert.equal((await loader.ask("/healthz?verbose")).text, "OK");
	});

	test("/healthz, /readyz and /metrics are not calls of the function", async () => {
		const before = await calls();
		for (const path of ["/healthz", "/readyz", "/metrics"]) assert.equal((await loader.ask(path)).status, 200);
		assert.equal(await calls(), before);
	});

	for (const path of ["/healthz", "/readyz", "/metrics"]) {
		test(`POST ${path} calls the function`, async () => {
			assert.equal((await loader.ask({ path, body: "mine" })).text, "mine");
		});
	}

	for (const path of ["/healthz/", "/healthzz", "/metrics/x", "//healthz", "/a/b/../c", "/a%20b", "/%2e%2e/x", "/ü"]) {
		test(`${path} calls the function with the path unchanged`, async () => {
			const { status, text } = await loader.ask({ path: encodeURI(decodeURI(path)).includes("%25") ? path : path.replace("ü", "%C3%BC") });
			assert.equal(status, 200);
			assert.equal(text, "");
		});
	}

	test("every method except OPTIONS and CONNECT calls the function, with body and path", async () => {
		// A whole line as the worker received it.
		for (const method of METHODS.filter((one) => !["OPTIONS", "CONNECT", "HEAD"].includes(one))) {
			const { status, text } = await loader.ask({ path: "/line?a=%20b&c", method });
			assert.equal(status, 200, method);
			const line = JSON.parse(text);
			assert.deepEqual([line.method, line.path, line.query], [method, "/line", "a=%20b&c"]);
		}
	});

	test("HEAD calls the function, and its response has the body's length and no body", async (t) => {
		const text = await raw(t, "HEAD /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
		assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: [1-9]\d*\r\n[^]*\r\n\r\n$/);
	});

	test("the loader answers OPTIONS and allows the requested method and headers", async () => {
		const before = await calls();
		const headers = { "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a, x-b" };
		for (const path of ["/", "/healthz", "/any/where"]) {
			const { status, headers: got, text } = await loader.ask({ path, method: "OPTIONS", headers });
			assert.deepEqual([status, text], [200, ""]);
			assert.equal(got["access-control-allow-origin"], "*");
			assert.equal(got["access-control-allow-methods"], "PUT");
			assert.equal(got["access-control-allow-headers"], "x-a, x-b");
		}
		const plain = await loader.ask({ method: "OPTIONS" });
		assert.doesNotMatch(JSON.stringify(plain.headers), /undefined/);
		assert.equal(await calls(), before);
	});

	test("the loader answers OPTIONS *", async (t) => {
		assert.match(await raw(t, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 200 /);
	});

	test("every response allows access from any web page (CORS)", async () => {
		for (const path of ["/", "/throw", "/malformed", "/exit7", "/slow?1", "/no-body"]) {
			assert.equal((await loader.ask(path)).headers["access-control-allow-origin"], "*", path);
		}
	});

	for (const [what, text, status] of [
		["two Host lines", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n", 400],
		["a Host of two hosts", "GET / HTTP/1.1\r\nHost: a,b\r\n", 400],
		["a Host with a user", "GET /healthz HTTP/1.1\r\nHost: u@h\r\n", 400],
		["a Host with a path", "OPTIONS / HTTP/1.1\r\nHost: h/p\r\n", 400],
		["the target * of a GET", "GET * HTTP/1.1\r\nHost: x\r\n", 400],
		["CONNECT", "CONNECT refused.example:80 HTTP/1.1\r\nHost: x\r\n", 501],
		["a coding that is not known", "POST /coded HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n", 501],
		["an Expect that is not known", "GET /expects HTTP/1.1\r\nHost: x\r\nExpect: x\r\n", 417],
		["HTTP/2.0", "GET /two HTTP/2.0\r\nHost: x\r\n", 505],
	] as const) {
		test(`${what} is refused with ${status}, an access line and the end of the connection, and is no call`, async (t) => {
			const before = await calls();
			const answer = await raw(t, `${text}\r\n`);
			assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nConnection: close\\r\\n`));
			assert.match(answer, /\r\nAccess-Control-Allow-Origin: \*\r\n/);
			const line = text.slice(0, text.indexOf("\r"));
			await loader.until("its access line", () => loader.lines.find((one) => one.includes(`"${line}" ${status} `)));
			assert.equal(await calls(), before);
		});
	}

	test("OPTIONS has an access line", async () => {
		await loader.ask({ path: "/preflight", method: "OPTIONS" });
		await loader.wrote(/"OPTIONS \/preflight HTTP\/1\.1" 200 0 "" ""$/);
	});

	test("HEAD of an endless stream, and a status without a body, end after the head, and the function is cancelled", async (t) => {
		for (const [line, status] of [
			["HEAD /endless", 200],
			["GET /endless?204", 204],
			["GET /endless?304", 304],
		] as const) {
			assert.match(
				await raw(t, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
				new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n$`),
			);
		}
		// The fake worker ends such a call only when it is cancelled.
		await loader.figuresWhen("the cancelled calls", (figures) => figures.inFlight === 0);
		assert.equal((await loader.ask({ body: "served on" })).text, "served on");
	});

	test("a path in absolute form, as proxies send it, reaches the same place", async (t) => {
		assert.match(await raw(t, "GET http://fn.ns/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /\r\n\r\nOK$/);
	});

	for (const type of ["", "x", "a/b; c", "application/json;;", ";", "text/plain; charset=no-such", "multipart/form-data"]) {
		test(`a call with the Content-Type "${type}" reaches the function`, async () => {
			const { status } = await loader.ask({ path: "/line", body: "{}", headers: { "Content-Type": type } });
			assert.equal(status, 200);
		});
	}

	test("a body reaches the function in GET and DELETE, too", async () => {
		for (const method of ["GET", "DELETE"]) {
			const headers = { "Content-Length": "4" };
			assert.equal((await loader.ask({ method, body: "ciao", headers })).text, "ciao", method);
		}
	});

	test("a body in chunks reaches the function as one body", async () => {
		const headers = { "Transfer-Encoding": "chunked", "Content-Type": "text/plain" };
		assert.equal((await loader.ask({ body: "in chunks", headers })).text, "in chunks");
	});

	test("an access line in combined format is written for every call", async () => {
		await loader.ask({ path: "/", body: "hello world" });
		await loader.wrote(/^\S+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "POST \/ HTTP\/1\.1" 200 11 "" ""$/);
		await loader.ask({ path: "/line?x", headers: { Referer: "http://a/", "User-Agent": 'me "quoted"' } });
		await loader.wrote(/"GET \/line\?x HTTP\/1\.1" 200 \d+ "http:\/\/a\/" "me \\"quoted\\""$/);
		await loader.ask("/throw?x");
		await loader.wrote(/"GET \/throw\?x HTTP\/1\.1" 500 21 "" ""$/);
	});

	test("the access line of a HEAD request counts no body", async () => {
		await loader.ask({ method: "HEAD", path: "/head" });
		await loader.wrote(/"HEAD \/head HTTP\/1\.1" 200 0 "" ""$/);
		await loader.ask({ method: "HEAD", path: "/throw?head" });
		await loader.wrote(/"HEAD \/throw\?head HTTP\/1\.1" 500 0 "" ""$/);
	});
});

everyRuntime("a hello", ({ serve }) => {
	test("writes an access line to the log", async (t) => {
		const loader = await serve(t, "big");
		// 10 bytes: big gives multiples of 10
		await loader.ask({ path: "/", method: "POST", body: "10" });
		await loader.wrote(/"POST \/ HTTP\/1.1" 200 10 ""/);
	});

	test("with FUNC_ACCESS_LOG=false writes no access line", async (t) => {
		const loader = await serve(t, "context", { FUNC_ACCESS_LOG: "false" });
		assert.equal((await loader.ask()).status, 200);
		await loader.stop();
		assert.deepEqual(
			loader.lines.filter((line) => line.includes("HTTP/1.1")),
			[],
		);
	});
});
