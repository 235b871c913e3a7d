package io.kubeless.worker;

import io.kubeless.Context;
import io.kubeless.Response;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Calls the handler, and puts what it returns into frames (PROTOCOL.md, chapter 4). */
final class Answers {
	private static final int WHOLE = 256 * 1024; // bytes: more than that goes in pieces (PROTOCOL 5.2)
	private static final int PIECE = 64 * 1024;
	private static final byte[] NOTHING = {};

	private final Wire wire;
	private final Handler handler;
	private final Context context;

	Answers(Wire wire, Handler handler, Context context) {
		this.wire = wire;
		this.handler = handler;
		this.context = context;
	}

	/** The frame that ends the call; what comes before it was sent. Nothing a handler throws gets past here. */
	Frame answer(Runner me, Call call) {
		Frame frame = me.frame.clear();
		try {
			if (call.isCancelled()) throw new Fault("CANCELLED", "cancelled before it began");
			CallEvent event = new CallEvent(call);
			if (call.json && call.body != null && call.body.length > 0) checkJson(call.body, event.Data);
			Object value = handler.call(event,
					new Context(context.functionName, context.timeout, context.runtime, context.memoryLimit));
			return value instanceof String ? whole(frame, call, (String) value) : result(frame, call, value);
		} catch (Throwable error) {
			return Failure.error(me.frame.clear(), call, error);
		}
	}

	private static void checkJson(byte[] body, String text) throws Fault {
		try {
			Json.check(body, text);
		} catch (Json.Malformed error) {
			throw new Fault("BODY_MALFORMED", "the body says that it is JSON and is not: " + error.getMessage());
		}
	}

	/** The plain case: a text without status or headers. */
	private Frame whole(Frame frame, Call call, String text) throws Throwable {
		byte[] body = text.getBytes(StandardCharsets.UTF_8);
		if (body.length > WHOLE) return stream(frame, call, 200, "", body);
		return frame.ascii("{\"type\":\"result\",\"id\":").number(call.id)
				.ascii(",\"body\":").number(body.length).ascii("}\n").bytes(body);
	}

	private Frame result(Frame frame, Call call, Object returned) throws Throwable {
		Object value = awaited(returned);
		int status = 200;
		String head = "";
		if (value instanceof Response) {
			Response response = (Response) value;
			status = response.getStatus();
			if (status < 200 || status > 999) {
				throw new Fault("RESULT_INVALID", "the handler returned a response with status " + status + ": use 200 to 999");
			}
			value = awaited(response.getBody());
			head = headers(response.getHeaders(), Pieces.isStream(value));
		}
		if (!has(head, "content-type")) head += Pieces.typeOf(value);
		if (Pieces.isStream(value)) return stream(frame, call, status, head, value);
		byte[] body = value == null ? NOTHING : Pieces.bytesOf(value);
		if (body.length > WHOLE) return stream(frame, call, status, head, body);
		frame.ascii("{\"type\":\"result\",\"id\":").number(call.id).ascii(",\"status\":").number(status);
		return frame.ascii(",\"head\":").number(head.length()).ascii(",\"body\":").number(body.length).ascii("}\n")
				.ascii(head).bytes(body);
	}

	/** What a stage or a future comes to. A cancelled call interrupts the wait, and the future is told. */
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

	private Frame stream(Frame frame, Call call, int status, String head, Object value) throws Throwable {
		boolean opened = false;
		try (Pieces pieces = Pieces.of(value)) {
			String length = value instanceof byte[] ? "Content-Length: " + ((byte[]) value).length + "\r\n" : "";
			do {
				// The first piece is made before the head goes: what fails by then is an error and no broken answer.
				byte[] piece = pieces.next();
				if (!opened) {
					open(frame, call, status, head + length);
					opened = true;
				}
				if (piece == null) break;
				for (int at = 0; at < piece.length; at += PIECE) {
					call.awaitRoom();
					int count = Math.min(PIECE, piece.length - at);
					frame.clear().ascii("{\"type\":\"chunk\",\"id\":").number(call.id).ascii(",\"body\":").number(count).ascii("}\n");
					wire.send(frame, piece, at, count);
				}
				if (call.isCancelled()) throw new Fault("CANCELLED", "cancelled while it streamed");
			} while (true);
		}
		return frame.clear().ascii("{\"type\":\"end\",\"id\":").number(call.id).ascii("}\n");
	}

	private void open(Frame frame, Call call, int status, String head) {
		frame.clear().ascii("{\"type\":\"head\",\"id\":").number(call.id).ascii(",\"status\":").number(status);
		wire.send(frame.ascii(",\"head\":").number(head.length()).ascii("}\n").ascii(head));
	}

	/** Header lines, one character a byte. */
	private static String headers(List<String> given, boolean streamed) throws Fault {
		StringBuilder head = new StringBuilder();
		for (int i = 0; i + 1 < given.size(); i += 2) {
			String name = given.get(i);
			String value = given.get(i + 1);
			String line = name + ": " + value;
			if (name == null || name.isEmpty() || value == null || line.indexOf('\r') >= 0 || line.indexOf('\n') >= 0 || line.indexOf('\0') >= 0) {
				throw new Fault("RESULT_INVALID", "the handler returned a header that cannot be sent: " + name + ": " + value);
			}
			if (name.equalsIgnoreCase("content-length") && !streamed) continue; // bytes at hand are counted
			head.append(latin1(line)).append("\r\n");
		}
		return head.toString();
	}

	/** What ISO-8859-1 has no place for goes as the bytes of its UTF-8. */
	private static String latin1(String text) {
		for (int i = 0; i < text.length(); i++) {
			if (text.charAt(i) > 0xff) return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
		}
		return text;
	}

	private static boolean has(String head, String name) {
		return !head.isEmpty() && ("\r\n" + head).toLowerCase(java.util.Locale.ROOT).contains("\r\n" + name + ":");
	}
}
