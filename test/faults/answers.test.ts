import assert from "node:assert/strict";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { WireTap } from "../support/wire-tap.ts";

everyRuntime("a streamed answer", ({ serve, speaks }) => {
	test("that its function breaks off is cut, and has no clean end", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "3 10 20 raise";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 200 OK[^]*0{10}[^]*1{10}/);
		assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
		// Whoever has begun to answer over HTTP can only break off: the words are not told.
		const [expected, words] = speaks === "http" ? ["ANSWER_BROKEN", /no whole answer/] : ["FUNCTION_THREW", /broken off/];
		await loader.said(({ code, msg }) => code === expected && words.test(msg ?? ""));
		assert.equal((await loader.figures()).of('function_failures_total{method="POST"}'), 1);
		assert.equal((await loader.ask({ body: "2 2 1" })).text, "0011");
	});

	test("is sent as it is made", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "2 5 1500";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		const begun = performance.now();
		await tap.until(/00000/);
		assert.ok(performance.now() - begun < 1200, "the first piece was held back");
		await tap.until(/11111[^]*\r\n0\r\n\r\n$/);
	});

	test("whose caller leaves is given up, and the next call is served", async (t) => {
		const loader = await serve(t, "streams");
		const tap = await WireTap.open(loader.port, t);
		const body = "1000 100000 1";
		tap.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		await tap.until(/11111/);
		tap.socket.resetAndDestroy();
		const figures = await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.equal(figures.of('function_failures_total{method="POST"}'), 0, "it is the caller's doing");
		assert.equal((await loader.ask({ body: "2 2 1" })).text, "0011");
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("past the time limit is cut", async (t) => {
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
		test(`${path}: that does not come whole is cut: the caller cannot take it for a whole one`, async () => {
			await assert.rejects(loader.ask(path));
			await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
			assert.equal((await loader.ask({ body: "served on" })).text, "served on");
		});
	}

	for (const length of ["0x4", "+4", "4.0", "abc", "4, 4"]) {
		test(`that streams with a Content-Length of "${length}" is a 500, and so is one to HEAD`, async (t) => {
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

	test("whose every byte was sent is whole, also if its process dies before the end", async () => {
		assert.equal((await loader.ask("/die-before-end")).text, "whole");
	});

	test("that breaks off resets the connection of an HTTP/1.0 caller, who could take an orderly end for the answer's", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		let code: string | undefined;
		tap.socket.on("error", (error: NodeJS.ErrnoException) => {
			code = error.code;
		});
		tap.write("GET /die-midway HTTP/1.0\r\n\r\n");
		await tap.untilEnd();
		assert.equal(code, "ECONNRESET");
	});

	test("has what HTTP wants of the loader: a date, a length, and a word on the connection", async () => {
		const { headers } = await loader.ask({ body: "ciao" });
		assert.ok(Math.abs(Date.parse(headers.date ?? "") - Date.now()) < 60_000);
		assert.deepEqual([headers["content-length"], headers.connection], ["4", "close"]);
		assert.equal(headers["content-type"], undefined, "the function said nothing of its type");
	});

	test("has the length of its body, whatever its function says", async (t) => {
		const text = await raw(t, "/length-lie");
		assert.match(text, /\r\nContent-Length: 15\r\n/);
		assert.equal(text.match(/content-length/gi)?.length, 1);
		assert.match(text, /\r\n\r\nmore than three$/);
	});

	for (const path of ["/bare-cr", "/bare-lf", "/nul", "/bad-name"]) {
		test(`${path}: with a header that would split it is a 500, and nothing of it is sent`, async (t) => {
			const text = await raw(t, path);
			assert.match(text, /^HTTP\/1\.1 500 /);
			assert.doesNotMatch(text, /X-A|X-B|X A|split/);
			assert.match(text, /Internal Server Error$/);
		});
	}

	test("is framed by the loader alone", async (t) => {
		const text = await raw(t, "/framing");
		assert.doesNotMatch(text, /transfer-encoding|upgrade/i);
		assert.match(text, /Content-Length: 6\r\n[^]*\r\n\r\nframed$/);
	});

	test("of 204 has no body and no length", async (t) => {
		const text = await raw(t, "/no-body");
		assert.match(text, /^HTTP\/1\.1 204 [^]*\r\n\r\n$/);
		assert.doesNotMatch(text, /content-length/i);
	});

	test("of an error says nothing of the function's; the log does", async () => {
		const { status, text } = await loader.ask("/throw?a");
		assert.deepEqual([status, text], [500, "Internal Server Error"]);
		const record = await loader.said(({ msg }) => msg === "secret words");
		assert.deepEqual(
			[record.code, record["stack"], record["path"], record.level],
			["FUNCTION_THREW", "at secret.place", "/throw?a", "error"],
		);
	});

	test("of a body the worker calls malformed is 400 and no failure of the function's", async () => {
		const before = (await loader.figures()).sum("function_failures_total");
		assert.equal((await loader.ask("/malformed")).status, 400);
		assert.equal((await loader.figures()).sum("function_failures_total"), before);
	});

	test("of a result that cannot be sent is 500, and the log says what it was", async () => {
		assert.equal((await loader.ask("/invalid")).status, 500);
		const record = await loader.said(({ msg }) => msg === "a symbol cannot be sent");
		assert.equal(record.code, "RESULT_INVALID");
	});
});

/** Functions that put a line break into a header's value. */
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
		test(`(${way}) is a 500, and nothing is injected`, { skip: !injection && "no function for it" }, async (t) => {
			const { file, source } = injection as { file: string; source: string };
			const loader = await startLoader(t, { files: { [file]: source }, env: { MOD_NAME: "f", FUNC_RUNTIME: id, ...libraries() } });
			const { status, headers, text } = await loader.ask({ body: way });
			assert.deepEqual([status, headers["x-evil"], text], [500, undefined, "Internal Server Error"]);
		});
	}
});
