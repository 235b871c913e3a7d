package io.kubeless;

import io.kubeless.functions.Request;
import io.kubeless.functions.Response;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** The functions that the conformance vectors call; docs/conformance.md describes each. */
class conformance {
	private static final String TEXT = "čšž ελ 日本 🎉";

	static {
		System.out.println("conformance loaded");
	}

	private final AtomicInteger number = new AtomicInteger();

	public byte[] echoes(Event event, Context context) {
		return event.getBytes();
	}

	public Map<String, Object> types(Event event, Context context) {
		return map("id", event.EventID, "type", event.EventType, "time", event.EventTime, "namespace", event.EventNamespace,
				"data", event.Data, "source", event.getExtensions().get("source"));
	}

	public Map<String, Object> context(Event event, Context context) {
		return map("function-name", context.functionName, "timeout", context.timeout, "runtime", context.runtime,
				"memory-limit", context.memoryLimit);
	}

	public Map<String, Object> request(Event event, Context context) {
		Request request = event.getRequest();
		return map("method", request.getMethod(), "path", request.getPath(), "query", request.getParameter("x"),
				"header", request.getHeader("X-Name"));
	}

	public Response headers(Event event, Context context) {
		return new Response(201, "made").header("Content-Type", "text/plain").header("X-Name", "Ada")
				.header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
	}

	public byte[] bytes(Event event, Context context) {
		byte[] all = new byte[256];
		for (int i = 0; i < all.length; i++) all[i] = (byte) i;
		return all;
	}

	public byte[] big(Event event, Context context) {
		byte[] result = new byte[Integer.parseInt(event.Data)];
		for (int i = 0; i < result.length; i++) result[i] = (byte) ('0' + i % 10);
		return result;
	}

	public Iterator<String> streams(Event event, Context context) {
		String[] words = event.Data.split(" ");
		int count = Integer.parseInt(words[0]);
		return new Iterator<String>() {
			private int at;

			@Override
			public boolean hasNext() {
				if (at == count && words.length > 3) throw new IllegalStateException("broken off");
				return at < count;
			}

			@Override
			public String next() {
				if (at > 0) pause(Integer.parseInt(words[2]));
				char[] piece = new char[Integer.parseInt(words[1])];
				Arrays.fill(piece, (char) ('0' + at++ % 10));
				return new String(piece);
			}
		};
	}

	public String raises(Event event, Context context) {
		throw new IllegalArgumentException(event.Data);
	}

	public String exits(Event event, Context context) {
		System.exit(3);
		return "it did not";
	}

	public String recurses(Event event, Context context) {
		return recurses(event, context) + ".";
	}

	public Object nonsense(Event event, Context context) {
		return new Object();
	}

	public String sleeps(Event event, Context context) throws InterruptedException {
		Thread.sleep(Integer.parseInt(event.Data));
		return "slept";
	}

	public String prints(Event event, Context context) {
		System.out.println(event.Data);
		System.err.println(event.Data);
		return "printed";
	}

	public String unicode(Event event, Context context) {
		System.out.println(TEXT);
		if (event.Data.equals("raise")) throw new IllegalStateException(TEXT);
		return TEXT;
	}

	public byte[] stdin(Event event, Context context) throws IOException {
		ByteArrayOutputStream read = new ByteArrayOutputStream();
		for (int b; (b = System.in.read()) >= 0; ) read.write(b);
		return read.toByteArray();
	}

	/** A program that runs on after the call. Java cannot fork. */
	public String spawns(Event event, Context context) throws IOException {
		// Java 8 cannot tell the id of a process.
		Process child = new ProcessBuilder("sh", "-c", "echo $$; exec sleep 30 >&2").redirectError(ProcessBuilder.Redirect.INHERIT).start();
		return new BufferedReader(new InputStreamReader(child.getInputStream())).readLine();
	}

	public int counts(Event event, Context context) {
		return number.incrementAndGet();
	}

	public String dies(Event event, Context context) throws Exception {
		new ProcessBuilder("sh", "-c", "kill -9 $PPID").start().waitFor();
		Thread.sleep(1000);
		return "it did not";
	}

	private static void pause(int ms) {
		try {
			Thread.sleep(ms);
		} catch (InterruptedException cancelled) {
			throw new IllegalStateException(cancelled);
		}
	}

	private static Map<String, Object> map(String... members) {
		Map<String, Object> map = new LinkedHashMap<>();
		for (int i = 0; i < members.length; i += 2) map.put(members[i], members[i + 1]);
		return map;
	}
}
