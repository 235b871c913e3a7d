import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { folderFor, Pod } from "../../../test/installers/pod.ts";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import { folder, type Loader, startLoader } from "../../../test/support/loader.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";
import { firstOf, WireEnd } from "../../../test/support/wire-end.ts";
import { candidate, csharp, FIRST_LINE as FIRST, missing } from "./support.ts";

// What is special to functions on .NET; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../", import.meta.url));
const examples = (...names: string[]) =>
	Object.fromEntries(names.map((name) => [name, readFileSync(join(home, "examples", name), "utf8")]));
const env = (handler: string, module = "f") => ({ FUNC_RUNTIME: "dotnetcore3.1", MOD_NAME: module, FUNC_HANDLER: handler });

const serve = (owner: Owner, members: string, more: Record<string, string> = {}): Promise<Loader> =>
	startLoader(owner, { files: { "f.cs": csharp(members) }, env: { ...env("handler"), ...more } });

/** Returns the message, the names of the handlers and the stack of a start that fails. */
async function failure(owner: Owner, files: Record<string, string>, handler = "handler"): Promise<string> {
	const worker = new WireEnd(owner, candidate(), firstOf(owner, files), handler);
	const { message, handlers, stack } = await worker.failed();
	return [message, handlers?.join(", "), stack, worker.stderr].join("\n");
}

const TEXT = "text/plain; charset=utf-8";
const JSON_UTF8 = "application/json; charset=utf-8";
const BYTES = "application/octet-stream";

describe("dotnetcore", { skip: missing ?? false }, () => {
	const shared = suiteOwner();

	describe("dotnetcore: what a handler returns", () => {
		const members = `
	public class Person { public string FirstName { get; set; } = "Ada"; public int? Age { get; set; } public string[] Tags { get; } = { "<é>" }; }
	public class Loop { public Loop Self => this; }
	static async IAsyncEnumerable<string> Texts() { yield return "a"; await Task.Yield(); yield return "b"; }
	static async IAsyncEnumerable<int> Numbers() { yield return 1; await Task.Yield(); yield return 2; }
	static async IAsyncEnumerable<Person> People() { yield return new Person(); await Task.Yield(); yield return new Person { Age = 7 }; }
	static async IAsyncEnumerable<T> None<T>() { await Task.Yield(); yield break; }
	static async IAsyncEnumerable<ReadOnlyMemory<byte>> Memories() { yield return new byte[] { 0xff }; await Task.Yield(); yield return new byte[] { 1 }; }
	static async IAsyncEnumerable<byte[]> Blocks() { yield return new byte[] { 0xff }; await Task.Yield(); yield return new byte[] { 0 }; }
	static async Task<object> Later(object value) { await Task.Delay(20); return value; }
	static async Task NoValue() { await Task.Delay(1); }
	class Watched : MemoryStream
	{
		public Watched() : base(new byte[] { 1, 2, 3 }) { }
		protected override void Dispose(bool disposing) { Console.WriteLine("stream disposed"); base.Dispose(disposing); }
	}
	public object handler(Event k8Event, Context k8Context)
	{
		switch ((string)k8Event.Data)
		{
			case "text": return "čšž";
			case "null": return null;
			case "task": return Later("later");
			case "finished task": return Task.FromResult("now");
			case "task of a task": return Task.FromResult(Later(41));
			case "task of null": return Later(null);
			case "task without a value": return NoValue();
			case "finished task without a value": return Task.CompletedTask;
			case "value task": return new ValueTask<string>("valued");
			case "value task, later": return new ValueTask<object>(Later(new { A = 1 }));
			case "value task without a value": return new ValueTask(NoValue());
			case "object": return new Person();
			case "anonymous": return new { Some = "thing", Inner = new { When = new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc) } };
			case "dictionary": return new Dictionary<string, object> { ["Key"] = new[] { 1, 2 } };
			case "list": return new[] { "a", null };
			case "number": return 42;
			case "fraction": return 1.5m;
			case "true": return true;
			case "bytes": return new byte[] { 0xff, 0, 10 };
			case "memory": return new ReadOnlyMemory<byte>(new byte[] { 0xff, 0, 10 }, 1, 2);
			case "stream": return new Watched();
			case "texts": return Texts();
			case "numbers": return Numbers();
			case "people": return People();
			case "no people": return None<Person>();
			case "no texts": return None<string>();
			case "nothing": return None<object>();
			case "memories": return Memories();
			case "blocks": return Blocks();
			case "text or bytes": return Mixed();
			case "lazy": return Enumerable.Range(1, 3).Select(n => n * 2);
			case "not found": return new NotFoundObjectResult(new { Why = "gone" });
			case "created": return new CreatedResult("/here", "made");
			case "status": return new StatusCodeResult(202);
			case "file": return new FileContentResult(new byte[] { 1 }, "image/png") { FileDownloadName = "a é.png" };
			case "redirect": return new RedirectResult("/there");
			case "typed result": return new ActionResult<Person>(new Person());
			case "view": return new ViewResultOfSomebody();
			case "nan": return double.NaN;
			case "loop": return new Loop();
			case "function": return (Func<int>)(() => 1);
			case "failed task": return Task.FromException(new InvalidOperationException("too late"));
			case "cancelled task": return Task.FromCanceled(new CancellationToken(true));
			default: throw new ArgumentException(k8Event.Data.ToString());
		}
	}
	static async IAsyncEnumerable<object> Mixed() { yield return "a"; await Task.Yield(); yield return 1; }
	class ViewResultOfSomebody : IActionResult { public Task ExecuteResultAsync(ActionContext context) => Task.CompletedTask; }
`;
		let served: Promise<Loader> | undefined;
		const answer = async (body: string) => {
			served ??= serve(shared, members);
			return (await served).ask({ body });
		};

		for (const [given, type, text, status = 200] of [
			["text", TEXT, "čšž"],
			["null", undefined, ""],
			["task", TEXT, "later"],
			["finished task", TEXT, "now"],
			["task of a task", JSON_UTF8, "41"],
			["task of null", undefined, ""],
			["task without a value", undefined, ""],
			["finished task without a value", undefined, ""],
			["value task", TEXT, "valued"],
			["value task, later", JSON_UTF8, '{"a":1}'],
			["value task without a value", undefined, ""],
			["object", JSON_UTF8, '{"firstName":"Ada","age":null,"tags":["<é>"]}'],
			["anonymous", JSON_UTF8, '{"some":"thing","inner":{"when":"2020-02-03T04:05:06Z"}}'],
			["dictionary", JSON_UTF8, '{"Key":[1,2]}'],
			["list", JSON_UTF8, '["a",null]'],
			["number", JSON_UTF8, "42"],
			["fraction", JSON_UTF8, "1.5"],
			["true", JSON_UTF8, "true"],
			["texts", TEXT, "ab"],
			["numbers", JSON_UTF8, "[1,2]"],
			["people", JSON_UTF8, '[{"firstName":"Ada","age":null,"tags":["<é>"]},{"firstName":"Ada","age":7,"tags":["<é>"]}]'],
			["no people", JSON_UTF8, "[]"],
			["no texts", undefined, ""],
			["nothing", undefined, ""],
			["lazy", JSON_UTF8, "[2,4,6]"],
			["not found", JSON_UTF8, '{"why":"gone"}', 404],
			["created", TEXT, "made", 201],
			["status", undefined, "", 202],
			["redirect", undefined, "", 302],
			["typed result", JSON_UTF8, '{"firstName":"Ada","age":null,"tags":["<é>"]}'],
		] as const) {
			test(`dotnetcore: ${given}`, async () => {
				const got = await answer(given);
				assert.deepEqual([got.status, got.headers["content-type"], got.text], [status, type, text]);
			});
		}

		for (const [given, hex] of [
			["bytes", "ff000a"],
			["memory", "000a"],
			["stream", "010203"],
			["blocks", "ff00"],
			["memories", "ff01"],
		] as const) {
			test(`dotnetcore: ${given}, as they are`, async () => {
				const { status, headers, body } = await answer(given);
				assert.deepEqual([status, headers["content-type"], body.toString("hex")], [200, BYTES, hex]);
			});
		}

		test("dotnetcore: a file, with its name", async () => {
			const { headers, body } = await answer("file");
			assert.deepEqual([headers["content-type"], body.toString("hex")], ["image/png", "01"]);
			assert.match(headers["content-disposition"] ?? "", /^attachment; .*filename\*=UTF-8''a%20%C3%A9\.png/);
		});

		test("dotnetcore: where a result says the caller has to go", async () => {
			assert.equal((await answer("created")).headers.location, "/here");
			assert.equal((await answer("redirect")).headers.location, "/there");
		});

		test("dotnetcore: a stream is disposed of", async () => {
			const { call } = await (await (served as Promise<Loader>)).said(({ msg }) => msg === "stream disposed");
			assert.ok(call, "the log names the call");
		});

		for (const [given, code, reason] of [
			["nan", "RESULT_INVALID", /Double.*JSON/],
			["loop", "RESULT_INVALID", /Loop/],
			["function", "RESULT_INVALID", /Func/],
			["view", "RESULT_INVALID", /ViewResultOfSomebody/],
			["failed task", "FUNCTION_THREW", /^System\.InvalidOperationException: too late$/],
			["cancelled task", "FUNCTION_THREW", /TaskCanceledException/],
			["anything else", "FUNCTION_THREW", /^System\.ArgumentException: anything else$/],
		] as const) {
			test(`dotnetcore: ${given} is a 500, and the log says why`, async () => {
				const { status, text } = await answer(given);
				assert.deepEqual([status, text], [500, "Internal Server Error"]);
				await (await (served as Promise<Loader>)).said((record) => record.code === code && reason.test(record.msg ?? ""));
			});
		}

		test("dotnetcore: a stream of text that goes on with a number is broken off, and the log says why", async () => {
			await assert.rejects(answer("text or bytes"));
			await (await (served as Promise<Loader>)).said(({ msg }) => /streamed text or bytes, and then System\.Int32/.test(msg ?? ""));
		});
	});

	describe("dotnetcore: the event and its request", () => {
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

		test("dotnetcore: data is a JsonElement where the body says that it is JSON, else text", async () => {
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

		test("dotnetcore: JSON that is none is 400, and the handler is not called", async () => {
			for (const body of ['{"a":', "[1,]", '"\xff"', `${"[".repeat(2000)}`]) {
				const { status } = await ask({ path: "/data", headers: JSON_TYPE, body: Buffer.from(body, "latin1") });
				assert.equal(status, 400, body.slice(0, 20));
			}
		});

		test("dotnetcore: the body is there byte for byte too", async () => {
			const body = Buffer.from([0xff, 0, 0x0d, 0x0a]);
			assert.deepEqual((await ask({ path: "/bytes", body })).body, body);
		});

		test("dotnetcore: what the caller does not say of the event is null", async () => {
			const none = { eventId: null, eventType: null, eventTime: null, eventNamespace: null, source: null, none: null };
			assert.deepEqual(await told("/ids"), none);
			const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/s", "event-namespace": "ignored?" };
			const { eventId, eventType, source } = await told({ path: "/ids", headers, body: "x" });
			assert.deepEqual([eventId, eventType, source], ["1", "t", "/s"]);
		});

		test("dotnetcore: the context has Kubeless's names, and all of it is text", async () => {
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

		test("dotnetcore: the request is ASP.NET Core's", async () => {
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

		test("dotnetcore: a form is taken apart, and the body can be read although the event has it", async () => {
			const headers = { "Content-Type": "application/x-www-form-urlencoded" };
			assert.deepEqual(await told({ path: "/form", headers, body: "a=%C4%8D+1&b=1&b=2" }), { a: "č 1", both: ["1", "2"] });
			assert.equal((await ask({ path: "/read", body: "read" })).text, "read");
		});

		test("dotnetcore: what is written to the response is the answer, with its status and headers at the time", async () => {
			const { status, headers, text } = await ask({ path: "/write" });
			assert.deepEqual(
				[status, headers["content-type"], headers["x-late"], headers["set-cookie"], text],
				[207, "text/csv", "yes", ["a=1; path=/"], "a;b"],
			);
		});

		test("dotnetcore: an event can be made by a test of the user's", async () => {
			assert.equal((await ask("/event")).text, "made");
		});
	});

	describe("dotnetcore: the answer's status and headers", () => {
		const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		var response = k8Event.Extensions.HttpResponse;
		switch ((string)k8Event.Data)
		{
			case "status": response.StatusCode = 99; return "x";
			case "line break": response.Headers["X-A"] = "a\\r\\nX-B: b"; return "x";
			case "beyond": response.Headers["X-A"] = "日本"; return "x";
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

		test("dotnetcore: are the function's, the length is not", async () => {
			const { status, headers, text } = await ask("");
			assert.deepEqual([status, headers["content-type"], headers["content-length"], text], [200, "a/b", "7", '{"a":1}']);
			assert.equal(Buffer.from((await ask("beyond")).headers["x-a"] as string, "latin1").toString(), "日本");
		});

		for (const body of ["status", "line break", "throws after", "aborts"]) {
			test(`dotnetcore: ${body}: is a 500 with nothing of it`, async () => {
				const { status, headers, text } = await ask(body);
				assert.deepEqual([status, headers["x-a"], headers["x-b"], text], [500, undefined, undefined, "Internal Server Error"]);
			});
		}

		test("dotnetcore: an answer that was begun and fails is cut", async () => {
			await assert.rejects(ask("writes and throws"));
			await (await (served as Promise<Loader>)).said(({ msg }) => /half way/.test(msg ?? ""));
		});
	});

	describe("dotnetcore: which handler it is", () => {
		const inNamespace =
			"using Kubeless.Functions;\nnamespace Deep.Down { public class f { public object handler(Event e, Context c) => GetType().FullName; } }\n";

		test("dotnetcore: its class may be in a namespace", async (t) => {
			const loader = await startLoader(t, { files: { "f.cs": inNamespace }, env: env("handler") });
			assert.equal((await loader.ask()).text, "Deep.Down.f");
		});

		test("dotnetcore: the class named like the file comes before others, and one object of it serves all calls", async (t) => {
			const files = {
				"f.cs": `using System.Threading; using Kubeless.Functions;
public class other { public object handler(Event e, Context c) => "other"; }
public class f { int calls; public f() { System.Console.WriteLine("made"); } public object handler(Event e, Context c) => Interlocked.Increment(ref calls); }
`,
			};
			const loader = await startLoader(t, { files, env: env("handler") });
			const answers = await Promise.all(Array.from({ length: 40 }, () => loader.ask()));
			assert.deepEqual(
				answers.map(({ text }) => Number(text)).sort((a, b) => a - b),
				Array.from({ length: 40 }, (_, i) => i + 1),
			);
			assert.equal(loader.records.filter(({ msg }) => msg === "made").length, 1);
		});

		test("dotnetcore: it may be static, inherited, or found by its name alone", async (t) => {
			const files = {
				"f.cs": `using Kubeless.Functions;
public class Base { public string Inherited(Event e, Context c) => GetType().Name; }
public class Derived : Base { }
public static class Statics { public static int Fixed(Event e, Context c) => 7; private static int Hidden(Event e, Context c) => 8; }
`,
			};
			const served = async (name: string, module?: string) => (await (await startLoader(t, { files, env: env(name, module) })).ask()).text;
			assert.equal(await served("Fixed"), "7");
			assert.equal(await served("fixed"), "7");
			assert.match(await failure(t, files, "Hidden"), /no handler Hidden/);
		});

		test("dotnetcore: one that is not there, is there twice, or cannot be made is said, with the names there are", async (t) => {
			const one = (name: string, members = "") =>
				`public class ${name} { ${members} public object handler(Event e, Context c) => 1; public object more(Event e, Context c) => 2; }\n`;
			const using = "using Kubeless.Functions;\n";
			const none = await failure(t, { "f.cs": using + one("f") }, "missing");
			assert.match(
				none,
				/no handler missing\. Set FUNC_HANDLER to an existing one, or add a public method that takes \(Kubeless\.Functions\.Event, Kubeless\.Functions\.Context\)/,
			);
			assert.match(none, /handler, more/);
			assert.match(
				await failure(t, { "f.cs": using + one("a") + one("b") }),
				/Several classes have a handler handler \(a, b\)\. Name one of the classes f, like the file/,
			);
			assert.match(await failure(t, { "f.cs": using + one("f", "public f(int n) { }") }), /class f has no constructor without parameters/);
			const thrown = await failure(t, { "f.cs": using + one("f", '\n\npublic f() { throw new System.Exception("not today"); }') });
			assert.match(thrown, /System\.Exception: not today[^]*f\.cs:line 4/);
			const wrong = await failure(t, { "f.cs": `${using}public class f { public object handler(Event e) => 1; }` });
			assert.match(wrong, /There is no handler\. Add a public method/);
		});
	});

	describe("dotnetcore: the languages", () => {
		test("dotnetcore: F#, of a module or a class, with async too", async (t) => {
			const served = async (handler: string) => startLoader(t, { files: examples("fsharp.fs"), env: env(handler, "fsharp") });
			assert.equal((await (await served("handler")).ask({ body: "Ada" })).text, "hello Ada from F#");
			assert.equal((await (await served("later")).ask()).text, "hello later");
			// As Kubeless's own example has it: a type and a module of one name.
			const kubeless = `namespace functions
open Kubeless.Functions
type f = unit
module f =
    let rec handler (k8Event: Event, k8Context: Context) : string = "Hello " + k8Event.Data.ToString()
`;
			const loader = await startLoader(t, { files: { "f.fs": kubeless }, env: env("handler") });
			assert.equal((await loader.ask({ body: "Bob" })).text, "Hello Bob");
		});

		test("dotnetcore: Visual Basic", async (t) => {
			const loader = await startLoader(t, { files: examples("basic.vb"), env: env("handler", "basic") });
			assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada from Visual Basic");
		});

		test("dotnetcore: each compiler's own message is printed with file and line", async (t) => {
			const broken: [string, string, RegExp][] = [
				[
					"f.cs",
					csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;"),
					new RegExp(`f\\.cs\\(${FIRST},\\d+\\): error CS0103: .*'undefinedName'`),
				],
				[
					"f.fs",
					"module f\n\nopen Kubeless.Functions\n\nlet handler (e: Event, c: Context) : obj = undefinedName\n",
					/f\.fs\(5,\d+\): error FS0039: .*'undefinedName'/,
				],
				[
					"f.vb",
					"Imports Kubeless.Functions\nPublic Class f\nPublic Function handler(e As [Event], c As Context) As Object\nReturn undefinedName\nEnd Function\nEnd Class\n",
					/f\.vb\(4\) : error BC30451: 'undefinedName'/,
				],
			];
			for (const [name, text, message] of broken) {
				const said = await failure(t, { [name]: text });
				assert.match(said, message);
				assert.doesNotMatch(said, /[^"]\/tmp\/[^ ]*\/(scratch|publish)|warning/);
			}
		});

		test("dotnetcore: warnings are no mistakes", async (t) => {
			const loader = await serve(
				t,
				`	[Obsolete("old")] static string Old() => "old";
	public async Task<object> handler(Event k8Event, Context k8Context) { int unused; return Old(); }`,
			);
			assert.equal((await loader.ask()).text, "old");
		});

		test("dotnetcore: files beside it are compiled with it where it needs them, and may be broken where it does not", async (t) => {
			const files = {
				"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => Words.Word;"),
				"part/Words.cs": 'static class Words { internal const string Word = "beside"; }',
			};
			assert.equal((await (await startLoader(t, { files, env: env("handler") })).ask()).text, "beside");
			const alone = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "alone";'), "broken.cs": "no C#" };
			assert.equal((await (await startLoader(t, { files: alone, env: env("handler") })).ask()).text, "alone");
		});
	});

	describe("dotnetcore: while it runs", () => {
		test("dotnetcore: the deadline and a caller who goes cancel the token, and the request is aborted", async (t) => {
			const members = `
	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "warm") return "warm";
		var token = (string)k8Event.Data == "request" ? k8Event.Extensions.HttpRequest.HttpContext.RequestAborted : k8Context.CancellationToken;
		if ((string)k8Event.Data == "request") Console.WriteLine("waits");
		try
		{
			await Task.Delay(600000, token);
		}
		catch (OperationCanceledException)
		{
			Console.WriteLine("cancelled " + k8Event.Data);
			throw;
		}
		return "slept";
	}`;
			const loader = await serve(t, members, { FUNC_TIMEOUT: "5" });
			await loader.ask({ body: "warm" }); // .NET compiles the handler at its first call
			assert.equal((await loader.ask({ body: "deadline" })).status, 408);
			await loader.said(({ msg }) => msg === "cancelled deadline");
			const gone = new AbortController();
			const call = loader.ask({ body: "request", signal: gone.signal });
			const rejected = assert.rejects(call);
			await loader.said(({ msg }) => msg === "waits");
			gone.abort();
			await rejected;
			await loader.said(({ msg }) => msg === "cancelled request");
			assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0, "a worker was replaced");
		});

		test("dotnetcore: a caller who goes interrupts a thread that sleeps, and no other", async (t) => {
			const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "long") Console.WriteLine("sleeps");
		try
		{
			Thread.Sleep((string)k8Event.Data == "long" ? 600000 : 2);
			return "slept";
		}
		catch (ThreadInterruptedException)
		{
			Console.WriteLine("interrupted");
			throw;
		}
	}`;
			const loader = await serve(t, members);
			const gone = new AbortController();
			const call = loader.ask({ body: "long", signal: gone.signal });
			const rejected = assert.rejects(call);
			await loader.said(({ msg }) => msg === "sleeps");
			gone.abort();
			await rejected;
			await loader.said(({ msg }) => msg === "interrupted");
			for (let i = 0; i < 30; i++) assert.equal((await loader.ask()).text, "slept");
			assert.equal(loader.records.filter(({ msg }) => msg === "interrupted").length, 1);
		});

		test("dotnetcore: output of tasks and threads of a call names the call, also without a line break", async (t) => {
			const members = `
	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		await Task.Run(() => Console.Write("half "));
		var thread = new Thread(() => Console.WriteLine("a line"));
		thread.Start();
		thread.Join();
		Console.Error.Write("no break");
		return "printed";
	}`;
			const loader = await serve(t, members);
			await loader.ask();
			const whole = await loader.said(({ msg }) => msg === "half a line");
			const rest = await loader.said(({ msg }) => msg === "no break");
			assert.deepEqual([whole.stream, rest.stream], ["stdout", "stderr"]);
			assert.ok(whole["call"] !== undefined && whole["call"] === rest["call"]);
		});

		test("dotnetcore: an exception has the user's file and line in its stack, and nothing of the worker's", async (t) => {
			const members = `	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		await Task.Yield();
		throw new InvalidOperationException("outer", new ArgumentException("inner"));
	}`;
			const loader = await serve(t, members);
			assert.equal((await loader.ask()).status, 500);
			const { msg, stack } = await loader.said(({ code }) => code === "FUNCTION_THREW");
			assert.equal(msg, "System.InvalidOperationException: outer");
			assert.match(String(stack), new RegExp(`ArgumentException: inner[^]*at f\\.handler.*f\\.cs:line ${FIRST + 3}`));
			assert.doesNotMatch(String(stack), /Kubeless\.Worker/);
		});

		test("dotnetcore: Environment.Exit and a failure on a thread of its own end the process; another one takes over", async (t) => {
			const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "exit") Environment.Exit(3);
		if ((string)k8Event.Data == "thread") { new Thread(() => throw new Exception("on a thread of its own")).Start(); Thread.Sleep(20000); }
		return "fine";
	}`;
			const loader = await serve(t, members);
			for (const body of ["exit", "thread"]) {
				assert.equal((await loader.ask({ body })).status, 502);
				assert.equal((await loader.ask()).text, "fine");
			}
			await loader.said(({ msg }) => /on a thread of its own/.test(msg ?? ""));
		});
	});

	describe("dotnetcore: projects", () => {
		/** The example with a package, in a folder of its own. */
		const deps = (owner: Owner) => {
			const volume = folder(owner);
			cpSync(join(home, "examples/deps"), volume, { recursive: true });
			return volume;
		};
		const project = (more: string) =>
			`<Project Sdk="Microsoft.NET.Sdk">\n<PropertyGroup><TargetFramework>netcoreapp2.1</TargetFramework></PropertyGroup>\n${more}\n</Project>\n`;
		/** No source of packages, so that no network is asked. */
		const SOURCES = "<configuration><packageSources><clear /></packageSources></configuration>";

		test("dotnetcore: a package of a folder is used, and Kubeless.Functions is the worker's own, whatever version the project wants", async (t) => {
			const loader = await startLoader(t, { volume: deps(t), env: env("handler", "deps") });
			assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
		});

		test("dotnetcore: an empty project file is none, as Kubeless makes one for every function", async (t) => {
			const files = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "empty";'), "project.csproj": " \n" };
			const loader = await startLoader(t, { files, env: env("handler") });
			assert.equal((await loader.ask()).text, "empty");
			assert.deepEqual(readdirSync(loader.volume).sort(), ["f.cs", "project.csproj"]);
		});

		test("dotnetcore: a project's settings and resources count, of a library, a program or a web application", async (t) => {
			const handler = `	public object handler(Event k8Event, Context k8Context)
	{
#if MINE
		using (var reader = new StreamReader(GetType().Assembly.GetManifestResourceStream("words.txt"))) return reader.ReadToEnd() + GetType().Assembly.GetName().Name;
#endif
	}`;
			const settings = (
				type: string,
			) => `<PropertyGroup><OutputType>${type}</OutputType><AssemblyName>Named</AssemblyName><DefineConstants>MINE</DefineConstants></PropertyGroup>
<ItemGroup><EmbeddedResource Include="words.txt" LogicalName="words.txt" /></ItemGroup>`;
			const files = { "f.cs": csharp(handler), "words.txt": "embedded in ", "nuget.config": SOURCES };
			const library = { ...files, "f.csproj": project(settings("Library")) };
			assert.equal((await (await startLoader(t, { files: library, env: env("handler") })).ask()).text, "embedded in Named");
			const web = project(settings("Exe")).replace("NET.Sdk", "NET.Sdk.Web").replace("2.1", "3.1");
			const program = { ...files, "f.csproj": web, "Main.cs": "class Program { static void Main() { } }" };
			const loader = await startLoader(t, { files: program, env: env("handler") });
			assert.equal((await loader.ask()).text, "embedded in Named");
			assert.deepEqual(readdirSync(loader.volume).sort(), Object.keys(program).sort(), "nothing is left in the function's folder");
		});

		test("dotnetcore: a project in F#", async (t) => {
			const files = {
				"words.fs": 'module words\nlet word = "two files"\n',
				"f.fs": "module f\nopen Kubeless.Functions\nlet handler (e: Event, c: Context) : obj = box words.word\n",
				"f.fsproj": project(
					'<PropertyGroup><DisableImplicitFSharpCoreReference>true</DisableImplicitFSharpCoreReference></PropertyGroup><ItemGroup><Compile Include="words.fs" /><Compile Include="f.fs" /><Reference Include="FSharp.Core" HintPath="$(MSBuildToolsPath)/FSharp/FSharp.Core.dll" /></ItemGroup>',
				),
				"nuget.config": SOURCES,
			};
			const loader = await startLoader(t, { files, env: env("handler") });
			assert.equal((await loader.ask()).text, "two files");
		});

		test("dotnetcore: a mistake in a project's file is printed with file and line", async (t) => {
			const files = {
				"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;"),
				"f.csproj": project(""),
				"nuget.config": SOURCES,
			};
			assert.match(await failure(t, files), new RegExp(`f\\.cs\\(${FIRST},\\d+\\): error CS0103: .*'undefinedName'`));
		});

		test("dotnetcore: a package that is not to be had is named", async (t) => {
			const wants = project('<ItemGroup><PackageReference Include="No.Such.Package" Version="1.0.0" /></ItemGroup>');
			const files = {
				"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => 1;"),
				"f.csproj": wants,
				"nuget.config": SOURCES,
			};
			assert.match(await failure(t, files), /f\.csproj : error NU110\d: .*No\.Such\.Package/);
		});
	});

	describe("dotnetcore: Kubeless's phases", () => {
		const compiled = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "compiled";'), "project.csproj": "" };
		const source = () =>
			Object.fromEntries(
				["deps.cs", "project.csproj", "nuget.config", "feed/Words.1.0.0.nupkg"].map((name) => [
					name,
					readFileSync(join(home, "examples/deps", name)),
				]),
			);

		test("dotnetcore: compile leaves what a start needs in publish, and no more", async (t) => {
			const pod = new Pod(t, { runtime: "dotnetcore", files: compiled });
			const { code, output, log } = await pod.run("compile");
			assert.deepEqual([code, log], [0, ""], output);
			assert.deepEqual(
				pod.listing.filter((name) => !name.startsWith("publish/")),
				["f.cs", "project.csproj", "publish"],
			);
			assert.ok(pod.has("publish/function.dll"));
			const cache = folder(t);
			const loader = await startLoader(t, { volume: pod.volume, env: { ...env("handler"), KUBELESS_LOADER_CACHE: cache } });
			assert.equal((await loader.ask()).text, "compiled");
			const kept = () => readdirSync(join(cache, "dotnetcore.compiled")).filter((name) => name.startsWith("function-"));
			assert.deepEqual(kept(), [], "it was not compiled again");
			// What was compiled is not taken for what was written since.
			writeFileSync(join(pod.volume, "f.cs"), compiled["f.cs"].replace("compiled", "written since"));
			const since = await startLoader(t, { volume: pod.volume, env: { ...env("handler"), KUBELESS_LOADER_CACHE: cache } });
			assert.equal((await since.ask()).text, "written since");
			assert.equal(kept().length, 1);
		});

		test("dotnetcore: compile brings the packages too, and lists them", async (t) => {
			const pod = new Pod(t, { runtime: "dotnetcore", depsFile: "project.csproj", files: source() });
			const { code, output } = await pod.run("compile");
			assert.equal(code, 0, output);
			assert.ok(pod.has("publish/words.dll") && !pod.has("packages") && !pod.has("publish/Kubeless.Functions.dll"));
			const listed = pod.bom().components.map(({ name, version, purl }) => [name, version, purl]);
			assert.deepEqual(listed, [["Words", "1.0.0", "pkg:nuget/Words@1.0.0"]]);
			const loader = await startLoader(t, { volume: pod.volume, env: env("handler", "deps") });
			assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
		});

		test("dotnetcore: the next pod has what was compiled from the cache, and another function has not", async (t) => {
			const cache = { KUBELESS_CACHE: folderFor(t) };
			const compile = async (files: Record<string, string>) => {
				const pod = new Pod(t, { runtime: "dotnetcore", files });
				const { code, output } = await pod.run("compile", cache);
				assert.equal(code, 0, output);
				return { pod, taken: /Taken from the cache/.test(output) };
			};
			assert.equal((await compile(compiled)).taken, false);
			const { pod, taken } = await compile(compiled);
			assert.ok(taken && pod.has("publish/function.dll"));
			assert.equal((await compile({ ...compiled, "f.cs": compiled["f.cs"].replace("compiled", "changed") })).taken, false);
		});

		test("dotnetcore: what was installed in a phase of its own is what compiling takes", async (t) => {
			const pod = new Pod(t, { runtime: "dotnetcore", depsFile: "project.csproj", files: source() });
			const installed = await pod.run("install");
			assert.equal(installed.code, 0, installed.output);
			assert.ok(existsSync(join(pod.volume, "packages/words/1.0.0")));
			assert.deepEqual(
				pod.bom().components.map(({ name, hashes }) => [name, hashes?.[0]?.alg]),
				[["Words", "SHA-512"]],
			);
			const loader = await startLoader(t, { volume: pod.volume, env: env("handler", "deps") });
			assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
		});

		test("dotnetcore: what is wrong is in the termination message, with what to do about it", async (t) => {
			const broken = { "f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;") };
			const mistake = await new Pod(t, { runtime: "dotnetcore", files: broken }).run("compile");
			assert.equal(mistake.code, 1);
			assert.match(
				mistake.log,
				new RegExp(`^Cannot compile the function in .*: the messages below name the line\\.\n[^]*f\\.cs\\(${FIRST},\\d+\\): error CS0103`),
			);
			const { "feed/Words.1.0.0.nupkg": _, ...without } = source();
			const unknown = await new Pod(t, { runtime: "dotnetcore", files: { ...without, "feed/empty": "" } }).run("compile");
			assert.match(unknown.log, /is not in the package sources: check its name[^]*NU1101.*Words/);
			const nonsense = await new Pod(t, {
				runtime: "dotnetcore",
				files: { ...compiled, "project.csproj": "<Project><oops></Project>" },
			}).run("compile");
			assert.match(nonsense.log, /is not valid for MSBuild[^]*project\.csproj\(1,\d+\)/);
			const empty = await new Pod(t, { runtime: "dotnetcore", files: { "f.txt": "" } }).run("compile");
			assert.match(empty.log, /There is no file of C#, F# or Visual Basic/);
		});
	});
});
