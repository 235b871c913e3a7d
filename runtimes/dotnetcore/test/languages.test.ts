import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startLoader } from "../../../test/support/loader.ts";
import { csharp, env, examples, FIRST_LINE, failure, missing, serve } from "./support.ts";

describe("dotnetcore: the languages of a function", { skip: missing ?? false }, () => {
	test("a handler in F# may be in a module or in a class, and may be async", async (t) => {
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

	test("a handler may be written in Visual Basic", async (t) => {
		const loader = await startLoader(t, { files: examples("basic.vb"), env: env("handler", "basic") });
		assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada from Visual Basic");
	});

	test("the message of each compiler is reported with file and line", async (t) => {
		const broken: [string, string, RegExp][] = [
			[
				"f.cs",
				csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;"),
				new RegExp(`f\\.cs\\(${FIRST_LINE},\\d+\\): error CS0103: .*'undefinedName'`),
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

	test("a warning of the compiler does not prevent the start", async (t) => {
		const loader = await serve(
			t,
			`	[Obsolete("old")] static string Old() => "old";
	public async Task<object> handler(Event k8Event, Context k8Context) { int unused; return Old(); }`,
		);
		assert.equal((await loader.ask()).text, "old");
	});

	test("files beside the function are compiled if it needs them, and may be broken if it does not", async (t) => {
		const files = {
			"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => Words.Word;"),
			"part/Words.cs": 'static class Words { internal const string Word = "beside"; }',
		};
		assert.equal((await (await startLoader(t, { files, env: env("handler") })).ask()).text, "beside");
		const alone = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "alone";'), "broken.cs": "no C#" };
		assert.equal((await (await startLoader(t, { files: alone, env: env("handler") })).ask()).text, "alone");
	});
});
