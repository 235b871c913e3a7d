import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { folder, type Loader, runLoader, startLoader } from "../../../test/support/loader.ts";
import { type Owner, suiteOwner } from "../../../test/support/owner.ts";

// What is special to functions in Java; what holds in every language is in test/conformance/.

const home = fileURLToPath(new URL("../", import.meta.url));
const missing = readRuntimes().find(({ id }) => id === "java")?.missing;

const env = (name: string, handler: string) => ({ FUNC_RUNTIME: "java17", MOD_NAME: name, FUNC_HANDLER: handler });

/** A class of Kubeless's package around some members. */
const source = (name: string, members: string) => `package io.kubeless;

import java.io.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class ${name} {
${members}
}
`;

function serve(owner: Owner, members: string, more: Record<string, string> = {}): Promise<Loader> {
	return startLoader(owner, { files: { "Foo.java": source("Foo", members), ...more }, env: env("Foo", "foo") });
}

/** What a handler that returns this expression answers. */
const RESULTS = `
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
			case "nan": return Collections.singletonList(Double.NaN);
			case "circle": List<Object> circle = new ArrayList<>(); circle.add(circle); return circle;
			case "stage": return CompletableFuture.supplyAsync(() -> new Response(202, "later"));
			case "failed stage": return CompletableFuture.supplyAsync(() -> { throw new IllegalStateException("too late"); });
			case "input": return new ByteArrayInputStream(new byte[] {1, 2, 3});
			case "stream": return closing(Stream.of("a", "b"));
			case "iterable": return (Iterable<String>) () -> Arrays.asList("c", "d").iterator();
			case "broken header": return new Response(200, "x").header("X-A", "a\\r\\nX-B: b");
			case "status": return new Response(99);
			case "json response": return new Response(404, Collections.singletonMap("a", 1));
			default: throw new IllegalArgumentException(event.Data);
		}
	}`;

describe("java", { skip: missing ?? false }, () => {
	const shared = suiteOwner();

	describe("java: what a handler returns", () => {
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
			["stage", 202, undefined, "later"],
			["stream", 200, undefined, "ab"],
			["iterable", 200, undefined, "cd"],
			["json response", 404, "application/json", '{"a":1}'],
			["nan", 500, undefined, undefined],
			["circle", 500, undefined, undefined],
			["broken header", 500, undefined, undefined],
			["status", 500, undefined, undefined],
			["failed stage", 500, undefined, undefined],
		] as const) {
			test(`java: ${given}`, async () => {
				const got = await answer(given);
				assert.equal(got.status, status);
				if (text === undefined) return;
				assert.deepEqual([got.type, got.text], [type, text]);
			});
		}

		test("java: bytes stay bytes, and are said to be", async () => {
			assert.deepEqual(await answer("bytes"), { status: 200, type: "application/octet-stream", text: "\ufffd\0\n", hex: "ff000a" });
			assert.equal((await answer("input")).hex, "010203");
		});

		test("java: a stream is closed", async () => {
			await loader.said(({ msg }) => msg === "stream closed");
		});
	});

	test("java: a function for Kubeless runs as it is, line breaks and all", async (t) => {
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

	test("java: the request is there, and parameters that are broken break nothing", async (t) => {
		const members = `	public static String foo(Event event, Context context) {
		Request request = event.getRequest();
		return request.getMethod() + request.getPath() + request.getParameter("a") + request.getParameters().get("b") + request.getHeader("x-ONE");
	}`;
		const loader = await serve(t, members);
		const { text } = await loader.ask({ path: "/p%20q?a=%zz+%C4%8D&b=1&b&c", headers: { "X-One": "1" } });
		assert.equal(text, "GET/p%20q%zz č[1, ]1");
	});

	test("java: System.exit ends the call alone, also through a method reference", async (t) => {
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

	test("java: a caller who goes away interrupts the handler", async (t) => {
		const members = `	public String foo(Event event, Context context) throws InterruptedException {
		try {
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
		setTimeout(() => gone.abort(), 300);
		await assert.rejects(call);
		const { call: id } = await loader.said(({ msg }) => msg === "interrupted");
		assert.ok(id, "the log names the call");
		for (let i = 0; i < 20; i++) assert.equal((await loader.ask({ body: "x" })).text, "false");
	});

	test("java: what it needs of the files beside it is compiled with it, and what it does not need may be broken", async (t) => {
		const loader = await serve(t, `	public String foo(Event event, Context context) { return Words.hello() + part.Other.more(); }`, {
			"Words.java": source("Words", `	static String hello() { return "hello "; }`),
			"part/Other.java": `package part; public class Other { public static String more() { return "more"; } }`,
			"Broken.java": "no Java",
		});
		assert.equal((await loader.ask()).text, "hello more");
	});

	test("java: one that cannot be made is told with the place of its own", async (t) => {
		const members = `	public Foo() { throw new IllegalStateException("not today"); }
	public String foo(Event event, Context context) { return ""; }`;
		const { code, stderr } = await runLoader(t, { files: { "Foo.java": source("Foo", members) }, env: env("Foo", "foo") });
		assert.equal(code, 1);
		assert.match(stderr, /IllegalStateException: not today[^]*Foo\.java:9/);
	});

	describe("java: compile.sh", () => {
		const compile = (volume: string) =>
			spawnSync("sh", [join(home, "compile.sh")], {
				encoding: "utf8",
				env: { ...process.env, KUBELESS_INSTALL_VOLUME: volume, KUBELESS_FUNC_NAME: "foo", KUBELESS_TERMINATION_LOG: join(volume, "log") },
			});
		const hello = (text: string) => source("Foo", `	public String foo(Event event, Context context) { return "${text}"; }`);

		test("java: compiles into the volume, an empty pom.xml there or not, and the start takes it from there", async (t) => {
			const volume = folder(t, { "Foo.java": hello("compiled"), "pom.xml": "" });
			assert.deepEqual([compile(volume).status, existsSync(join(volume, "function/classes/io/kubeless/Foo.class"))], [0, true]);
			const cache = folder(t);
			const first = await startLoader(t, { volume, env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache } });
			assert.equal((await first.ask()).text, "compiled");
			const compiled = () => readdirSync(join(cache, "compiled")).filter((name) => name.startsWith("java-function"));
			assert.deepEqual(compiled(), []);
			// What was compiled is not taken for what was written since.
			writeFileSync(join(volume, "Foo.java"), hello("written since"));
			const second = await startLoader(t, { volume, env: { ...env("Foo", "foo"), KUBELESS_LOADER_CACHE: cache } });
			assert.equal((await second.ask()).text, "written since");
			assert.equal(compiled().length, 1);
		});

		test("java: says what is wrong, also to the termination log", (t) => {
			const volume = folder(t, { "Foo.java": hello('no"text'), log: "" });
			const { status, stderr } = compile(volume);
			assert.equal(status, 1);
			assert.match(stderr, /Foo\.java:9: error/);
			assert.match(readFileSync(join(volume, "log"), "utf8"), /Foo\.java:9: error/);
			assert.equal(existsSync(join(volume, "function/sources")), false);
		});
	});
});
