import assert from "node:assert/strict";
import test, { before } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { JSON_TYPE } from "../support/ask.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";

everyRuntime("the event", ({ serve, lacks }) => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await serve(owner, "types");
	});
	const types = async (asked: Parameters<Loader["ask"]>[0]) => {
		const { status, text } = await loader.ask(asked);
		assert.equal(status, 200, text);
		return JSON.parse(text);
	};

	test("has id, type, time and namespace from the event-* headers, in any case", async () => {
		const headers = { "EVENT-ID": "1", "Event-Type": "greeting", "event-time": "now", "Event-Namespace": "tests" };
		const { id, type, time, namespace } = await types({ body: "x", headers });
		assert.deepEqual([id, type, time, namespace], ["1", "greeting", "now", "tests"]);
	});

	for (const time of [
		"2018-05-18T05:40:42Z",
		"2018-05-18 05:40:42.881137473 +0000 UTC m=+0.01",
		"2021-05-03 11:48:02+00:00",
		"2021-05-03T11:48:02.123Z",
		"the day before yesterday",
	]) {
		test(`has the event-time header unchanged: ${time}`, async () => {
			assert.equal((await types({ body: "x", headers: { "event-time": time } })).time, time);
		});
	}

	for (const type of [
		"application/json",
		"application/json; charset=utf-8",
		"Application/JSON",
		"application/vnd.api+json",
		"application/problem+json;a=b",
	]) {
		test(`has data for a body of type ${type}, parsed if the language parses JSON`, async () => {
			const body = '{"a":[1,"č"]}';
			const { data } = await types({ body, headers: { "Content-Type": type } });
			// Functions in Go and Java get the text of a JSON body.
			assert.ok(data === body || isDeepStrictEqual(data, JSON.parse(body)), JSON.stringify(data));
		});
	}

	for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json-ish"]) {
		test(`has unchanged data for a body of type ${type}`, async () => {
			assert.equal((await types({ body: '{"a":1}', headers: { "Content-Type": type } })).data, '{"a":1}');
		});
	}

	test("of a GET with a JSON type and no body, as a CronJobTrigger sends, is valid", async () => {
		const headers = { ...JSON_TYPE, "Event-Id": "pod-1", "Event-Namespace": "cronjobtrigger.kubeless.io" };
		const { id, namespace } = await types({ headers });
		assert.deepEqual([id, namespace], ["pod-1", "cronjobtrigger.kubeless.io"]);
	});

	test("of a POST with a JSON type and an empty body is valid", async () => {
		assert.equal((await loader.ask({ method: "POST", headers: { ...JSON_TYPE, "Content-Length": "0" } })).status, 200);
	});

	for (const body of ['{"a":', "{'a': 1}", "nul", '{"a":1} x', '"\u0001"']) {
		test(`a malformed JSON body is passed on to a function that gets text: ${JSON.stringify(body)}`, {
			skip: lacks["json"] === undefined && "its functions get parsed JSON",
		}, async () => {
			assert.equal((await loader.ask({ body, headers: JSON_TYPE })).status, 200);
		});

		test(`a malformed JSON body is answered 400 without a call: ${JSON.stringify(body)}`, { skip: lacks["json"] ?? false }, async () => {
			const before = await loader.figures();
			const { status, headers } = await loader.ask({ body, headers: JSON_TYPE });
			assert.equal(status, 400);
			assert.equal(headers["access-control-allow-origin"], "*");
			const after = await loader.figures();
			assert.equal(after.sum("function_calls_total"), before.sum("function_calls_total"), "the function was not called");
			assert.equal(after.sum("function_failures_total"), before.sum("function_failures_total"));
		});
	}

	test("has all characters of the headers, also non-ASCII ones", async () => {
		// Header bytes are ISO-8859-1 to HTTP; with a body that is a string Node.js would send them as
		// UTF-8.
		const { id, type } = await types({ body: Buffer.from("x"), headers: { "event-id": 'quo"te \\ tab\t', "event-type": "ol\u00e9" } });
		assert.deepEqual([id.trim(), type], ['quo"te \\ tab', "ol\u00e9"]);
	});
});

everyRuntime("the answer", ({ serve }) => {
	test("of a function that returns bytes has these bytes as the body", async (t) => {
		const loader = await serve(t, "bytes");
		assert.deepEqual([...(await loader.ask()).body], [...Array(256).keys()]);
	});

	test("has the status and headers that the function set, with repeated headers", async (t) => {
		const loader = await serve(t, "headers");
		const { status, headers, text } = await loader.ask();
		assert.deepEqual([status, text], [201, "made"]);
		assert.match(headers["content-type"] ?? "", /^text\/plain/);
		assert.deepEqual([headers["x-name"], headers["set-cookie"]], ["Ada", ["a=1", "b=2"]]);
		assert.equal(headers["access-control-allow-origin"], "*");
	});

	test("of an empty result is 200 with an empty body, not 204", async (t) => {
		const loader = await serve(t, "echoes");
		const { status, body, headers } = await loader.ask({ method: "POST", headers: { "Content-Length": "0" } });
		assert.deepEqual([status, body.length, headers["content-length"]], [200, 0, "0"]);
	});

	test("of an error is 500 and counted, and its message is in the log only", async (t) => {
		const loader = await serve(t, "raises");
		const { status, text } = await loader.ask({ body: "a secret" });
		assert.deepEqual([status, text], [500, "Internal Server Error"]);
		const record = await loader.said(({ code }) => code === "FUNCTION_THREW");
		assert.match(record.msg ?? "", /a secret/);
		assert.match(String(record["stack"]), /conformance/);
		assert.equal((await loader.figures()).of('function_failures_total{method="POST"}'), 1);
	});

	test("of a function that calls exit is one error, and the worker goes on serving", async (t) => {
		const loader = await serve(t, "exits");
		for (let call = 0; call < 2; call++) assert.equal((await loader.ask()).status, 500);
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("of a result that cannot be sent is 500, and the log names its type", async (t) => {
		const loader = await serve(t, "nonsense");
		assert.equal((await loader.ask()).status, 500);
		const record = await loader.said(({ code }) => code === "RESULT_INVALID");
		assert.ok((record.msg ?? "").length > 10);
	});

	test("comes from a module that is loaded once: its state is kept between calls", async (t) => {
		// One call at a time, so that every language uses one process.
		const loader = await serve(t, "counts", { FUNC_CONCURRENCY: "1" });
		const counts = await Promise.all(Array.from({ length: 10 }, () => loader.ask()));
		assert.deepEqual(
			counts.map(({ text }) => Number(text)).sort((a, b) => a - b),
			[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
		);
	});

	test("has access to the request: method, path, query and headers", async (t) => {
		const loader = await serve(t, "request");
		const { text } = await loader.ask({ path: "/a/b?x=1%202&y", method: "PUT", body: "z", headers: { "X-Name": "Ada" } });
		assert.deepEqual(JSON.parse(text), { method: "PUT", path: "/a/b", query: "1 2", header: "Ada" });
	});

	test("gets the context", async (t) => {
		const env = { FUNC_TIMEOUT: "7", FUNC_MEMORY_LIMIT: "128Mi" };
		const loader = await serve(t, "context", env);
		const context = JSON.parse((await loader.ask()).text);
		assert.deepEqual([context["function-name"], Number(context.timeout), context["memory-limit"]], ["context", 7, "128Mi"]);
	});
});
