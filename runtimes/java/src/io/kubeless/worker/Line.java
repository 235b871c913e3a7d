package io.kubeless.worker;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads the line of a frame: a JSON object of known fields. Unknown fields are checked and skipped
 * (PROTOCOL 2.1, 2.2).
 */
final class Line {
	private static final int MAX_HEAD_BYTES = 1 << 20; // PROTOCOL 2.3
	private static final int MAX_BODY_BYTES = 1 << 30;
	private static final long MAX_COUNT = (1L << 53) - 1;

	private static final String[] FIELDS = {"type", "id", "method", "path", "query", "address", "event-id", "event-type",
		"event-time", "event-namespace", "extensions", "json", "head", "body"};
	private static final byte[][] FIELD_BYTES = bytesOf(FIELDS);
	/** Frequent values, for which no new String is made. */
	private static final String[] COMMON = {"call", "GET", "POST", "/", "127.0.0.1", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS",
		"application/json", "cancel", "pause", "resume", "stop"};
	private static final byte[][] COMMON_BYTES = bytesOf(COMMON);

	private final byte[] text;
	private final int end;
	private int at;

	/** A line that is not a frame: what is wrong, and at which byte. */
	static final class Malformed extends Exception {
		private static final long serialVersionUID = 1;

		Malformed(String what, int at) {
			super(what + " at byte " + at, null, false, false);
		}
	}

	private Line(byte[] text, int start, int end) {
		this.text = text;
		this.at = start;
		this.end = end;
	}

	/** Returns the frame whose line is text[start..end), without its head and body. */
	static Call read(byte[] text, int start, int end) throws Malformed {
		Line line = new Line(text, start, end);
		Call call = new Call();
		line.space();
		if (line.peek() != '{') throw line.malformed("no object");
		for (boolean more = line.opens('}'); more; more = line.continues('}')) line.member(call);
		line.space();
		if (line.at < end) throw line.malformed("text after the object");
		if (call.type == null) throw line.malformed("no type");
		return call;
	}

	private void member(Call call) throws Malformed {
		int start = at + 1;
		int field = indexOf(FIELD_BYTES, start, name());
		switch (field < 0 ? "" : FIELDS[field]) {
			case "type":
				call.type = string();
				break;
			case "id":
				call.id = count(MAX_COUNT);
				break;
			case "method":
				call.method = string();
				break;
			case "path":
				call.path = string();
				break;
			case "query":
				call.query = string();
				break;
			case "address":
				call.address = string();
				break;
			case "event-id":
				call.eventId = string();
				break;
			case "event-type":
				call.eventType = string();
				break;
			case "event-time":
				call.eventTime = string();
				break;
			case "event-namespace":
				call.eventNamespace = string();
				break;
			case "extensions":
				call.extensions = strings();
				break;
			case "json":
				call.json = peek() == 't';
				skip();
				break;
			case "head":
				call.headLength = (int) count(MAX_HEAD_BYTES);
				break;
			case "body":
				call.bodyLength = (int) count(MAX_BODY_BYTES);
				break;
			default:
				skip();
		}
	}

	private long count(long max) throws Malformed {
		int start = at;
		number();
		long value = 0;
		for (int i = start; i < at; i++) {
			int digit = text[i] - '0';
			if (digit < 0 || digit > 9 || (value = value * 10 + digit) > max) throw new Malformed("no count", start);
		}
		return value;
	}

	private Map<String, String> strings() throws Malformed {
		Map<String, String> found = new HashMap<>();
		if (peek() != '{') throw malformed("no object");
		for (boolean more = opens('}'); more; more = continues('}')) {
			int start = at + 1;
			String name = decoded(start, name());
			found.put(name, string());
		}
		return found;
	}

	private String string() throws Malformed {
		int start = at + 1;
		skipString();
		return decoded(start, at - 1);
	}

	private String decoded(int start, int stop) {
		int common = indexOf(COMMON_BYTES, start, stop);
		if (common >= 0) return COMMON[common];
		int plain = start;
		while (plain < stop && text[plain] != '\\') plain++;
		String raw = new String(text, start, stop - start, StandardCharsets.UTF_8);
		return plain == stop ? raw : unescaped(raw);
	}

	private static String unescaped(String raw) {
		StringBuilder result = new StringBuilder(raw.length());
		for (int i = 0; i < raw.length(); i++) {
			char c = raw.charAt(i);
			if (c == '\\') {
				c = raw.charAt(++i);
				int control = "bfnrt".indexOf(c);
				if (control >= 0) c = "\b\f\n\r\t".charAt(control);
				if (c == 'u') {
					c = (char) Integer.parseInt(raw.substring(i + 1, i + 5), 16);
					i += 4;
				}
			}
			result.append(c);
		}
		return result.toString();
	}

	// ---- JSON: each method expects its part at `at`, and moves behind it

	/** Opens an object or array. Returns false if it is empty. */
	private boolean opens(char close) throws Malformed {
		at++;
		space();
		if (peek() != close) return true;
		at++;
		return false;
	}

	/** After a member: returns false at the end of the object or array. */
	private boolean continues(char close) throws Malformed {
		space();
		int c = peek();
		if (c != close && c != ',') throw malformed("no , or " + close);
		at++;
		space();
		return c == ',';
	}

	/** A member's name, and its colon. Returns where the name ends. */
	private int name() throws Malformed {
		skipString();
		int stop = at - 1;
		space();
		if (peek() != ':') throw malformed("no :");
		at++;
		space();
		return stop;
	}

	private void skip() throws Malformed {
		switch (peek()) {
			case '{':
				for (boolean more = opens('}'); more; more = continues('}')) {
					name();
					skip();
				}
				break;
			case '[':
				for (boolean more = opens(']'); more; more = continues(']')) skip();
				break;
			case '"':
				skipString();
				break;
			case 't':
				word("true");
				break;
			case 'f':
				word("false");
				break;
			case 'n':
				word("null");
				break;
			default:
				number();
		}
	}

	private void skipString() throws Malformed {
		if (peek() != '"') throw malformed("no \"");
		at++;
		for (int c = peek(); c != '"'; c = peek()) {
			if (c >= 0 && c < ' ') throw malformed("a raw control character");
			at++;
			if (c == '\\') escape();
		}
		at++;
	}

	private void escape() throws Malformed {
		int kind = peek();
		if ("\"\\/bfnrtu".indexOf(kind) < 0) throw malformed("an escape that JSON does not have");
		at++;
		for (int digits = kind == 'u' ? 4 : 0; digits > 0; digits--) {
			if (Character.digit(peek(), 16) < 0) throw malformed("\\u without four hexadecimal digits");
			at++;
		}
	}

	private void number() throws Malformed {
		if (peek() == '-') at++;
		if (at < end && text[at] == '0') at++;
		else digits();
		if (at < end && text[at] == '.') {
			at++;
			digits();
		}
		if (at < end && (text[at] | 32) == 'e') {
			at++;
			if (at < end && (text[at] == '+' || text[at] == '-')) at++;
			digits();
		}
	}

	private void digits() throws Malformed {
		int start = at;
		while (at < end && text[at] >= '0' && text[at] <= '9') at++;
		if (at == start) throw malformed("no value");
	}

	private void word(String word) throws Malformed {
		for (int i = 0; i < word.length(); i++, at++) {
			if (peek() != word.charAt(i)) throw malformed("no value");
		}
	}

	private void space() {
		while (at < end && (text[at] == ' ' || text[at] == '\r' || text[at] == '\t')) at++;
	}

	private int peek() throws Malformed {
		if (at >= end) throw malformed("the end of the line");
		return text[at];
	}

	private Malformed malformed(String what) {
		return new Malformed(what, at);
	}

	private int indexOf(byte[][] words, int start, int stop) {
		int length = stop - start;
		for (int i = 0; i < words.length; i++) {
			byte[] word = words[i];
			if (word.length == length && matches(word, start)) return i;
		}
		return -1;
	}

	private boolean matches(byte[] word, int start) {
		for (int i = 0; i < word.length; i++) {
			if (text[start + i] != word[i]) return false;
		}
		return true;
	}

	private static byte[][] bytesOf(String... words) {
		byte[][] result = new byte[words.length][];
		for (int i = 0; i < words.length; i++) result[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
		return result;
	}
}
