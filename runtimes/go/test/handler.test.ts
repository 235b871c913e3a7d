import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { failure, go, handler, needsGo, start, startIn, warmCache } from "./worker.ts";

describe("Go: which handler and files belong to a function", needsGo, () => {
	before(warmCache);

	test("without FUNC_HANDLER, the only exported handler is taken", async (t) => {
		const source = go(handler("return inner(event, context)", "Outer") + handler('return "inner", nil', "inner"));
		const worker = await start(t, { "f.go": source });
		assert.equal((await worker.started()).handler, "Outer");
		assert.equal((await worker.ask()).text, "inner");
	});

	test("a handler can be a variable, and pkg/functions can be imported under another name", async (t) => {
		const source = `package kubeless\nimport f "github.com/kubeless/kubeless/pkg/functions"\nvar Handler = func(e f.Event, c f.Context) (string, error) { return c.FunctionName, nil }\n`;
		assert.equal((await (await start(t, { "f.go": source })).ask()).text, "Handler");
	});

	test("a function that is not a handler is refused with its type", async (t) => {
		const message = await failure(
			t,
			{ "f.go": go("func Handler(event functions.Event) string { return event.Data }") },
			{ FUNC_HANDLER: "Handler" },
		);
		assert.match(message, /^Handler in f\.go is a func\(functions\.Event\) string; a handler is a func\(event/);
	});

	test("a function has the folder's files without a handler, and those with one that it uses", async (t) => {
		const files = {
			"f.go": go(handler("return word() + shared(event, context) + set, nil")),
			"word.go": 'package kubeless\nfunc word() string { return "word " }\nvar set = ""\n',
			"init.go": 'package kubeless\nfunc init() { set = " set" }\n',
			"shared.go": go(
				`func shared(event functions.Event, context functions.Context) string { s, _ := Shared(event, context); return s }\n${handler('return "shared", nil', "Shared")}`,
			),
			"other.go": go(handler("return 1, nonsense")),
			"broken.go": `${go(handler('return "", nil'))}\n)))\n`,
			"tool.go": "package main\nfunc main() {}\n",
			"f_test.go": "package kubeless\n)))\n",
		};
		assert.equal((await (await start(t, files, { FUNC_HANDLER: "Handler" })).ask()).text, "word shared set");
	});

	test("packages below the function's folder are imported by the module's name or as kubeless/…", async (t) => {
		const sub = (name: string) => ({
			"f.go": go(`${handler("return sub.Word + text, nil")}//go:embed text.txt\nvar text string\n`, `${name}/sub`).replace(
				"import (",
				'import (\n\t_ "embed"',
			),
			"sub/sub.go": 'package sub\nconst Word = "below "\n',
			"text.txt": "embedded",
			"go.mod": "module example.com/mine\n\ngo 1.19\n",
		});
		assert.equal((await (await start(t, sub("kubeless"))).ask()).text, "below embedded");
		const worker = await start(t, sub("example.com/mine"));
		assert.equal((await worker.ask()).text, "below embedded");

		// A change of what it embeds or imports is a change of the function.
		writeFileSync(join(worker.folder, "text.txt"), "changed");
		writeFileSync(join(worker.folder, "sub/sub.go"), 'package sub\nconst Word = "down "\n');
		const changed = await startIn(t, join(worker.folder, "f.go"));
		assert.equal((await changed.ask()).text, "down changed");
	});

	test("a package below the function's folder can read the extensions", async (t) => {
		const files = {
			"f.go": go(handler("return sub.Path(event), nil"), "kubeless/sub"),
			"sub/sub.go": `package sub\nimport "github.com/kubeless/kubeless/pkg/functions"\nfunc Path(event functions.Event) string { return event.Extensions.Request.URL.Path }\n`,
		};
		assert.equal((await (await start(t, files)).ask({ path: "/here" })).text, "/here");
	});
});
