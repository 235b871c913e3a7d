import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startLoader } from "../../../test/support/loader.ts";
import { env, failure, missing } from "./support.ts";

describe("dotnetcore: the handler of a file", { skip: missing ?? false }, () => {
	const inNamespace =
		"using Kubeless.Functions;\nnamespace Deep.Down { public class f { public object handler(Event e, Context c) => GetType().FullName; } }\n";

	test("the class of a handler may be in a namespace", async (t) => {
		const loader = await startLoader(t, { files: { "f.cs": inNamespace }, env: env("handler") });
		assert.equal((await loader.ask()).text, "Deep.Down.f");
	});

	test("the class named like the file comes before others, and one object of it serves all calls", async (t) => {
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

	test("a handler may be static, inherited, or found by its name alone", async (t) => {
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

	test("a handler that is missing, ambiguous or cannot be constructed is reported with the names of the handlers", async (t) => {
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
