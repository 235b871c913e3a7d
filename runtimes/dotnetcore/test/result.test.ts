import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Loader } from "../../../test/support/loader.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { missing, serve } from "./support.ts";

const TEXT = "text/plain; charset=utf-8";
const JSON_UTF8 = "application/json; charset=utf-8";
const BYTES = "application/octet-stream";

describe("dotnetcore: the result of a handler", { skip: missing ?? false }, () => {
	const shared = suiteOwner();
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
		test(`the result "${given}" has its body, its Content-Type and its status`, async () => {
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
		test(`the bytes of the result "${given}" are sent unchanged`, async () => {
			const { status, headers, body } = await answer(given);
			assert.deepEqual([status, headers["content-type"], body.toString("hex")], [200, BYTES, hex]);
		});
	}

	test("a FileContentResult is sent with its type and its name", async () => {
		const { headers, body } = await answer("file");
		assert.deepEqual([headers["content-type"], body.toString("hex")], ["image/png", "01"]);
		assert.match(headers["content-disposition"] ?? "", /^attachment; .*filename\*=UTF-8''a%20%C3%A9\.png/);
	});

	test("CreatedResult and RedirectResult set the Location header", async () => {
		assert.equal((await answer("created")).headers.location, "/here");
		assert.equal((await answer("redirect")).headers.location, "/there");
	});

	test("a returned stream is disposed when it has been sent", async () => {
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
		test(`the result "${given}" is a 500, and the log has the reason`, async () => {
			const { status, text } = await answer(given);
			assert.deepEqual([status, text], [500, "Internal Server Error"]);
			await (await (served as Promise<Loader>)).said((record) => record.code === code && reason.test(record.msg ?? ""));
		});
	}

	test("a stream of text that continues with a number is broken off, and the log has the reason", async () => {
		await assert.rejects(answer("text or bytes"));
		await (await (served as Promise<Loader>)).said(({ msg }) => /streamed text or bytes, and then System\.Int32/.test(msg ?? ""));
	});
});
