import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { go, handler, needsGo, start, warmCache } from "./worker.ts";

describe("Go: the event's extensions", needsGo, () => {
	before(warmCache);

	test("event.Extensions.Request is an *http.Request whose body can be read although Event.Data has it", async (t) => {
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

	test("a body has what the handler wrote, then what it returned; status and headers are those at the time of WriteHeader", async (t) => {
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
		const logged = worker.frames.find(({ line }) => line.type === "log");
		assert.match(logged?.body.toString() ?? "", /superfluous.* 500 after 202/);
	});

	test("Content-Type is guessed as net/http does, only for a body without a Content-Type", async (t) => {
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

	test("an error after a status of 400 or above leaves that answer and goes to the log; any other error fails the call", async (t) => {
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

	test("Extensions.Context ends after the deadline, when the caller goes, and when the call is answered", async (t) => {
		const body = `
	ctx, cancel := context_.WithCancel(event.Extensions.Context)
	defer cancel()
	if event.Data == "leak" { go func() { <-ctx.Done(); fmt.Println("leaked", ctx.Err()) }(); return "", nil }
	<-ctx.Done()
	return "", ctx.Err()`;
		const source = go(handler(body), "fmt").replace('\t"fmt"', '\t"fmt"\n\tcontext_ "context"');
		const worker = await start(t, { "f.go": source });
		const late = await worker.ask({ deadline: Date.now() + 300 });
		assert.equal(late.error?.message, "context deadline exceeded");
		const gone = worker.begin();
		worker.send({ type: "cancel", id: gone });
		assert.equal((await worker.answer(gone)).error?.code, "CANCELLED");
		assert.equal((await worker.answer(gone)).error?.message, "context canceled");
		const expired = worker.begin({ deadline: Date.now() });
		worker.send({ type: "cancel", id: expired });
		assert.equal((await worker.answer(expired)).error?.message, "context deadline exceeded");
		await worker.ask({ body: "leak" });
		while (!worker.stdout.includes("leaked context canceled")) await after(10);
	});

	test("Extensions.Context and its deadline are 100 ms after the loader's", async (t) => {
		const body = `
	deadline, _ := event.Extensions.Context.Deadline()
	<-event.Extensions.Context.Done()
	return fmt.Sprint(deadline.UnixMilli(), " ", time.Now().UnixMilli()), nil`;
		const worker = await start(t, { "f.go": go(handler(body), "fmt", "time") });
		const loaders = Date.now() + 200;
		const [deadline = 0, done = 0] = (await worker.ask({ deadline: loaders })).text.split(" ").map(Number);
		assert.equal(deadline, loaders + 100);
		assert.ok(done >= deadline, `${done} >= ${deadline}`);
	});

	test("RemoteAddr is the caller's address with the port 0", async (t) => {
		const body = `
	host, port, err := net.SplitHostPort(event.Extensions.Request.RemoteAddr)
	return host + " " + port, err`;
		const worker = await start(t, { "f.go": go(handler(body), "net") });
		assert.equal((await worker.ask({ address: "10.1.2.3" })).text, "10.1.2.3 0");
		assert.equal((await worker.ask({ address: "2001:db8::1" })).text, "2001:db8::1 0");
		assert.equal((await worker.ask()).text, "0.0.0.0 0");
	});

	test("Event.Data is the body as it came, also if its Content-Type is JSON and it is not", async (t) => {
		const worker = await start(t, { "f.go": go(handler("return event.Data, nil")) });
		for (const body of ['{"a":', "\ufeff{}", "NaN", '"\\ud800"']) {
			const { text, error } = await worker.ask({ json: true, head: ["Content-Type: application/json"], body });
			assert.deepEqual([text, error], [body, undefined]);
		}
	});

	test("a template file can read the extensions", async (t) => {
		const body = `
	var out strings.Builder
	err := template.Must(template.New("").Parse(text)).Execute(&out, event)
	return out.String(), err`;
		const source = go(`//go:embed page.txt\nvar text string\n\n${handler(body)}`, "strings", "text/template").replace(
			"import (",
			'import (\n\t_ "embed"',
		);
		const files = { "f.go": source, "page.txt": "{{.Extensions.Request.Method}}" };
		assert.equal((await (await start(t, files)).ask({ method: "PUT" })).text, "PUT");
	});

	test("Flush sends a chunk; a body over 64 KiB is sent in chunks without Flush", async (t) => {
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

	test("a stream that does not match its Content-Length fails", async (t) => {
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

	test("headers over 1 MiB end their own call and not the worker", async (t) => {
		const body = `
	if event.Data != "" { event.Extensions.Response.Header().Set("X-A", strings.Repeat("a", 1<<20)) }
	return "short", nil`;
		const worker = await start(t, { "f.go": go(handler(body), "strings") });
		const { error } = await worker.ask({ body: "long" });
		assert.equal(error?.code, "RESULT_INVALID");
		assert.match(error?.message ?? "", /^the function set headers of \d+ bytes; the limit is 1048576$/);
		assert.equal((await worker.ask()).text, "short");
	});

	test("an http.Handler can answer a call", async (t) => {
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
