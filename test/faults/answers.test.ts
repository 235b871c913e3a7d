import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { WireTap } from "../support/wire-tap.ts";

everyRuntime("a streamed answer", ({ serve, speaks }) => {
	test("a streamed answer that the function breaks off is cut without a clean end", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "3 10 20 raise";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 200 OK[^]*0{10}[^]*1{10}/);
		assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
		// After the head of an HTTP answer, the worker can only close the connection: the error message
		// is lost.
		const [expected, words] = speaks === "http" ? ["ANSWER_BROKEN", /no whole answer/] : ["FUNCTION_THREW", /broken off/];
		await loader.said(({ code, msg }) => code === expected && words.test(msg ?? ""));
		assert.equal((await loader.figures()).of('function_failures_total{method="POST"}'), 1);
		assert.equal((await loader.ask({ body: "2 2 1" })).text, "0011");
	});

	test("a streamed answer reaches the caller chunk by chunk, as the function sends it", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "2 5 1500";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		const begun = performance.now();
		await tap.until(/00000/);
		assert.ok(performance.now() - begun < 1200, "the first chunk was held back");
		await tap.until(/11111[^]*\r\n0\r\n\r\n$/);
	});

	test("a streamed answer ends when its caller disconnects, and the next call is served", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "1000 100000 1";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		await tap.until(/11111/);
		tap.socket.resetAndDestroy();
		const figures = await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.equal(figures.of('function_failures_total{method="POST"}'), 0, "a disconnected caller is no failure of the function");
		assert.equal((await loader.ask({ body: "2 2 1" })).text, "0011");
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("a streamed answer past FUNC_TIMEOUT is cut", async (t) => {
		const loader = await serve(t, "streams", { FUNC_TIMEOUT: "0.6" });
		const tap = await WireTap.open(loader.port, t);
		const body = "100 5 100";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		assert.doesNotMatch(await tap.untilEnd(), /\r\n0\r\n\r\n$/);
		const figures = await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.equal(figures.of("function_timeouts_total"), 1);
	});
});

describe("an answer on the wire", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner);
	});
	const raw = async (t: test.TestContext, path: string, method = "GET") => {
		const tap = await WireTap.open(loader.port, t);
		return tap.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`).untilEnd();
	};

	for (const path of ["/midway", "/die-midway", "/too-long", "/too-short"]) {
		test(`${path}: an incomplete answer on the wire is cut, so that the caller cannot take it for a complete one`, async () => {
			await assert.rejects(loader.ask(path));
			await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
			assert.equal((await loader.ask({ body: "served on" })).text, "served on");
		});
	}

	for (const length of ["0x4", "+4", "4.0", "abc", "4, 4"]) {
		test(`a streamed answer with a Content-Length of "${length}" is a 500, and so is one to HEAD`, async (t) => {
			const query = encodeURIComponent(length);
			for (const [path, method] of [
				["/own-length", "GET"],
				["/own-length", "HEAD"],
				["/empty-own-length", "HEAD"],
			] as const) {
				const text = await raw(t, `${path}?${length.replaceAll(" ", "")}`, method);
				assert.match(text, /^HTTP\/1\.1 500 [^]*\r\nContent-Length: 21\r\n/, `${method} ${path}?${query}`);
			}
		});
	}

	test("an answer whose every byte was sent is whole, even if its worker dies before the end frame", async () => {
		assert.equal((await loader.ask("/die-before-end")).text, "whole");
	});

	test("an answer that breaks off resets the connection of an HTTP/1.0 caller, for which an orderly end would complete it", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		let code: string | undefined;
		tap.socket.on("error", (error: NodeJS.ErrnoException) => {
			code = error.code;
		});
		tap.write("GET /die-midway HTTP/1.0\r\n\r\n");
		await tap.untilEnd();
		assert.equal(code, "ECONNRESET");
	});

	test("an answer on the wire gets Date, Content-Length and Connection from the loader", async () => {
		const { headers } = await loader.ask({ body: "ciao" });
		assert.ok(Math.abs(Date.parse(headers.date ?? "") - Date.now()) < 60_000);
		assert.deepEqual([headers["content-length"], headers.connection], ["4", "close"]);
		assert.equal(headers["content-type"], undefined, "the function set no Content-Type");
	});

	test("an answer has the Content-Length of its body, even if the function sets a different one", async (t) => {
		const text = await raw(t, "/length-lie");
		assert.match(text, /\r\nContent-Length: 15\r\n/);
		assert.equal(text.match(/content-length/gi)?.length, 1);
		assert.match(text, /\r\n\r\nmore than three$/);
	});

	for (const path of ["/bare-cr", "/bare-lf", "/nul", "/bad-name"]) {
		test(`${path}: an answer with a header that would split it becomes a 500, and no part of it is sent`, async (t) => {
			const text = await raw(t, path);
			assert.match(text, /^HTTP\/1\.1 500 /);
			assert.doesNotMatch(text, /X-A|X-B|X A|split/);
			assert.match(text, /Internal Server Error$/);
		});
	}

	test("an answer has only the loader's framing headers, not the function's", async (t) => {
		const text = await raw(t, "/framing");
		assert.doesNotMatch(text, /transfer-encoding|upgrade/i);
		assert.match(text, /Content-Length: 6\r\n[^]*\r\n\r\nframed$/);
	});

	test("an answer with status 204 has no body and no Content-Length", async (t) => {
		const text = await raw(t, "/no-body");
		assert.match(text, /^HTTP\/1\.1 204 [^]*\r\n\r\n$/);
		assert.doesNotMatch(text, /content-length/i);
	});

	test("the answer to a failed call does not have the function's message and stack; the log has them", async () => {
		const { status, text } = await loader.ask("/throw?a");
		assert.deepEqual([status, text], [500, "Internal Server Error"]);
		const record = await loader.said(({ msg }) => msg === "secret words");
		assert.deepEqual(
			[record.code, record["stack"], record["path"], record.level],
			["FUNCTION_THREW", "at secret.place", "/throw?a", "error"],
		);
	});

	test("BODY_MALFORMED from the worker is answered 400 and does not count as a function failure", async () => {
		const before = (await loader.figures()).sum("function_failures_total");
		assert.equal((await loader.ask("/malformed")).status, 400);
		assert.equal((await loader.figures()).sum("function_failures_total"), before);
	});

	test("a result that cannot be sent is answered 500, and the log describes the result", async () => {
		assert.equal((await loader.ask("/invalid")).status, 500);
		const record = await loader.said(({ msg }) => msg === "a symbol cannot be sent");
		assert.equal(record.code, "RESULT_INVALID");
	});
});

/**
 * Functions that set a header value with a line break, through the API (set) or past its checks
 * (raw).
 */
const INJECTIONS: Record<string, { file: string; source: string }> = {
	nodejs: {
		file: "f.js",
		source:
			"exports.h = ({ data, extensions: { response } }) => { if (data === 'raw') response.writeHead(200, { 'X-A': 'a\\r\\nX-Evil: yes' }); else response.set('X-A', 'a\\r\\nX-Evil: yes'); return 'sent'; }",
	},
	python: {
		file: "f.py",
		source:
			"from bottle import HTTPResponse\n\ndef h(event, context):\n    if event['data'] == b'raw':\n        response = HTTPResponse('sent')\n        response._headers = {'X-A': ['a\\r\\nX-Evil: yes']}\n        return response\n    return HTTPResponse('sent', 200, {'X-A': 'a\\r\\nX-Evil: yes'})\n",
	},
};

everyRuntime("a header with a line break", ({ id, libraries }) => {
	const injection = INJECTIONS[id];
	for (const way of ["set", "raw"]) {
		test(`a header value with a line break (${way}) is answered 500, and no header is injected`, {
			skip: !injection && "no test function in this language",
		}, async (t) => {
			const { file, source } = injection as { file: string; source: string };
			const loader = await startLoader(t, { files: { [file]: source }, env: { MOD_NAME: "f", FUNC_RUNTIME: id, ...libraries() } });
			const { status, headers, text } = await loader.ask({ body: way });
			assert.deepEqual([status, headers["x-evil"], text], [500, undefined, "Internal Server Error"]);
		});
	}
});
