import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import { suiteOwner } from "../../../test/support/owner.ts";
import { env, FIRST_LINE, missing, serve, source } from "./function.ts";

// Events, results and errors of functions in Java. test/conformance/ has what holds in every
// language.

const RESULTS = `
	public static class Account {
		private final String name = "Ada";
		public int[] marks = {1, 2};
		private String secret = "not a property";
		private final java.time.LocalDate born = java.time.LocalDate.of(1815, 12, 10);
		private Account manager;
		public String getName() { return name; }
		public java.time.LocalDate getBorn() { return born; }
		public boolean isActive() { return true; }
		public Optional<Account> getManager() { return Optional.ofNullable(manager); }
		public Account with(Account manager) { this.manager = manager; return this; }
	}
	public static class Failing { public String getName() { throw new IllegalStateException("no name"); } }
	private static Stream<String> closing(Stream<String> stream) {
		return stream.onClose(() -> System.out.println("stream closed"));
	}
	public Object foo(Event event, Context context) throws Exception {
		switch (event.Data) {
			case "null": return null;
			case "bytes": return new byte[] {(byte) 0xff, 0, 10};
			case "builder": return new StringBuilder("čšž");
			case "map": Map<String, Object> map = new TreeMap<>();
				map.put("list", Arrays.asList(1, 2.5, true, null, "\\"\\n\\u0001"));
				map.put("array", new int[] {1, 2});
				return map;
			case "number": return 42;
			case "bean": return new Account().with(new Account());
			case "list of beans": return Collections.singletonList(new Account());
			case "failing getter": return new Failing();
			case "bean that contains itself": Account account = new Account(); return account.with(account);
			case "object": return new Object();
			case "nan": return Collections.singletonList(Double.NaN);
			case "circle": List<Object> circle = new ArrayList<>(); circle.add(circle); return circle;
			case "stage": return CompletableFuture.supplyAsync(() -> new Response(202, "later"));
			case "failed stage": return CompletableFuture.supplyAsync(() -> { throw new IllegalStateException("too late"); });
			case "input": return new ByteArrayInputStream(new byte[] {1, 2, 3});
			case "stream": return closing(Stream.of("a", "b"));
			case "iterable": return (Iterable<String>) () -> Arrays.asList("c", "d").iterator();
			case "broken header": return new Response(200, "x").header("X-A", "a\\r\\nX-B: b");
			case "long header": return new Response(200, "x").header("X-A", new String(new char[1 << 20]).replace((char) 0, (char) 97));
			case "status": return new Response(99);
			case "json response": return new Response(404, Collections.singletonMap("a", 1));
			default: throw new IllegalArgumentException(event.Data);
		}
	}`;

const ACCOUNT = '{"name":"Ada","marks":[1,2],"born":"1815-12-10","manager":null,"active":true}';

describe("java", { skip: missing ?? false }, () => {
	const shared = suiteOwner();

	describe("java: results", () => {
		let loader: Loader;
		const answer = async (body: string) => {
			loader ??= await serve(shared, RESULTS);
			const { status, headers, body: bytes, text } = await loader.ask({ body });
			return { status, type: headers["content-type"], text, hex: bytes.toString("hex") };
		};

		for (const [given, status, type, text] of [
			["null", 200, undefined, ""],
			["builder", 200, undefined, "čšž"],
			["map", 200, "application/json", '{"array":[1,2],"list":[1,2.5,true,null,"\\"\\n\\u0001"]}'],
			["number", 200, "application/json", "42"],
			["bean", 200, "application/json", ACCOUNT.replace("null", ACCOUNT)],
			["list of beans", 200, "application/json", `[${ACCOUNT}]`],
			["stage", 202, undefined, "later"],
			["stream", 200, undefined, "ab"],
			["iterable", 200, undefined, "cd"],
			["json response", 404, "application/json", '{"a":1}'],
		] as const) {
			test(`the result "${given}" is answered ${status} with ${type ?? "no content type"}`, async () => {
				const got = await answer(given);
				assert.deepEqual([got.status, got.type, got.text], [status, type, text]);
			});
		}

		for (const given of [
			"nan",
			"circle",
			"bean that contains itself",
			"failing getter",
			"object",
			"broken header",
			"long header",
			"status",
			"failed stage",
		] as const) {
			test(`the result "${given}" is an error 500`, async () => {
				assert.equal((await answer(given)).status, 500);
			});
		}

		test("headers over 1 MiB end their own call and not the worker, and the log has the reason", async () => {
			await answer("long header");
			await loader.said(({ code, msg }) => code === "RESULT_INVALID" && /bytes of headers, and the limit is/.test(msg ?? ""));
			assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
		});

		test("a result of bytes arrives unchanged as application/octet-stream", async () => {
			assert.deepEqual(await answer("bytes"), { status: 200, type: "application/octet-stream", text: "\ufffd\0\n", hex: "ff000a" });
			assert.equal((await answer("input")).hex, "010203");
		});

		test("a result that is a Stream is closed after its last item", async () => {
			await answer("stream");
			await loader.said(({ msg }) => msg === "stream closed");
		});
	});

	test("a record is answered as JSON", async (t) => {
		const members = `	record Point(int x, String label) {
		String getOther() { return "not a component"; }
	}
	public Object foo(Event event, Context context) { return new Point(1, "a"); }`;
		const loader = await serve(t, members);
		assert.equal((await loader.ask()).text, '{"x":1,"label":"a"}');
	});

	test("a function for Kubeless runs unchanged and gets line breaks in the body", async (t) => {
		const loader = await serve(
			t,
			`	private String last = "";
	public String foo(io.kubeless.Event event, io.kubeless.Context context) {
		String before = last;
		last = event.Data;
		return before + "|" + event.EventID + "|" + event.EventType + "|" + event.EventNamespace + "|" + context.functionName + context.timeout;
	}`,
		);
		assert.equal((await loader.ask({ body: "one\ntwo\n", headers: { "event-id": "e1" } })).text, "|e1|||foo180");
		assert.equal((await loader.ask()).text, "one\ntwo\n||||foo180");
	});

	test("Request and Response of another package can be imported by a wildcard", async (t) => {
		const other = (name: string) => `package other; public class ${name} { public String toString() { return "other.${name}"; } }`;
		const foo = `package io.kubeless;
import other.*;
public class Foo {
	public String foo(Event event, Context context) { return new Request() + " " + new Response(); }
}
`;
		const files = { "Foo.java": foo, "other/Request.java": other("Request"), "other/Response.java": other("Response") };
		const loader = await startLoader(t, { files, env: env("Foo", "foo") });
		assert.equal((await loader.ask()).text, "other.Request other.Response");
	});

	test("a body that is no JSON reaches the handler as text, and a byte order mark before JSON is left out", async (t) => {
		const members = `	public String foo(Event event, Context context) { return event.Data.length() + event.Data + event.getBytes().length; }`;
		const loader = await serve(t, members);
		const ask = async (type: string, body: string) => (await loader.ask({ body, headers: { "Content-Type": type } })).text;
		assert.equal(await ask("application/json", '{"a":NaN'), '8{"a":NaN8');
		assert.equal(await ask("application/json", "\ufeff{}"), "2{}5");
		assert.equal(await ask("text/plain", "\ufeff{}"), "3\ufeff{}5");
		assert.equal(await ask("application/json", ""), "00");
	});

	test("the request has method, path, parameters, headers and the caller's address, also with malformed escapes", async (t) => {
		const members = `	public static String foo(Event event, Context context) {
		Request request = event.getRequest();
		return request.getMethod() + request.getPath() + request.getParameter("a") + request.getParameters().get("b") + request.getHeader("x-ONE")
				+ request.getRemoteAddr();
	}`;
		const loader = await serve(t, members);
		const { text } = await loader.ask({ path: "/p%20q?a=%zz+%C4%8D&b=1&b&c", headers: { "X-One": "1" } });
		assert.equal(text, "GET/p%20q%zz č[1, ]1127.0.0.1");
	});

	test("System.exit ends its call only, also as a method reference", async (t) => {
		const members = `	public String foo(Event event, Context context) {
		if (event.Data.isEmpty()) System.exit(1);
		IntStream.of(2).forEach(System::exit);
		return "not ended";
	}`;
		const loader = await serve(t, members);
		for (const body of [undefined, "x"]) assert.equal((await loader.ask(body === undefined ? {} : { body })).status, 500);
		await loader.said(({ msg }) => /System\.exit\(2\)/.test(msg ?? ""));
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0);
	});

	test("shutdown hooks of the function run when the loader is stopped", async (t) => {
		const members = `	public Foo() {
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			try {
				Thread.sleep(1500);
			} catch (InterruptedException error) {
				return;
			}
			System.out.println("connection closed");
		}));
	}
	public String foo(Event event, Context context) { return "x"; }`;
		const loader = await serve(t, members);
		assert.equal((await loader.ask()).text, "x");
		loader.signal("SIGTERM");
		await loader.said(({ msg }) => msg === "connection closed");
		assert.deepEqual(await loader.ended, { code: 0, signal: null });
	});

	test("the log has the causes and the suppressed exceptions of an exception", async (t) => {
		const members = `	static class Resource implements AutoCloseable {
		@Override public void close() { throw new IllegalStateException("cannot close"); }
	}
	public String foo(Event event, Context context) {
		try (Resource resource = new Resource()) {
			throw new IllegalArgumentException("cannot read", new IOException("disk"));
		}
	}`;
		const loader = await serve(t, members);
		assert.equal((await loader.ask()).status, 500);
		const record = await loader.said(({ stack }) => typeof stack === "string" && stack.includes("cannot read"));
		assert.match(
			String(record["stack"]),
			/cannot read\n\tat [^]*\n\tSuppressed: java\.lang\.IllegalStateException: cannot close\n\t\tat [^]*\nCaused by: java\.io\.IOException: disk/,
		);
	});

	test("a caller that disconnects interrupts the handler, and the log line names the call", async (t) => {
		const members = `	public String foo(Event event, Context context) throws InterruptedException {
		try {
			if (event.Data.isEmpty()) System.out.println("started");
			Thread.sleep(event.Data.isEmpty() ? 20000 : 1);
		} catch (InterruptedException error) {
			System.out.println("interrupted");
			throw error;
		}
		return Thread.currentThread().isInterrupted() + "";
	}`;
		const loader = await serve(t, members);
		const gone = new AbortController();
		const call = loader.ask({ signal: gone.signal });
		await loader.said(({ msg }) => msg === "started");
		gone.abort();
		await assert.rejects(call);
		const { call: id } = await loader.said(({ msg }) => msg === "interrupted");
		assert.ok(id, "the log names the call");
		for (let i = 0; i < 20; i++) assert.equal((await loader.ask({ body: "x" })).text, "false");
	});

	test("an exception in the constructor is reported with its file and line", async (t) => {
		const members = `	public Foo() { throw new IllegalStateException("not today"); }
	public String foo(Event event, Context context) { return ""; }`;
		const { code, stderr } = await runLoader(t, { files: { "Foo.java": source("Foo", members) }, env: env("Foo", "foo") });
		assert.equal(code, 1);
		assert.match(stderr, new RegExp(`IllegalStateException: not today[^]*Foo\\.java:${FIRST_LINE}`));
	});
});
