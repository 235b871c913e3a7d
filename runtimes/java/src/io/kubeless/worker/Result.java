package io.kubeless.worker;

import io.kubeless.functions.Response;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/**
 * Turns what a handler returned into `result`, or `head`, `chunk` and `end` (PROTOCOL.md, chapter
 * 4).
 */
final class Result {
	/** a larger body is sent in chunks (PROTOCOL 5.2) */
	private static final int MAX_WHOLE_BYTES = 256 * 1024;
	private static final int MAX_CHUNK_BYTES = 64 * 1024;
	/** PROTOCOL 2.3; the rest is for Content-Type and Content-Length */
	private static final int MAX_HEAD_BYTES = (1 << 20) - 128;
	private static final byte[] NOTHING = {};

	private final Wire wire;
	private final Frame frame;
	private final Call call;

	private Result(Wire wire, Frame frame, Call call) {
		this.wire = wire;
		this.frame = frame;
		this.call = call;
	}

	/**
	 * Returns the frame that ends the call, written into `frame`; sends those before it. Throws
	 * CallError, and what the function throws.
	 */
	static Frame write(Wire wire, Frame frame, Call call, Object value) throws Throwable {
		if (value instanceof String) {
			byte[] body = ((String) value).getBytes(StandardCharsets.UTF_8);
			if (body.length <= MAX_WHOLE_BYTES) {
				return frame.ascii("{\"type\":\"result\",\"id\":").number(call.id)
						.ascii(",\"body\":").number(body.length).ascii("}\n").bytes(body);
			}
		}
		return new Result(wire, frame, call).write(value);
	}

	private Frame write(Object returned) throws Throwable {
		Object value = awaited(returned);
		int status = 200;
		String head = "";
		if (value instanceof Response) {
			Response response = (Response) value;
			status = response.getStatus();
			if (status < 200 || status > 999) {
				throw CallError.invalidResult("a response with status " + status + ": use 200 to 999");
			}
			value = awaited(response.getBody());
			head = headers(response.getHeaders(), Chunks.isStream(value));
		}
		if (!has(head, "content-type")) head += Chunks.contentType(value);
		if (Chunks.isStream(value)) return stream(status, head, value);
		byte[] body = value == null ? NOTHING : Chunks.bytesOf(value);
		if (body.length > MAX_WHOLE_BYTES) return stream(status, head + "Content-Length: " + body.length + "\r\n", body);
		frame.ascii("{\"type\":\"result\",\"id\":").number(call.id).ascii(",\"status\":").number(status);
		return frame.ascii(",\"head\":").number(head.length()).ascii(",\"body\":").number(body.length).ascii("}\n")
				.ascii(head).bytes(body);
	}

	/**
	 * Returns what a stage or a future yields. A cancelled call interrupts the wait and cancels the
	 * future.
	 */
	private static Object awaited(Object given) throws Throwable {
		Object value = given;
		while (value instanceof CompletionStage || value instanceof Future) {
			Future<?> future = value instanceof Future ? (Future<?>) value : ((CompletionStage<?>) value).toCompletableFuture();
			try {
				value = future.get();
			} catch (ExecutionException error) {
				throw error.getCause() == null ? error : error.getCause();
			} catch (InterruptedException error) {
				future.cancel(true);
				throw error;
			}
		}
		return value;
	}

	private Frame stream(int status, String head, Object value) throws Throwable {
		boolean opened = false;
		try (Chunks chunks = Chunks.of(value)) {
			byte[] chunk;
			do {
				// The first chunk is made before the head is sent: an exception until then is a 500, not a
				// broken answer.
				chunk = chunks.next();
				if (!opened) open(status, head);
				opened = true;
				for (int at = 0; chunk != null && at < chunk.length; at += MAX_CHUNK_BYTES) {
					call.awaitResume();
					int count = Math.min(MAX_CHUNK_BYTES, chunk.length - at);
					frame.clear().ascii("{\"type\":\"chunk\",\"id\":").number(call.id).ascii(",\"body\":").number(count).ascii("}\n");
					wire.send(frame, chunk, at, count);
				}
				if (call.isCancelled()) throw new CallError("CANCELLED", "cancelled while its answer was sent");
			} while (chunk != null);
		}
		return frame.clear().ascii("{\"type\":\"end\",\"id\":").number(call.id).ascii("}\n");
	}

	private void open(int status, String head) {
		frame.clear().ascii("{\"type\":\"head\",\"id\":").number(call.id).ascii(",\"status\":").number(status);
		wire.send(frame.ascii(",\"head\":").number(head.length()).ascii("}\n").ascii(head));
	}

	/**
	 * Returns header lines of characters up to U+00FF. Throws RESULT_INVALID for a header that would
	 * break the line.
	 */
	private static String headers(List<String> given, boolean streamed) throws CallError {
		StringBuilder head = new StringBuilder();
		for (int i = 0; i + 1 < given.size(); i += 2) {
			String name = given.get(i);
			String value = given.get(i + 1);
			String line = name + ": " + value;
			if (name == null || name.isEmpty() || value == null || breaks(line)) {
				throw CallError.invalidResult("a header that cannot be sent: " + line);
			}
			if (name.equalsIgnoreCase("content-length") && !streamed) continue; // the loader counts the body
			head.append(latin1(line)).append("\r\n");
		}
		if (head.length() > MAX_HEAD_BYTES) {
			throw CallError.invalidResult(head.length() + " bytes of headers, and the limit is " + MAX_HEAD_BYTES);
		}
		return head.toString();
	}

	private static boolean breaks(String line) {
		return line.indexOf('\r') >= 0 || line.indexOf('\n') >= 0 || line.indexOf('\0') >= 0;
	}

	/**
	 * Returns the text, or one character for each byte of its UTF-8 if ISO-8859-1 cannot express it.
	 */
	private static String latin1(String text) {
		for (int i = 0; i < text.length(); i++) {
			if (text.charAt(i) > 0xff) return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
		}
		return text;
	}

	private static boolean has(String head, String name) {
		return !head.isEmpty() && ("\r\n" + head).toLowerCase(Locale.ROOT).contains("\r\n" + name + ":");
	}
}
