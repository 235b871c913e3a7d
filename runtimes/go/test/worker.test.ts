import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

// What is special to functions in Go; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../", import.meta.url));
const { missing, candidate } = readRuntimes().find(({ id }) => id === "go") ?? assert.fail("runtimes/go has no conformance functions");
/** Programs stay from one run to the next, as at a desk. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/go", import.meta.url));

/** A file of a function: its imports beside the handler's types, and its text. */
const go = (text: string, ...imports: string[]): string =>
	`package kubeless\n\nimport (\n${["github.com/kubeless/kubeless/pkg/functions", ...imports].map((path) => `\t${JSON.stringify(path)}\n`).join("")})\n\n${text}\n`;
const handler = (body: string, name = "Handler"): string =>
	`func ${name}(event functions.Event, context functions.Context) (string, error) {\n${body}\n}\n`;

/** A worker for the first of the files, when it is ready. */
const start = (owner: Owner, files: Files, env?: Env): Promise<WireEnd> => startIn(owner, firstOf(owner, files), env);

const startIn = (owner: Owner, file: string, env?: Env): Promise<WireEnd> => begun(owner, file, env).ready();

const begun = (owner: Owner, file: string, env: Env = {}): WireEnd =>
	new WireEnd(owner, candidate(), file, "", { FUNC_RUNTIME: "go1.26", FUNC_MEMORY_LIMIT: "0", KUBELESS_LOADER_CACHE: CACHE, ...env });

const failure = async (owner: Owner, files: Files, env?: Env): Promise<string> =>
	(await begun(owner, firstOf(owner, files), env).failed()).message ?? "";

/** Runs Kubeless's compilation phase in a folder, as its container does: without a home. */
function compile(place: string, name: string, env: Record<string, string> = {}) {
	const { HOME: _, XDG_CACHE_HOME: __, ...given } = candidate().env;
	const goCache = spawnSync("go", ["env", "GOCACHE"], { encoding: "utf8", env: candidate().env }).stdout.trim();
	return spawnSync("sh", [join(home, "compile.sh")], {
		cwd: place,
		encoding: "utf8",
		env: { ...given, GOCACHE: goCache, KUBELESS_INSTALL_VOLUME: place, KUBELESS_FUNC_NAME: name, TMPDIR: place, ...env },
	});
}

describe("functions in Go", { skip: missing ?? false, concurrency: 2 }, () => {
	describe("the event's extensions", { concurrency: 2 }, () => {
		test("the request is net/http's, and its body can be read although the event has it", async (t) => {
			const body = `
	r := event.Extensions.Request
	read, _ := io.ReadAll(r.Body)
	r.ParseForm()
	return fmt.Sprint(r.Method, " ", r.Host, " ", r.URL.Path, " ", r.URL.RawQuery, " ", r.RequestURI, " ", string(read) == event.Data, " ",
		r.ContentLength, " ", r.Header["X-Two"], " ", len(r.Header), " ", r.FormValue("q"), " ", r.Context() == event.Extensions.Context), nil`;
			const worker = await start(t, { "f.go": go(handler(body), "fmt", "io") });
			const head = ["Host: example.com:80", "x-two: 1", "X-TWO:2", "Transfer-Encoding: chunked"];
			const { text } = await worker.ask({ path: "/a%20b", query: "q=%C3%A9", head, body: "data" });
			assert.equal(text, "POST example.com:80 /a b q=%C3%A9 /a%20b?q=%C3%A9 true 4 [1 2] 1 é true");
		});

		test("what is written comes before what is returned, with the status and the headers at the time of WriteHeader", async (t) => {
			const body = `
	w := event.Extensions.Response
	w.Header().Set("X-Before", "1")
	w.Header().Set("Content-Length", "999")
	w.WriteHeader(202)
	w.Header().Set("X-After", "1")
	w.WriteHeader(500)
	fmt.Fprint(w, "<html>")
	return "end", nil`;
			const worker = await start(t, { "f.go": go(handler(body), "fmt") });
			const { status, headers, text, frames } = await worker.ask();
			assert.deepEqual([status, text, frames.length], [202, "<html>end", 1]);
			assert.deepEqual(headers, { "x-before": "1", "content-type": "text/html; charset=utf-8" });
			const told = worker.frames.find(({ line }) => line.type === "log");
			assert.match(told?.body.toString() ?? "", /superfluous.* 500 after 202/);
		});

		test("the content's type is guessed as net/http does, and only where there is content and no type", async (t) => {
			const body = `
	if event.Data == "typed" { event.Extensions.Response.Header().Set("Content-Type", "a/b") }
	if event.Data == "none" { event.Extensions.Response.Header()["Content-Type"] = nil }
	if event.Data == "empty" { return "", nil }
	return event.Data, nil`;
			const worker = await start(t, { "f.go": go(handler(body)) });
			const type = async (text: string) => (await worker.ask({ body: text })).headers["content-type"];
			assert.equal(await type("plain"), "text/plain; charset=utf-8");
			assert.equal(await type("<!DOCTYPE HTML>"), "text/html; charset=utf-8");
			assert.equal(await type("%PDF-1"), "application/pdf");
			assert.equal(await type("typed"), "a/b");
			assert.equal(await type("none"), undefined);
			assert.equal(await type("empty"), undefined);
		});

		test("an error after a status of 400 or above is the function's answer, and is told in the log; otherwise it is an error", async (t) => {
			const body = `
	if event.Data != "" { status, _ := strconv.Atoi(event.Data); event.Extensions.Response.WriteHeader(status) }
	return "not sent", errors.New("the reason")`;
			const worker = await start(t, { "f.go": go(handler(body), "errors", "strconv") });
			const answered = await worker.ask({ body: "404" });
			assert.deepEqual([answered.status, answered.text, answered.error], [404, "", undefined]);
			assert.equal(worker.frames.find(({ line }) => line.type === "log")?.body.toString(), "the reason\n");
			assert.equal((await worker.ask()).error?.message, "the reason");
			assert.equal((await worker.ask({ body: "201" })).error?.message, "the reason");
		});

		test("the context ends at the deadline, when the caller goes, and with the call", async (t) => {
			const body = `
	ctx, cancel := context_.WithCancel(event.Extensions.Context)
	defer cancel()
	if event.Data == "leak" { go func() { <-ctx.Done(); fmt.Println("leaked", ctx.Err()) }(); return "", nil }
	<-ctx.Done()
	return "", ctx.Err()`;
			const source = go(handler(body), "fmt").replace('\t"fmt"', '\t"fmt"\n\tcontext_ "context"');
			const worker = await start(t, { "f.go": source });
			const begun = performance.now();
			const late = await worker.ask({ deadline: Date.now() + 300 });
			assert.match(late.error?.message ?? "", /deadline exceeded/);
			assert.ok(performance.now() - begun > 250);
			const id = worker.begin();
			await after(50);
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			await worker.ask({ body: "leak" });
			while (!worker.stdout.includes("leaked context canceled")) await after(10);
		});

		test("Flush sends a chunk, and much that is written is sent unasked", async (t) => {
			const body = `
	w := event.Extensions.Response
	if event.Data == "flush" {
		fmt.Fprint(w, "one")
		w.(interface{ FlushError() error }).FlushError()
		return "two", nil
	}
	for i := 0; i < 40; i++ { w.Write(bytes.Repeat([]byte{'x'}, 5000)) }
	return "", nil`;
			const worker = await start(t, { "f.go": go(handler(body), "bytes", "fmt") });
			const flushed = await worker.ask({ body: "flush" });
			assert.deepEqual(
				flushed.frames.map(({ line, body }) => [line.type, body.toString()]),
				[
					["head", ""],
					["chunk", "one"],
					["chunk", "two"],
					["end", ""],
				],
			);
			assert.equal(flushed.headers["content-type"], "text/plain; charset=utf-8");
			const much = await worker.ask();
			assert.equal(much.text.length, 200_000);
			assert.ok(much.frames.length > 3 && much.frames.every(({ body }) => body.length <= 65536));
		});

		test("a Content-Length that is not kept to breaks the answer off", async (t) => {
			const body = `
	w := event.Extensions.Response
	w.Header().Set("Content-Length", "5")
	w.(http.Flusher).Flush()
	_, err := w.Write([]byte(event.Data))
	w.(http.Flusher).Flush()
	return "", err`;
			const worker = await start(t, { "f.go": go(handler(body), "net/http") });
			assert.equal((await worker.ask({ body: "exact" })).text, "exact");
			assert.match((await worker.ask({ body: "few" })).error?.message ?? "", /Content-Length 5 and wrote 3/);
			assert.match((await worker.ask({ body: "too many" })).error?.message ?? "", /Content-Length/);
		});

		test("any http.Handler can answer, and is stopped with its caller", async (t) => {
			const body = `
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) { http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"}); fmt.Fprint(w, "mux") })
	mux.ServeHTTP(event.Extensions.Response, event.Extensions.Request)
	return "", nil`;
			const worker = await start(t, { "f.go": go(handler(body), "fmt", "net/http") });
			const found = await worker.ask({ path: "/hello" });
			assert.deepEqual([found.status, found.text, found.headers["set-cookie"]], [200, "mux", "a=1"]);
			assert.equal((await worker.ask({ path: "/nowhere" })).status, 404);
		});
	});

	describe("what goes wrong", { concurrency: 2 }, () => {
		test("a panic is an error with file and line, from a helper and from Go itself", async (t) => {
			const body = `
	switch event.Data {
	case "nil": var p *functions.Event; return p.Data, nil
	case "index": return string(event.Data[len(event.Data)]), nil
	case "value": panic(fmt.Sprintf("value %d", 7))
	case "worse": panic(worse{})
	}
	return "fine", nil`;
			const source = `${go(handler(body), "fmt")}\ntype worse struct{}\nfunc (worse) Error() string { panic("again") }\n`;
			const worker = await start(t, { "f.go": source });
			const line = source.split("\n").findIndex((text) => text.includes('case "nil"')) + 1;
			const nil = (await worker.ask({ body: "nil" })).error;
			assert.match(nil?.message ?? "", /^panic: runtime error: invalid memory address/);
			assert.match(nil?.stack ?? "", new RegExp(`\\nkubeless\\.Handler\\n\\t${worker.folder}/f\\.go:${line}$`));
			assert.match((await worker.ask({ body: "index" })).error?.message ?? "", /index out of range \[5\] with length 5/);
			assert.equal((await worker.ask({ body: "value" })).error?.message, "panic: value 7");
			assert.match((await worker.ask({ body: "worse" })).error?.message ?? "", /worse, which panics/);
			assert.equal((await worker.ask()).text, "fine");
		});

		test("a returned error says which handler it came from, or brings its own stack", async (t) => {
			const body = `if event.Data == "own" { return "", own{} }; return "", fmt.Errorf("outer: %w", io.EOF)`;
			const kind = `type own struct{}\nfunc (own) Error() string { return "short" }\nfunc (own) Format(s fmt.State, verb rune) { fmt.Fprint(s, "short\\nlong") }\n`;
			const worker = await start(t, { "f.go": go(handler(body) + kind, "fmt", "io") });
			const { message, stack } = (await worker.ask()).error ?? {};
			assert.equal(message, "outer: EOF");
			assert.equal(stack, `outer: EOF\nreturned by kubeless.Handler\n\t${worker.folder}/f.go:9`);
			assert.equal((await worker.ask({ body: "own" })).error?.stack, "short\nlong");
		});

		test("runtime.Goexit ends its call alone, among others and by itself", async (t) => {
			const worker = await start(t, { "f.go": go(handler(`if event.Data == "exit" { runtime.Goexit() }; return "on", nil`), "runtime") });
			const ids = Array.from({ length: 60 }, (_, i) => worker.begin(i % 3 === 0 ? { body: "exit" } : {}));
			for (const [i, id] of ids.entries()) {
				const { error, text } = await worker.answer(id);
				if (i % 3 === 0) assert.match(error?.message ?? "", /runtime\.Goexit/);
				else assert.equal(text, "on");
			}
			worker.send({ type: "stop" });
			assert.equal(await worker.exited, 0);
		});

		test("what no Go program survives ends the process, with Go's own words", async (t) => {
			const body = `
	switch event.Data {
	case "exit": os.Exit(7)
	case "goroutine": go func() { panic("in a goroutine") }(); time.Sleep(time.Second)
	case "stack": return Handler(event, context)
	}
	return "", nil`;
			const files = { "f.go": go(handler(body), "os", "time") };
			const exits = await start(t, files);
			exits.begin({ body: "exit" });
			assert.equal(await exits.exited, 7);
			const panics = await start(t, files);
			panics.begin({ body: "goroutine" });
			assert.equal(await panics.exited, 2);
			assert.match(panics.stderr, /panic: in a goroutine[^]*f\.go:/);
			const deep = await start(t, files);
			deep.begin({ body: "stack" });
			assert.equal(await deep.exited, 2);
			assert.match(deep.stderr, /stack exceeds/);
		});

		test("while one call is busy without end, others are answered", async (t) => {
			const worker = await start(t, { "f.go": go(handler(`for event.Data == "busy" {}; return "done", nil`)) });
			worker.begin({ body: "busy" });
			const began = performance.now();
			for (let i = 0; i < 50; i++) assert.equal((await worker.ask()).text, "done");
			assert.ok(performance.now() - began < 5000);
		});
	});

	describe("which function it is", { concurrency: 2 }, () => {
		test("the only handler that is exported is the main one", async (t) => {
			const source = go(handler("return inner(event, context)", "Outer") + handler('return "inner", nil', "inner"));
			const worker = await start(t, { "f.go": source });
			assert.equal((await worker.started()).handler, "Outer");
			assert.equal((await worker.ask()).text, "inner");
		});

		test("a variable can hold it, and the types may have another name", async (t) => {
			const source = `package kubeless\nimport f "github.com/kubeless/kubeless/pkg/functions"\nvar Handler = func(e f.Event, c f.Context) (string, error) { return c.FunctionName, nil }\n`;
			assert.equal((await (await start(t, { "f.go": source })).ask()).text, "Handler");
		});

		test("a function that is none is told with what it is", async (t) => {
			const message = await failure(
				t,
				{ "f.go": go("func Handler(event functions.Event) string { return event.Data }") },
				{ FUNC_HANDLER: "Handler" },
			);
			assert.match(message, /^Handler in f\.go is a func\(functions\.Event\) string; a handler is a func\(event/);
		});

		test("all files of the folder are its own but other functions, of which it has what it uses", async (t) => {
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

		test("packages below its folder are found by the module's name and by the one Kubeless gave all functions", async (t) => {
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

		test("extensions are there for a package below it that looks at them", async (t) => {
			const files = {
				"f.go": go(handler("return sub.Path(event), nil"), "kubeless/sub"),
				"sub/sub.go": `package sub\nimport "github.com/kubeless/kubeless/pkg/functions"\nfunc Path(event functions.Event) string { return event.Extensions.Request.URL.Path }\n`,
			};
			assert.equal((await (await start(t, files)).ask({ path: "/here" })).text, "/here");
		});
	});

	describe("compiling", { concurrency: 2 }, () => {
		test("a function as Kubeless had it needs no network for Kubeless's module", async (t) => {
			const mod = "module function\n\ngo 1.12\n\nrequire (\n\tgithub.com/kubeless/kubeless v1.0.7\n)\n";
			const worker = await start(
				t,
				{ "f.go": go(handler("return event.Data, nil")), "go.mod": mod },
				{ GOPROXY: "off", GOFLAGS: "-mod=vendor" },
			);
			assert.equal((await worker.ask({ body: "offline" })).text, "offline");
			assert.equal(readFileSync(join(worker.folder, "go.mod"), "utf8"), mod);
			assert.deepEqual(readdirSync(worker.folder).sort(), ["f.go", "go.mod"]);
		});

		test("a module that lies beside it is used, and a change of it seen", async (t) => {
			const place = folder(t, {
				"f/f.go": go(handler("return lib.Word, nil"), "example.com/lib"),
				"f/go.mod": "module f\n\ngo 1.19\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
				"lib/go.mod": "module example.com/lib\n\ngo 1.19\n",
				"lib/lib.go": 'package lib\nconst Word = "one"\n',
			});
			assert.equal((await (await startIn(t, join(place, "f/f.go"))).ask()).text, "one");
			writeFileSync(join(place, "lib/lib.go"), 'package lib\nconst Word = "two!"\n');
			assert.equal((await (await startIn(t, join(place, "f/f.go"))).ask()).text, "two!");
		});

		test("the second start compiles nothing", async (t) => {
			const worker = await start(t, { "f.go": go(handler(`return "same", nil // ${Math.random()}`)) });
			assert.match(worker.stderr, /^Compiled .*f\.go in \d+\.\d s\.$/m);
			const began = performance.now();
			const again = await startIn(t, join(worker.folder, "f.go"));
			t.diagnostic(`${(performance.now() - began).toFixed(0)} ms`);
			assert.equal(again.stderr, "");
		});

		test("workers that start at once compile once", async (t) => {
			const place = folder(t, { "f.go": go(handler('return "same", nil')) });
			const workers = await Promise.all([1, 2, 3].map(() => startIn(t, join(place, "f.go"))));
			assert.equal(workers.filter(({ stderr }) => stderr.includes("Compiled")).length, 1);
		});

		test("the compiler's errors name the user's file and line, several of them", async (t) => {
			const message = await failure(t, { "f.go": go(`${handler("return nobody, nil")}\nvar text string = 7\n`) });
			assert.match(message, /^\.\/f\.go:8:8: undefined: nobody\n\.\/f\.go:11:19: cannot use 7/);
			const missing = await failure(t, { "f.go": go(handler("return lib.Word, nil"), "example.invalid/lib") }, { GOPROXY: "off" });
			assert.match(missing, /^f\.go:5:2: .*example\.invalid\/lib/);
			const mod = await failure(t, { "f.go": go(handler('return "", nil')), "go.mod": "nonsense\n" });
			assert.match(mod, /^go: errors parsing go\.mod:\ngo\.mod:1: unknown directive: nonsense/);
		});

		test("what Go itself would not say is said", async (t) => {
			const main = await failure(t, { "f.go": go(handler('return "", nil')).replace("package kubeless", "package main") });
			assert.match(main, /package main, which cannot be served: write `package kubeless`/);
			const named = await failure(t, { "f_test.go": go(handler('return "", nil')) });
			assert.match(named, /f_test\.go out, by its name/);
			const tools = folder(t);
			for (const name of ["sh", "tr", "sed", "awk", "dirname"]) cpSync(realpathSync(`/usr/bin/${name}`), join(tools, name));
			const without = await failure(t, { "f.go": go(handler('return "", nil')) }, { PATH: tools });
			assert.match(without, /^Go is not installed or not on PATH/);
		});

		test("a user without a home and without a cache can run it", async (t) => {
			const goEnv = (name: string) => spawnSync("go", ["env", name], { encoding: "utf8" }).stdout.trim();
			const env = {
				HOME: "/proc/nowhere",
				XDG_CACHE_HOME: null,
				KUBELESS_LOADER_CACHE: null,
				TMPDIR: folder(t),
				GOCACHE: goEnv("GOCACHE"),
			};
			assert.equal((await (await start(t, { "f.go": go(handler('return "homeless", nil')) }, env)).ask()).text, "homeless");
			const [cache] = readdirSync(env.TMPDIR);
			assert.equal(statSync(join(env.TMPDIR, cache as string)).mode & 0o777, 0o700);
		});
	});

	describe("Kubeless's compilation phase", { concurrency: 2 }, () => {
		test("leaves a server, which needs no Go and no source, and has every handler of the folder", async (t) => {
			const place = folder(t, {
				"any name.go": go(handler("return helped(), nil", "First")),
				"more.go": go(`${handler('return "second", nil', "Second")}\nfunc helped() string { return "first" }\n`),
				"go.mod": "",
			});
			const { status, stderr } = compile(place, "First");
			assert.equal(status, 0, stderr);
			assert.ok(existsSync(join(place, "server")));
			const env = { PATH: "/usr/bin:/bin", KUBELESS_HANDLER_FILE: join(place, "gone.go"), KUBELESS_LOADER_CACHE: "/nowhere" };
			const first = await startIn(t, join(place, "any name.go"), { ...env, FUNC_HANDLER: "First" });
			assert.equal((await first.ask()).text, "first");
			assert.equal(first.stderr, "");
			const second = await startIn(t, join(place, "any name.go"), { ...env, FUNC_HANDLER: "Second" });
			assert.equal((await second.ask()).text, "second");
		});

		test("says what is wrong, and leaves none", (t) => {
			const place = folder(t, { "f.go": go(handler("return nobody, nil")) });
			const { status, stderr } = compile(place, "Handler");
			assert.equal(status, 1);
			assert.match(stderr, /^\.\/f\.go:8:8: undefined: nobody\n$/);
			writeFileSync(join(place, "f.go"), go(handler('return "", nil')));
			const unknown = compile(place, "Nobody");
			assert.equal(unknown.status, 1);
			assert.equal(unknown.stderr, 'there is no function "Nobody" in f.go; it has Handler\n');
			assert.ok(!existsSync(join(place, "server")));
			assert.match(compile(folder(t), "Nobody").stderr, /^there is no Go file in /);
		});

		test("works in a folder whose files are not its user's to write", async (t) => {
			const place = folder(t, { "f.go": go(handler('return "read", nil')) });
			chmodSync(join(place, "f.go"), 0o444);
			assert.equal(compile(place, "Handler", { GOFLAGS: "-trimpath" }).status, 0);
			assert.equal((await (await startIn(t, join(place, "f.go"), { FUNC_HANDLER: "Handler" })).ask()).text, "read");
		});
	});
});
