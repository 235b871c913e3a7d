import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import type { Loader } from "../../../test/support/loader.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { missing, serve } from "./support.ts";

describe("dotnetcore: the event and its request", { skip: missing ?? false }, () => {
	const shared = suiteOwner();
	const members = `
	private static object Told(object value) => new { kind = value?.GetType().Name, text = value?.ToString() };
	public object handler(Event k8Event, Context k8Context)
	{
		var request = k8Event.Extensions.HttpRequest;
		switch (request.Path.Value)
		{
			case "/data": return Told(k8Event.Data);
			case "/bytes": return k8Event.Bytes;
			case "/ids": return new { k8Event.EventId, k8Event.EventType, k8Event.EventTime, k8Event.EventNamespace, source = k8Event.Extensions["source"], none = k8Event.Extensions["none"] };
			case "/context": return k8Context;
			case "/form": return new { a = (string)request.Form["a"], both = request.Form["b"].ToArray() };
			case "/read": using (var reader = new StreamReader(request.Body)) return reader.ReadToEndAsync();
			case "/write": return Write(request.HttpContext.Response);
			case "/event": return new Event("made", null, null, null, null, k8Event.Extensions).Data;
			default: return new
			{
				request.Method, Path = request.Path.Value, Query = request.QueryString.Value, X = (string)request.Query["x"], Ys = request.Query["y"].ToArray(),
				Host = request.Host.Value, request.ContentType, request.ContentLength, Two = request.Headers["x-two"].ToArray(), None = (string)request.Headers["none"],
				Cookie = request.Cookies["a"], Address = request.HttpContext.Connection.RemoteIpAddress.ToString(),
			};
		}
	}
	private static async Task<object> Write(HttpResponse response)
	{
		response.StatusCode = 207;
		response.ContentType = "text/csv";
		response.Cookies.Append("a", "1");
		response.OnStarting(() => { response.Headers["X-Late"] = "yes"; return Task.CompletedTask; });
		await response.WriteAsync("a;");
		await response.Body.FlushAsync();
		await response.WriteAsync("b");
		return "not sent";
	}
`;
	let served: Promise<Loader> | undefined;
	const ask = async (asked: Parameters<Loader["ask"]>[0]) => {
		served ??= serve(shared, members);
		return (await served).ask(asked);
	};
	const told = async (asked: Parameters<Loader["ask"]>[0]) => JSON.parse((await ask(asked)).text);

	test("Data is a JsonElement if the request declares JSON, otherwise text", async () => {
		const data = (body: string | undefined, type?: string) =>
			told({ path: "/data", method: "POST", headers: type ? { "Content-Type": type } : {}, ...(body !== undefined && { body }) });
		assert.deepEqual(await data('{"a": 1}', "application/json; charset=utf-8"), { kind: "JsonElement", text: '{"a": 1}' });
		assert.deepEqual(await data('{"a":1}', "application/problem+json"), { kind: "JsonElement", text: '{"a":1}' });
		assert.deepEqual(await data("null", "application/json"), { kind: "JsonElement", text: "" });
		assert.deepEqual(await data('{"a":1}', "text/plain"), { kind: "String", text: '{"a":1}' });
		assert.deepEqual(await data("čšž"), { kind: "String", text: "čšž" });
		assert.deepEqual(await data(undefined), { kind: "String", text: "" });
		assert.deepEqual(await data("", "application/json"), { kind: "String", text: "" });
	});

	test("a body that is declared as JSON and is not JSON is a 400, and the handler is not called", async () => {
		for (const body of ['{"a":', "[1,]", '"\xff"', `${"[".repeat(2000)}`]) {
			const { status } = await ask({ path: "/data", headers: JSON_TYPE, body: Buffer.from(body, "latin1") });
			assert.equal(status, 400, body.slice(0, 20));
		}
	});

	test("Bytes has the body byte for byte", async () => {
		const body = Buffer.from([0xff, 0, 0x0d, 0x0a]);
		assert.deepEqual((await ask({ path: "/bytes", body })).body, body);
	});

	test("the fields of the event that the caller did not send are null", async () => {
		const none = { eventId: null, eventType: null, eventTime: null, eventNamespace: null, source: null, none: null };
		assert.deepEqual(await told("/ids"), none);
		const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/s", "event-namespace": "ignored?" };
		const { eventId, eventType, source } = await told({ path: "/ids", headers, body: "x" });
		assert.deepEqual([eventId, eventType, source], ["1", "t", "/s"]);
	});

	test("the context has Kubeless's names, and all its values are text", async () => {
		const { cancellationToken: _, ...context } = await told("/context");
		assert.deepEqual(context, {
			moduleName: "f",
			functionName: "handler",
			functionPort: "0",
			timeout: "180",
			runtime: "dotnetcore3.1",
			memoryLimit: "0",
		});
	});

	test("HttpRequest has the values that ASP.NET Core's own server gives it", async () => {
		const headers = [
			"Host",
			"example.com:80",
			"X-Two",
			"1",
			"x-two",
			"2",
			"Cookie",
			"a=b%20c",
			"Content-Type",
			"a/b",
			"Content-Length",
			"3",
		];
		const got = await told({ method: "PUT", path: "/p%20q/%C3%A9?x=%C4%8D+d&y=1&y=2", headers, body: "abc" });
		assert.deepEqual(got, {
			method: "PUT",
			path: "/p q/é",
			query: "?x=%C4%8D+d&y=1&y=2",
			x: "č d",
			ys: ["1", "2"],
			host: "example.com:80",
			contentType: "a/b",
			contentLength: 3,
			two: ["1", "2"],
			none: null,
			cookie: "b c",
			address: "127.0.0.1",
		});
	});

	test("a form is parsed, and the body can be read although the event has it", async () => {
		const headers = { "Content-Type": "application/x-www-form-urlencoded" };
		assert.deepEqual(await told({ path: "/form", headers, body: "a=%C4%8D+1&b=1&b=2" }), { a: "č 1", both: ["1", "2"] });
		assert.equal((await ask({ path: "/read", body: "read" })).text, "read");
	});

	test("what a function writes to HttpResponse is the answer, with the status and headers of that time", async () => {
		const { status, headers, text } = await ask({ path: "/write" });
		assert.deepEqual(
			[status, headers["content-type"], headers["x-late"], headers["set-cookie"], text],
			[207, "text/csv", "yes", ["a=1; path=/"], "a;b"],
		);
	});

	test("a user's own test can construct an Event", async () => {
		assert.equal((await ask("/event")).text, "made");
	});
});

describe("dotnetcore: the response of a function", { skip: missing ?? false }, () => {
	const shared = suiteOwner();
	const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		var response = k8Event.Extensions.HttpResponse;
		switch ((string)k8Event.Data)
		{
			case "status": response.StatusCode = 99; return "x";
			case "line break": response.Headers["X-A"] = "a\\r\\nX-B: b"; return "x";
			case "beyond": response.Headers["X-A"] = "日本"; return "x";
			case "long": response.Headers["X-A"] = new string('a', 1 << 20); return "x";
			case "throws after": response.StatusCode = 201; throw new Exception("after all");
			case "writes and throws": response.WriteAsync("half").Wait(); throw new Exception("half way");
			case "aborts": k8Event.Extensions.HttpRequest.HttpContext.Abort(); return "x";
			default: response.ContentType = "a/b"; response.ContentLength = 99; return new { a = 1 };
		}
	}
`;
	let served: Promise<Loader> | undefined;
	const ask = async (body: string) => {
		served ??= serve(shared, members);
		return (await served).ask({ body });
	};

	test("a function sets the status and the headers of its answer, but not Content-Length", async () => {
		const { status, headers, text } = await ask("");
		assert.deepEqual([status, headers["content-type"], headers["content-length"], text], [200, "a/b", "7", '{"a":1}']);
		assert.equal(Buffer.from((await ask("beyond")).headers["x-a"] as string, "latin1").toString(), "日本");
	});

	for (const body of ["status", "line break", "long", "throws after", "aborts"]) {
		test(`a response that cannot be sent ("${body}") is a 500 without its headers and its body`, async () => {
			const { status, headers, text } = await ask(body);
			assert.deepEqual([status, headers["x-a"], headers["x-b"], text], [500, undefined, undefined, "Internal Server Error"]);
		});
	}

	test("headers over 1 MiB end their own call and not the worker, and the log has the reason", async () => {
		await ask("long");
		const loader = await (served as Promise<Loader>);
		await loader.said(({ code, msg }) => code === "RESULT_INVALID" && /bytes of headers: the limit is/.test(msg ?? ""));
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("an answer that fails after its beginning is cut off, and the log has the reason", async () => {
		await assert.rejects(ask("writes and throws"));
		await (await (served as Promise<Loader>)).said(({ msg }) => /half way/.test(msg ?? ""));
	});
});
